"""Pruning, fine-tuning and measuring neural nets: everything a script can do without a terminal.

`import core` loads no torch; a submodule loads what it needs. Nothing here knows of a terminal.

The map:

    events        what a long operation says while it works: frozen dataclasses; Stream, drain
    errors        InputError (mend the input), WorkError (the work failed)
    datasets/     MNIST: fetched, checked, three splits in memory
    zoo, nets     the nets known by name, and the trained weights shipped with them
    weights       a state_dict as a safetensors file, checked against its net
    settings      what a run is asked to do, checked
    batches       a split as tensors, normalised a batch at a time
    layers        which weights can be pruned: name, shape, counts
    plans         one sparsity a layer: presets, parsing, checking
    whatif        a plan's thresholds, counts and histograms, without touching a tensor
    footprint     parameters and bytes, and what is counted
    selection     the k-th smallest magnitude of a tensor, without a copy of it
    pruning       magnitude, threshold, mask; Masks holds the invariant: what is pruned stays zero
    recipes       named hyper-parameters
    predictions   the answers of float32, computed in bf16 where that cannot change them
    evaluation    images counted, accuracies measured
    curves        what a sensitivity scan finds: points, intervals
    cuts          a net cut before a layer: run up to it once, and on from it often
    sensitivity   the scan: each layer pruned alone, over a range of sparsities
    dropout       dropout that does not wait for one core
    gradual       masks that tighten while a net is fine-tuned, and what follows them
    training      train, finetune, prune_and_measure
    precision     whether this machine gains by bf16
    devices       where torch computes
    allocator     freed memory that is kept for the next step
    libraries     torch's shared libraries, brought in while other threads go on
    workbench     one model, one data set and the settings: the jobs that the programs run
    report        a result as the JSON of `featherweight run`, `train` and `scan`
    files         files that are written whole or not at all
"""
