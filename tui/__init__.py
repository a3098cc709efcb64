"""The programs people run: the terminal app and the command line, over `core`.

The rooms, each of which imports only what is below it in this list (import-linter holds that):

    cli         the command `featherweight`: options, subcommands, tables
    app         the terminal program: passes each key and message to the feature that owns it
    features/   one class a feature: planning, training, scanning, exporting, history ...
    session     what features share: the state, the screen that shows it, the job that runs
    screens/    the main screen, history, help, dialogs
    widgets/    put lines on a screen and rewrite only what changed
    jobs/       core's jobs in threads, and their messages
    views/      from the state to lines of text; views/plots has the registry of plots
    plots/      from numbers to lines of text; drawing/canvas.py alone knows plotext
    state/      what the screen shows: immutable, with every way it can change
    keys/       every key, what it does and what it is called
    text/       lines, numbers and paths as people read them

From a key to a plot, with `p` as the example: `keys.keys` names `training.prune`; `app` calls that
method of `features.training`, which starts a job by `Session.start_job`; `jobs.job` posts each
event as a message to `app`, which hands it to the session; the session passes it to the feature,
which changes the state, and shows that on `screens.main`; there `widgets.plot` draws what
`views.plots.registry` says.
"""
