"""Plots as pure functions: plain numbers in, lines of text with roles out.

Each plot is a module with a frozen dataclass and `draw(data, width, height)`. A role is a name,
which the screen maps to a color of its theme; nothing here knows of themes, screens or the state.

    histogram, accuracy, sensitivity, files, speed, costs    by those names
    layer_bars      parameters and size per layer
    falling_curves  the curves of the sensitivity plot
    predictions/    test images with predictions, and the confusion of classes
    runs/           the plots of the history
    drawing/        canvas, axes, curves, numbers
"""
