"""Data sets: downloaded once, verified by SHA-256 at every load, split in three.

    registry   the known data sets: files, SHA-256, sources
    loading    `load` and `fetch`, streams of events (see `core.events`)
    splits     train, validation and test under a protocol
    batches    a split as tensors, normalized one batch at a time
    inputs     image settings: size, channels, normalization
    image_shape   the shape of the images, before they are loaded
    idx        the format of MNIST's files
    sources/   where files come from: cache, mirrors, package
    folders/   image folders by class, decoded once and cached on disk

`registry` and `inputs` load no NumPy.
"""
