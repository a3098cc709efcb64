"""What the app can do: one class a feature, whose methods are the actions that keys name.

Each gets the session and is made by `tui.app`. `availability` declares when an action makes sense.

    planning        sparsities by hand, presets, undo; the recipe
    layer_list      which layers the table lists: folded, found, all of a kind
    training        open, train, prune, fine-tune, stop; which net is the base
    scanning        the sensitivity scan, and the tolerance in its plot
    goals           from a goal to sparsities, at once or by a search
    plots           the next plot; which test images are shown
    benchmarking    how fast the net is in every engine
    exporting       the net in a file, read back
    recipe_files    sparsities and recipe as a TOML file
    history         the runs, and the way back to one
    program         help, and leaving
"""
