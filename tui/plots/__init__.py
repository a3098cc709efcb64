"""Plots as pure functions: plain numbers in, lines of text with roles out.

Each plot is a module with a frozen dataclass and `draw(data, width, height)`. A role is a name,
which the screen maps to a color of its theme; nothing here knows of themes, screens or the state.

    histogram, accuracy, sensitivity, parameters, size, files, speed, costs    by those names
    falling_curves  the curves of the sensitivity plot
    predictions/    test images, and which classes are taken for which
    runs/           the plots of the history
    drawing/        canvas, axes, bars, numbers: what plots are made of
"""
