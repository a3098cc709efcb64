"""The programs that people run: the terminal app and the command line, over `core`.

The map:

    cli           the command `featherweight`: subcommands, exit statuses
    options       its options, and what they say
    handlers      what each subcommand does
    headless      the same jobs without a screen: rich progress, plain lines, JSON
    scanning, searching, tabling, benching   their tables
    app           the terminal program: which keys make sense now
    session       what its parts share: the state, the screen, the job that runs
    planning      the keys that choose sparsities by hand
    finding       the keys that list layers: fold, find, all of a kind
    training      the jobs that make nets
    exploring     scan, tolerance, goal, search
    racing        how fast the net is, in every engine
    exporting     the net in a file, read back
    looking       the background measurement: accuracy while dragging, digits
    returning     history, and the way back to a run
    keys          every key, what it does and what it is called
    backend       core's jobs for the app; imports torch when the first one runs
    jobs          the one bridge from a core stream to the screen
    state         what the screen shows: immutable, with every way it can change
    rows, listing   layers in groups by module, folded and found, and the chosen row
    results       what has come of plans, and what undo goes back to
    choosing      how to fine-tune, row by row; keeping: how a file keeps the values
    history, browsing   the runs as a table shows them
    views/        pure functions from the state to lines of text
    plots/        pure functions from numbers to lines of text; canvas.py alone knows plotext
    widgets/      puts lines on the screen and rewrites only what changed
    screens/      main, goal, rows of choices: choices, export; history, help, questions
"""
