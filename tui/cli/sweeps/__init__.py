"""What the command `sweep` has of its own.

options   from options and a file to lists and trials
apart     a sweep in a process of its own: started, watched, left and found again
watcher   shows a sweep that another process runs
board     the live table of trials
keys      single keys from the terminal
printing  a line for what lasts, and the result
"""
