"""The plots of the history.

pareto              accuracy against size, all runs
training_curves     two trainings, epoch by epoch
two_weights         the weights of one layer in two nets
"""
