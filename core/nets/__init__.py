"""Nets: the zoo's and the user's, their layers and weights.

zoo             the nets known by name, and their shipped weights (dense/)
architectures   the zoo's modules
user_model      a user's own model: imported, built, tried on a few images
model_copy      exact copies of models
plain_net       a user's net as it is worked on: float32, without torch's masks
torch_masks     masks that torch.nn.utils.prune holds, in a net or a state_dict
layers          the prunable weights: names, shapes, counts
unprunable      the weights that are left out, and why
weights         a state_dict, its digest, and whether it fits a model
footprint       size in parameters and bytes
"""
