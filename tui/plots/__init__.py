"""Plots as pure functions: plain numbers in, lines of text with roles out.

Each plot is a module with a frozen dataclass and `draw(data, width, height)`: change it to change
how a plot looks. `tui.views.plot_data` prepares the data for the main screen and
`tui.views.run_plots` for the history; nothing here knows the state or the screens. A role is a
name; `tui/colors.tcss` gives each its color.

    histogram, accuracy, sensitivity, files, speed, costs    the plots of those names
    layer_bars          parameters and size per layer
    sensitivity_curves  the chart of the sensitivity plot for a few layers
    sensitivity_map     its heat map for many
    predictions/    test images with predictions, and the confusion of classes
    runs/           the plots of the history
    drawing/        what plots are drawn with: canvas, axes, curves, numbers
"""
