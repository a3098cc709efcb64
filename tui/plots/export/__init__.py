"""Plots as files.

picture     the cells of a plot with their colors
glyphs      the shapes of the characters that fonts draw unevenly: bars, dots, lines, marks
svg, png    a picture as a file of that kind
"""
