"""The keys of a plot on the whole screen."""

from tui.keys.key import Key, of_screen

CURSOR, PLOT = "Cursor", "Plot"

KEYS = of_screen("plot",
    Key("left", "←", "cursor(-1, 0)", "point before", "Move the cursor to the point before",
        CURSOR),
    Key("right", "→", "cursor(1, 0)", "next point", "Move the cursor to the next point", CURSOR,
        footer=8),
    Key("up,k", "↑ k", "cursor(0, -1)", "series above",
        "Read the series above, or the row above", CURSOR),
    Key("down,j", "↓ j", "cursor(0, 1)", "series below",
        "Read the series below, or the row below", CURSOR, footer=7),
    Key("shift+left,left_square_bracket", "Shift+← [", "cursor(-10, 0)", "10 back",
        "Move the cursor 10 points back", CURSOR),
    Key("shift+right,right_square_bracket", "Shift+→ ]", "cursor(10, 0)", "10 on",
        "Move the cursor 10 points on", CURSOR),
    Key("home", "Home", "cursor(-1000000, 0)", "first", "Move the cursor to the first point",
        CURSOR),
    Key("end", "End", "cursor(1000000, 0)", "last", "Move the cursor to the last point", CURSOR),
    Key("backspace", "Backspace", "no_cursor", "hide cursor", "Hide the cursor", CURSOR),
    Key("l", "l", "scale", "log scale", "Switch between a linear and a logarithmic scale", PLOT,
        footer=5),
    Key("e", "e", "export", "export",
        "Write the plot to an SVG or PNG file, or its data to a CSV file", PLOT, footer=6),
    Key("v", "v", "step(1)", "plot", "Show the next plot", PLOT, footer=4, id="next-plot"),
    Key("V", "V", "step(-1)", "previous plot", "Show the previous plot", PLOT),
    Key("question_mark,f1", "?", "help", "help", "Explain every key (also F1)", PLOT, footer=3),
    Key("escape,F,enter,q", "Esc", "leave", "back", "Go back (also F, Enter and q)", PLOT,
        footer=10),
)  # fmt: skip
