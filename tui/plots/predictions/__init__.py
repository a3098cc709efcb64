"""The predictions of nets.

images      a few test images with both nets' predictions
confusion   which classes are confused: confusion_matrix and confusion_ranking draw
            confusion_numbers
"""
