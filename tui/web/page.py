"""The page: textual-serve's, without requests to other servers, and ready for keys at once."""

import re

_OTHERS = re.compile(r"<link[^>]*googleapis[^>]*>")
"""Its font from another server, which this one has as well."""

_FONT = """<style>
@font-face {{
  font-family: "Roboto Mono";
  src: url("{static}fonts/RobotoMono-VariableFont_wght.ttf");
}}
</style>"""

_FOCUS = """<script>
const focusing = setInterval(() => {
  const keys = document.querySelector(".xterm-helper-textarea");
  if (keys) { keys.focus(); clearInterval(focusing); }
}, 50);
</script>"""
"""Without it, keys do nothing until somebody clicks on the terminal."""


def own_page(html: str, static: str) -> str:
    """The page of a server whose files are at the address `static`."""
    font = _FONT.format(static=static)
    page = _OTHERS.sub(lambda _: font, html)
    return page.replace("</body>", f"{_FOCUS}</body>", 1)
