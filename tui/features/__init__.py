"""What the app can do: one class per feature; its methods are the actions bound to keys.

`tui.app` creates each one with the session.

    feature         the base class, and when an action is available
    planning        sparsities by hand, presets, undo; the recipe
    layer_list      which layers the table lists: folded, matching, of one kind
    training        open, train, prune, fine-tune, stop; choose the base
    scanning        the sensitivity scan, and the tolerance in its plot
    goals           turn a goal into sparsities, or find the lightest net
    sweeps/         fine-tune to many plans, in a process of its own
    plots           switch plots; choose the test images
    benchmarking    benchmark the net in every engine
    exporting       write the net to a file and read it back
    recipe_files    write and open TOML files with sparsities and recipe
    history         the runs, and restoring one
    saved_plan      carry the plan over to the next session
    program         help and quit
"""
