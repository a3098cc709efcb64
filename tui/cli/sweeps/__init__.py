"""Parts of the command `sweep`.

options   the lists and trials that options and a file give
apart     a sweep in a process of its own: started, watched, left and found again
watcher   shows a sweep that another process runs
board     the live table of trials
keys      single keys from the terminal
printing  lines for a log, and the result
"""
