"""The history: its screen, what it shows, and what it does to files.

screen      browse, annotate and delete runs; continue from one
panes       what it shows, from top to bottom
run_files   runs read, annotated and deleted in threads
help        every key and sign of the history
"""
