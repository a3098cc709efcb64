"""The plots of the main screen: the data each one takes from the state.

    registry    every plot in order
    NAME        the data of the plot of that name

`tui.plots` draws them; it knows numbers but no state.
"""
