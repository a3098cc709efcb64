"""What the app can do: one class per feature, whose methods are the actions that keys name.

`tui.app` makes each with the session.

    feature         base of all, and when an action is available
    planning        sparsities by hand, presets, undo; the recipe
    layer_list      which layers the table lists: folded, matching, of one kind
    training        open, train, prune, fine-tune, stop; which net is the base
    scanning        the sensitivity scan, and the tolerance in its plot
    goals           from a goal to sparsities, at once or by a search
    plots           the next plot; which test images it shows
    benchmarking    how fast the net is in every engine
    exporting       the net in a file, read back
    recipe_files    sparsities and recipe as a TOML file
    history         the runs, and restoring one
    saved_plan      the plan from one session to the next
    program         help, and leaving
"""
