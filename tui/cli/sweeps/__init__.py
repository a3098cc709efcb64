"""What the command `sweep` has of its own.

options   from options and a file to lists and trials
engines   where trials run
board     the live table of trials
"""
