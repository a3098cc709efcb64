"""The terms of the field as this program uses them: for the help, and where they appear."""

import re

TERMS = {
    "sparsity": "fraction of zeros in a layer's weights",
    "threshold": "the k-th smallest magnitude of a layer's weights, with k = sparsity x weights; "
    "those above it are kept; by another criterion, the k-th smallest importance",
    "kept": "of the weights, in the table; of weights and biases, in the result (biases are never "
    "pruned)",
    "ratio": "how many times fewer parameters the net has than the dense one: 36.9x",
    "plan": "the sparsities you set, which pruning and fine-tuning apply to the base",
    "base": "the net you prune: the dense net, or one you adopted",
    "floor": "sparsity that the base already has; a plan cannot go below it",
    "dense": "the net with all of its weights",
    "pruned": "the base with the plan applied in one shot, not trained",
    "reconstructed": "the base pruned so that each layer keeps its output: masks and weights are "
    "chosen layer by layer on training images, without training",
    "fine-tuned": "the base trained to the plan, as the recipe says",
    "recipe": "how to fine-tune: method, epochs, learning rate and more",
    "distillation": "training that learns the dense net's outputs beside the labels",
    "validation": "images used for all choices, never for training",
    "test": "images used only for reporting",
    "MACs": "multiplications, each with its addition, to classify one image",
    "FLOPs": "floating-point operations to classify one image; a MAC is two",
    "revived": "pruned weights that are not exactly zero; always 0",
    "dead": "units without inputs or outputs; removing them shrinks the net but changes no logits",
    "sensitivity": "how much accuracy falls when one layer alone is pruned",
    "tolerance": "the drop in accuracy that you accept, in points",
    "codebook": "the few values that a layer's weights share in a file, found by k-means; each "
    "weight stores which one",
}
"""Each term and its meaning, in the order of the help."""

_OTHER_FORMS = {
    "distill": "distillation",
    "lighter": "ratio",
    "recon": "reconstructed",
    "valid": "validation",
}
_BY_WORD = {term.lower(): term for term in TERMS} | _OTHER_FORMS


def explanation_at(line: str, cell: int) -> str | None:
    """The meaning of the term that a line shows at a cell, if there is one.

    Examples:
        >>> explanation_at("base: dense", 2)
        'base: the net you prune: the dense net, or one you adopted'
    """
    for word in re.finditer(r"[A-Za-z][A-Za-z-]*", line):
        if word.start() <= cell < word.end():
            term = _BY_WORD.get(word[0].lower())
            return term and f"{term}: {TERMS[term]}"
    return None
