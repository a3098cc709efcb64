"""The predictions of nets.

images      a few test images with both nets' predictions
confusion   which classes are predicted as which: as a matrix or as lists
matrix, ranking     the two ways to draw it
confusions  the numbers they draw
"""
