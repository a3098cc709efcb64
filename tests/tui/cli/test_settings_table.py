"""The tables of options in tui/README.md agree with the declarations."""

from __future__ import annotations

import re
from argparse import Action, ArgumentParser
from pathlib import Path

import tui
from core.settings.settings import SETTINGS
from tui.cli.add_options import COMMANDS, add_command_options, add_demo, add_serve
from tui.cli.settings_table import settings_table

README = Path(tui.__file__).with_name("README.md")
BEGIN, END = "<!-- settings -->\n", "<!-- /settings -->"


def test_the_readme_has_the_table_of_the_declarations() -> None:
    """`python -m tui.cli.settings_table` prints what belongs between the marks."""
    text = README.read_text(encoding="utf-8")
    assert (text.count(BEGIN), text.count(END)) == (1, 1)
    table = text.partition(BEGIN)[2].partition(END)[0]
    assert table.strip() == settings_table()


def test_every_setting_has_a_row_with_no_empty_cell() -> None:
    _, rule, *rows = (line.strip("| ").split(" | ") for line in settings_table().splitlines())
    assert len(rows) == len(SETTINGS)
    for declared, row in zip(SETTINGS.values(), rows, strict=True):
        assert len(row) == len(rule)
        assert all(row)
        assert declared.flag in row[1]
        assert declared.name in row[0] or not declared.portable


SHOWS = {"demo": add_demo, "serve": add_serve}
"""The commands that open the program in another way."""

OF_THE_PROGRAM = ("--experiment", "--theme", "--ascii")


def own_options() -> dict[tuple[str, str], Action]:
    """The options of each command that are no settings, by command and flag."""
    shared, options = {"--help", "-h", *(setting.flag for setting in SETTINGS.values())}, {}
    for name in (*COMMANDS, *SHOWS):
        parser = ArgumentParser()
        if name in SHOWS:
            SHOWS[name](parser)
        else:
            add_command_options(parser, name)
        for flag, action in parser._option_string_actions.items():
            known = {*shared, *OF_THE_PROGRAM} if name in SHOWS else shared
            if flag not in known and flag.replace("--no-", "--") not in known:
                options[name, flag] = action
    return options


def described_options() -> dict[tuple[str, str], str]:
    """What the table of other options says of each option of a command."""
    described = {}
    section = README.read_text(encoding="utf-8").partition("### Other options\n")[2]
    for line in section.partition("\n## ")[0].splitlines():
        if line.startswith("| `--") and "| the program" not in line:
            option, names, meaning = line.strip("| ").split(" | ")
            for name in COMMANDS if names == "all" else re.findall(r"`(\w+)`", names):
                described[name, option.strip("`").split()[0]] = meaning
    return described


def test_the_readme_has_the_other_options_with_their_defaults_and_ranges() -> None:
    options, described = own_options(), described_options()
    assert described.keys() == options.keys()
    for key, action in options.items():
        text, meaning = action.help or "", described[key]
        default = re.search(r"default: ([^\s,;)]+)", text)
        assert default is None or default[1] in meaning, key
        setting = getattr(action, "setting", None)
        known = f"{text} {setting.kind.values}" if setting else text
        number = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")
        assert set(number.findall(meaning)) <= set(number.findall(known)), key
