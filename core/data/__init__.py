"""Data sets: downloaded once, verified by their digests at every load, split in three.

    registry   the known data sets: files, sources, normalization
    loading    `load` and `fetch`, streams of events (see `core.events`)
    class_names   what the classes of known data sets are called
    sending    the images for a machine that lacks them
    splits     train, validation and test under a protocol
    batches    a split as tensors, normalized one batch at a time
    inputs     image settings: size, channels, normalization
    counts     classes and channels, known before the images are loaded
    image_shape   the shape of the images, before they are loaded
    sources/   where files come from: cache, mirrors, package
    formats/   what files hold: IDX, CIFAR's pickles, SVHN's MATLAB files
    folders/   image folders by class, decoded once and cached on disk

`registry` and `inputs` load no NumPy.
"""
