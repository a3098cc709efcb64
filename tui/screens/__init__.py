"""Screens and dialogs.

main        the main screen: layers, totals, plots, and the running job
dialog      base of what opens over another screen; dialogs: a question, a choice
form        dialogs of rows: recipe, export
goal, path  what to aim for; the path of a file
palette     every command by name
help        every key, and what the numbers mean
history/    the history of runs
"""
