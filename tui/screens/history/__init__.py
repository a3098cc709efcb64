"""The history: its screen, what it shows, and what it does to files.

screen      looking through the runs, annotating and deleting them, continuing from one
panes       what it shows, from top to bottom
run_files   runs read, annotated and deleted in threads beside the screen
help        every key and sign of the history
"""
