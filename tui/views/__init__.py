"""Pure functions from the state to lines of text; the widgets put them on the screen."""
