"""What explains the program.

screen     the help: it scrolls
sections   what it says: about what has the focus, the visible plots, the keys, the terms
texts      what it says about each plot
prose      running text with the keys in force
tour       five cards for the first start
"""
