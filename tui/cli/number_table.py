"""Tables of numbers as the commands print them."""

from rich.table import Table


def number_table(*columns: str, names: bool = True) -> Table:
    """A borderless table of numbers, aligned right; its first column holds names by default."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for place, heading in enumerate(columns):
        is_name = names and place == 0
        table.add_column(heading, justify="left" if is_name else "right", no_wrap=True)
    return table
