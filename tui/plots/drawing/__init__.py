"""What plots are drawn with.

canvas      the gateway to plotext, and the only module that imports it
bars        a canvas for bars with names and numbers, and their scale
strips      small charts below a plot, on its bottom axis
heading     title and legend above a plot
table       a name and right-aligned columns
sgr         plotext's color codes turned back into roles
ticks, percents, numbers    axes and their numbers
curves      accuracy over sparsity, cleaned for drawing
weight_bins histograms of weights: bins, axes and bars
placing     placement of labels among curves
braille     small gray images
"""
