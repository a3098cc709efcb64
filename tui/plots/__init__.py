"""Plots as pure functions: plain numbers in, lines of text with roles out.

Each plot is a module with a frozen dataclass and `draw(data, width, height)`: change it to change
how a plot looks. What of the state a plot of the main screen gets is decided in
`tui.views.plot_data`, for the history in `tui.views.run_plots`; nothing here knows of the state or
of screens. A role is a name; `tui/colors.tcss` gives each its color.

    histogram, accuracy, sensitivity, files, speed, costs    by those names
    layer_bars          parameters and size per layer
    sensitivity_curves  the chart of the sensitivity plot
    predictions/    test images with predictions, and the confusion of classes
    runs/           the plots of the history
    drawing/        canvas, axes, curves, numbers
"""
