"""The history: its screen, its panes, and its file operations.

screen      browse, annotate and delete runs; continue from one
panes       its panes, from top to bottom
run_files   reads, annotates and deletes runs in threads
help        every key and symbol of the history
"""
