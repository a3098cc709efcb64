"""The plots of the main screen: what each one takes from the state.

    registry    every plot in order: name, title, what fills it, when it changes, how it is drawn
    NAME        the data of the plot of that name

Drawing them is for `tui.plots`, which knows numbers but no state.
"""
