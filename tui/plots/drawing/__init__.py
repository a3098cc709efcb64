"""What plots are made of.

canvas      the gateway to plotext, and the only module that imports it
sgr         from plotext's color codes back to roles
ticks, percents, numbers    axes, and the numbers on them
curves      accuracies over sparsities, cleaned of what cannot be drawn
placing     where texts go among curves
bars        bars that compare layers
braille     small grey pictures
"""
