"""How the screen looks in this terminal.

roles      the color of each role of text, for dark and light themes and for a terminal's own colors
themes     our two themes, from the palette that all terminals with 256 colors share
palette    the nearest of these 256 colors, for every other color
ascii      every character in ASCII, for terminals that lack the others
terminal   what a terminal can show, by its name and the locale's encoding
"""
