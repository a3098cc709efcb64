"""The tables of settings and of preferences in tui/README.md, which this module prints."""

from collections.abc import Iterable

from core.fields.declaration import Setting
from core.settings.recipe_file import CHANGES, FINETUNE
from core.settings.settings import SETTINGS
from tui.preferences.declared import PREFERENCES, variable

Row = tuple[str, ...]


def settings_table() -> str:
    """A row of Markdown for each setting."""
    head = ("key in a recipe file", "option", *_HEAD)
    return _table(head, ((_key(each), *_row(each)) for each in SETTINGS.values()))


def preferences_table() -> str:
    """A row of Markdown for each preference."""
    head = ("key", "environment variable", "option", *_HEAD)
    rows = (
        (f"`{each.name}`", f"`{variable(each.name)}`", *_row(each)) for each in PREFERENCES.values()
    )
    return _table(head, rows)


_HEAD = ("meaning", "values", "default")


def _key(setting: Setting) -> str:
    section = f"{FINETUNE}." if setting.name in CHANGES else ""
    return f"`{section}{setting.name}`" if setting.portable else "option only"


def _row(setting: Setting) -> Row:
    kind, flag = setting.kind, setting.flag
    option = f"`{flag}`" if kind.metavar else f"`{flag}`, `--no-{flag[2:]}`"
    return option, setting.meaning, kind.description or kind.expected, setting.default_text


def _table(head: Row, rows: Iterable[Row]) -> str:
    lines = (head, tuple("---" for _ in head), *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    print(settings_table(), preferences_table(), sep="\n\n")
