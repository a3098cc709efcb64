"""What the command `sweep` has of its own.

options   from options and a file to lists and trials
board     the live table of trials
"""
