"""`featherweight serve`: the program in a browser, by textual-serve.

server      the web server; refuses the pages of others
page        the page in the browser
driver      whether this program is drawn in a browser
"""
