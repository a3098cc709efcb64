"""Large numbers and sizes, each in its unit."""

Units = tuple[tuple[float, str], ...]
COUNTS: Units = ((1e9, "G"), (1e6, "M"), (1e3, "K"), (1, ""))
BYTES: Units = ((2.0**30, " GiB"), (2.0**20, " MiB"), (2.0**10, " KiB"), (1, " B"))


def unit(number: float, units: Units) -> tuple[float, str]:
    """The largest unit that a number has at least one of, and its name."""
    return next(((amount, name) for amount, name in units if number >= amount), units[-1])


def short(number: float) -> str:
    """A number in its unit, with a decimal if useful.

    Examples:
        >>> short(950), short(25_600), short(102_760_448)
        ('950', '25.6K', '102.8M')
    """
    amount, name = unit(number, COUNTS)
    text = f"{number:.0f}" if amount == 1 else f"{number / amount:,.1f}".removesuffix(".0")
    return text + name


def size(number: float) -> str:
    """A number of bytes in its unit.

    Examples:
        >>> size(812), size(24_170), size(12_582_912)
        ('812 B', '23.6 KiB', '12.0 MiB')
    """
    amount, name = unit(number, BYTES)
    return f"{number / amount:,.{int(amount > 1)}f}{name}"
