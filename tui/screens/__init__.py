"""Screens and dialogs.

main            the main screen: layers, totals, plots, and the running job
overlay         bases of everything that opens over another screen; the command palette
question        dialogs that ask a yes-or-no question, or for a choice
form_dialog     base of dialogs of rows: recipe_dialog, export_dialog
goal_dialog     what to aim for
path_dialog     the path of a file
help            every key, and what the numbers mean
history/        the history of runs
"""
