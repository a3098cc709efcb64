"""The terminal app and the command line, over `core`.

The packages; each imports only those below it in this list (import-linter checks this):

    cli         the command `featherweight`: options, subcommands, tables
    app         the terminal program: passes each key and message to its feature
    features/   one class per feature: planning, training, scanning, exporting, history ...
    session     what features share: the state, its screen, the running job
    screens/    the main screen, history, help, dialogs
    widgets/    draw lines and redraw only what changed
    jobs/       core's jobs in threads, and their messages
    views/      turn the state into lines of text; plot_data prepares the data of each plot
    plots/      turn numbers into lines of text; only drawing/canvas.py imports plotext
    state/      what the screen shows: immutable, with every way it can change
    keys/       every key, its action and its label
    text/       lines, numbers and paths as people read them
    system/     keeps the program running: error boundary, error log, pasted text

colors.tcss sets the color of every role of text (dense, pruned, removed weights ...),
featherweight.tcss the layout.

From a key to a plot, for `p`: `keys.keys` names `training.prune`; `app` calls that method of
`features.training`, which starts a job with `Session.start_job`; `jobs.job` posts each event as a
message to `app`; the session passes it to the feature, which changes the state, and shows the state
on `screens.main`, where `widgets.plot` draws the plot that `views.plot_registry` names.
"""
