"""The programs that people run: the terminal app and the command line, over `core`.

The map:

    cli           the command `featherweight`: options, exit statuses
    headless      the same jobs without a screen: rich progress, plain lines, JSON
    app           the terminal program: keys, screens, the job that is running
    keys          every key, what it does and what it is called
    backend       core's jobs for the app; imports torch when the first one runs
    jobs          the one bridge from a core stream to the screen
    state         what the screen shows: immutable, with every way it can change
    views/        pure functions from the state to lines of text
    plots/        pure functions from numbers to lines of text; canvas.py alone knows plotext
    widgets/      puts lines on the screen and rewrites only what changed
    screens/      help, questions, choices
"""
