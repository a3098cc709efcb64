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
    pruning       magnitude, threshold, mask; Masks holds the invariant: what is pruned stays zero
    recipes       named hyper-parameters
    evaluation    images counted, accuracies measured
    gradual       masks that tighten while a net is fine-tuned, and what follows them
    training      train, finetune, prune_and_measure
    precision     whether this machine gains by bf16
    workbench     one model, one data set and the settings: the jobs that the programs run
    report        a result as the JSON of `featherweight run` and `featherweight train`
    files         files that are written whole or not at all
"""
