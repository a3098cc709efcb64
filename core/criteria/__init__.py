"""Criteria: how much each weight matters. What ranks highest is kept.

names      the criteria by name, without torch
criterion  what every criterion has, a user's own included, and the images it sees
ranking    importances as signed tensors, which are pruned by magnitude like weights
inputs     the inputs of layers, as rows of the matrix that a weight is multiplied by
magnitude  |w|
wanda      |w| times the norm of its inputs
taylor     |w| times the gradient of the loss
obs        the error of a layer's output that pruning a weight leaves at best
random     a random order, the control
"""
