"""The tables of settings and of preferences in tui/README.md, which this module prints."""

from core.fields.declaration import Setting
from core.settings.recipe_file import CHANGES, FINETUNE
from core.settings.settings import SETTINGS
from tui.preferences.declared import preferences_table

HEAD = ("key in a recipe file", "option", "meaning", "values", "default")


def settings_table() -> str:
    """A row of Markdown for each setting."""
    rows = [HEAD, tuple("---" for _ in HEAD), *map(_row, SETTINGS.values())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(setting: Setting) -> tuple[str, ...]:
    section = f"{FINETUNE}." if setting.name in CHANGES else ""
    key = f"`{section}{setting.name}`" if setting.portable else "option only"
    kind, flag = setting.kind, setting.flag
    options = f"`{flag}`" if kind.metavar else f"`{flag}`, `--no-{flag[2:]}`"
    return key, options, setting.meaning, kind.description or kind.expected, setting.default_text


if __name__ == "__main__":
    print(settings_table(), preferences_table(), sep="\n\n")
