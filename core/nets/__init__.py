"""Nets: the zoo's and the user's, their layers and weights.

zoo             the nets known by name, and their shipped weights (dense/)
architectures   the zoo's modules
user_model      a user's own model: found, built, tried on a few images
layers          which weights can be pruned: names, shapes, counts
weights         a state_dict, and whether it fits a model
footprint       parameters and bytes, and what is counted
digest          which weights these are
"""
