"""`featherweight serve`: the program in a browser, by textual-serve.

server      the web server; refuses the pages of others
driver      whether this program is drawn in a browser
"""
