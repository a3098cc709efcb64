"""The command `featherweight`.

main            the parser: every command with its help; runs one
arguments       the words of a command line, and the one meant for one that is wrong
exit_status     the exit statuses
add_options     the options of each command, and how each is parsed
read_options    from options to settings, plans, goals and locked layers
checks          checks of what the user typed, before anything else happens
commands/       one file per command: what it checks, runs and prints
sweeps/         the lists of a sweep, and its live table
workers/        where work runs, and the live table of trials side by side
command         what every command does after its checks
console         the console they print on
streams         standard output and error, whatever happens to them
progress        a bar in a terminal, lines in a log
number_table    tables of numbers
trials_table    the trials on the way to the lightest net
settings_table  the tables of settings and preferences in tui/README.md
"""
