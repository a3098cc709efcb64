"""What nets say of images.

digits      some test images, and what both nets say they are
confusion   which classes are taken for which: as a matrix, or as lists
matrix, ranking     those two ways to draw it
mixups      the numbers they draw
"""
