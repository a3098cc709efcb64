"""Training a net, dense or while it is pruned.

recipes        named hyperparameters; settings/recipe_changes declares what a user may change
notices        what a user is told before a training starts
losses         the loss functions: by labels, and by the outputs of another net
optimizers     the optimizers
schedules      the learning-rate schedules
loop           the loop over epochs and batches
first_step     one training step on a copy of a user's net, before any work
dense          training a dense net
finetuning     prune and measure; fine-tune, in one round or several
gradual        masks that tighten while a net is fine-tuned
checkpoints    the state of a training between two epochs
augmentation   random changes to the images of a batch
byte_dropout   dropout that draws a random byte per activation
"""
