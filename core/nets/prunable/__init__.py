"""What can be pruned of a net that a user brings, and what is changed in it first.

plain_net     a net in float32 without torch's masks; refusals of other number types
torch_masks   masks that torch.nn.utils.prune holds
net_forms     programs, quantized weights and the meta device, which are refused
unprunable    the weights that are left out, and why
"""
