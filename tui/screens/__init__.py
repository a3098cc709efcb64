"""Screens and dialogs.

main            the main screen: layers, scoreboard, plots, and the running job
paced           base of all: skips frames that a slow terminal could not show in time
overlay         base classes of screens that open over another
palette         the command palette: every action with its key
question        questions with two answers, and choices from a list
form_dialog     base of dialogs of rows, with their keys: recipe_dialog, export_dialog
goal_dialog     a goal, and how to allocate it to the layers
path_dialog     the path of a file
plot            a plot on the whole screen, with a cursor; plot_files writes it to a file
messages        what was said so far
help/           what explains the program: the help, and a tour at the first start
history/        the history of runs
sweep/          a sweep: its lists, and its trials as they go on
"""
