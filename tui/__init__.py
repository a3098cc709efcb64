"""The terminal app and the command line, over `core`.

The packages; each imports only those below it in this list (import-linter checks this):

    cli         the command `featherweight`: options, subcommands, tables
    demo/       plays the app by a script, with captions
    app         the terminal program: passes each key and message to its feature
    features/   one class per feature: planning, training, scanning, exporting, history ...
    session     what features share: the state, its screen, the running job
    screens/    the main screen (how many plots fit), the history, help, dialogs
    widgets/    draw lines and redraw only what changed
    jobs/       core's jobs in threads, and their messages
    views/      turn the state into lines of text; plot_data has the data of each plot,
                job_outcomes the message when a job ends
    plots/      turn numbers into lines of text; only drawing/canvas.py imports plotext
    state/      what the screens show, with the rows of the dialogs: immutable, with every
                way it can change
    preferences/ what a person prefers: from the command line, the environment, a settings file
    looks/      themes and the colors of roles; what a terminal can show: 256 colors, ASCII
    keys/       the keys of the main screen and the history; a dialog binds its own
    system/     the program as a process: error boundary, error log, signals, pasted text
    text/       lines and numbers as people read them; text from outside; encodings
    web/        serves the program to browsers; only server.py imports textual-serve

colors.tcss gives every role of text (dense, pruned, removed weights ...) a color of `looks.roles`,
featherweight.tcss the layout.

From a key to a plot, for `p`: `keys.main_keys` names `training.prune`; `app` calls that method of
`features.training`, which starts a job with `Session.start_job`; `jobs.job` posts each event as a
message to `app`; the session passes it to the feature, which changes the state, and shows the state
on `screens.main`, where `widgets.plot` draws the plot that `views.plot_registry` names.
"""
