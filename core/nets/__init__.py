"""Nets: the zoo's and the user's, their layers and weights.

zoo             the nets known by name, and their shipped weights (dense/)
architectures   the zoo's modules
user_model      a user's own model: imported, built
user_code/      where its code lies: names, files, import errors
model_args      the arguments of its builder, as text
builders        how its builder is called: arguments from the data, torchvision's and timm's ways
fresh_head      a new last layer for a net trained for other classes
calls           calls of a net's own code, and the message for what they raise
outputs         which of a net's outputs are the logits
trial           a net tried on a few images, before any work
model_copy      exact copies of models
layers          the prunable weights: names, shapes, counts
prunable/       what of a user's net can be pruned: number types, torch's masks, what is left out
weights         a state_dict, its digest, and whether it fits a model
footprint       size in parameters and bytes
"""
