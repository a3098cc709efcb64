"""The command `featherweight`.

main         the parser: every command with its help, and the exit statuses
options      the options, and the settings, plans and goals they stand for
checks       what a person typed, checked before anything else happens
commands/    one file a command: what it prepares, runs and prints
command      what every command does once it is prepared
progress     how a job goes: a bar in a terminal, lines in a log
"""
