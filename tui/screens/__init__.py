"""Screens and dialogs.

main        the main screen: layers, totals, plots, and what is going on
goal, recipe, export, path, dialogs     what keys ask; form: dialogs of rows
help, history_help      every key and sign
history     the runs; history_panes: what it shows; run_files: reading and changing them
"""
