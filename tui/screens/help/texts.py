"""What the help says about each part of the screen; keys in braces are those in force."""

PLOTS = {
    "histogram": "How many weights of the selected layer have each value. What lies between the "
    "two thresholds is removed by the plan; the rest is kept. Move the sparsity with {less} and "
    "{more}, and watch the thresholds move.",
    "accuracy": "Validation accuracy after every epoch of a training, against that of the dense "
    "net. Only epochs that end at the full plan can be the best. {fine-tune} fine-tunes, {train} "
    "trains a new dense net.",
    "sensitivity": "Accuracy with one layer pruned at a time, from a scan ({scan}): a layer whose "
    "curve falls early is sensitive, so leave it denser. {looser-tolerance} and "
    "{tighter-tolerance} move the tolerance, the drop in accuracy that you accept; {goal} sets "
    "every layer as sparse as it allows.",
    "parameters": "How many parameters each layer has, and how many the plan keeps. The layers "
    "with the most weights decide the ratio.",
    "size": "The bytes of each layer: 4 for each weight that is kept, nothing for its position. "
    "The plot of files shows what a real file takes.",
    "files": "The bytes of the net, counted in every common way: values only; with positions, 5 "
    "bits (8 in convolutions) for the distance of a weight from the one before (Han et al. 2016); "
    "dense; zipped; and as a compact file. {export} writes one, reads it back and measures its "
    "accuracy.",
    "speed": "Milliseconds to classify 1 image and 64, in every installed engine ({benchmark}). "
    "Dense engines use every weight; the sparse one skips zeros where that is faster. A pruned "
    "net can be slower, and then it says so.",
    "costs": "What each layer costs, as in Han et al. (2015): its weights, its FLOPs (a MAC is "
    "two), the share of its inputs that are not zero, and the share of multiplications where "
    "neither weight nor input is zero.",
    "predictions": "Test images, and what the pruned net takes them for while you change the "
    "sparsities. {predictions} again shows those that it newly gets wrong, {more-predictions} the "
    "next ones.",
    "confusion": "How often the pruned net takes one class for another, on the test images: a row "
    "for each true class, a column for each predicted one.",
}
"""What each plot of the main screen shows."""
