"""Plots as pure functions: plain numbers in, lines of text with roles out.

Each plot is a module with a frozen dataclass and functions of it: `title(data)` for a frame or a
rule, `draw(data, width, height, hint, view)`, which leaves the title out where `view` says so and
shows a cursor, and `table(data)`, its numbers for the cursor and for CSV files.
`tui.views.plot_data` prepares the data for the main screen and `tui.views.run_plots` for the
history; nothing here knows the state or the screens. A role is a name; `tui/colors.tcss` gives
each its color.

    histogram, accuracy, sensitivity, files, speed, costs    the plots of those names
    layer_bars          parameters and size per layer
    sensitivity_curves  the chart of the sensitivity plot for a few layers
    sensitivity_map     its heat map for many
    view, subject       how a plot is shown: title, cursor, scale; a plot for the whole screen
    data_table          the numbers behind a plot: read out, written as CSV
    predictions/    test images with predictions, and the confusion of classes
    runs/           the plots of the history
    drawing/        what plots are drawn with: canvas, axes, curves, numbers
    export/         plots as SVG and PNG files
"""
