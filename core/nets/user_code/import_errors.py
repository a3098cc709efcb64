"""Errors of a user's own code that stem from where it lies or what is installed, and what to do."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from core.errors import InputError
from core.nets.builders import EXTRAS
from core.nets.calls import describe
from core.nets.user_code.names import FORMS, is_path, split_name

_OURS = {name: Path(__file__).parents[3] / name for name in ("core", "tui")}
"""The top-level names of this program, which a user's own packages cannot have, and their place."""


def import_error(error: BaseException, name: str, source: str) -> InputError:
    """What to say of an error while importing `source` for the model `name`."""
    if taken := taken_name(error, source):
        return InputError(f"importing {source} raised {describe(error)}: {taken}")
    if isinstance(error, ModuleNotFoundError):
        missing = error.name or source
        if f"{source}.".startswith(f"{missing}."):
            hint = _install(missing) if missing in EXTRAS else f"expected {FORMS}"
            return InputError(f"model '{name}': no module {missing}; {hint}")
        return InputError(f"importing {source} needs {missing}: {_install(missing)}")
    text = f"importing {source} raised {describe(error)}"
    if isinstance(error, ImportError) and "relative import" in str(error) and is_path(source):
        text += _as_module(Path(source).expanduser().resolve(), split_name(name)[1])
    return InputError(text)


def taken_name(error: BaseException, source: str) -> str:
    """A hint if code of `source` asked for a package of the user's and got one of this program."""
    if isinstance(error, AttributeError):
        asked = error.obj.__name__ if isinstance(error.obj, ModuleType) else ""
    else:
        asked = (error.name or "") if isinstance(error, ImportError) else ""
    top = asked.partition(".")[0]
    if top not in _OURS:
        return ""
    folders = [*([Path(source).expanduser().parent] if is_path(source) else []), Path()]
    places = [folder / name for folder in folders for name in (top, f"{top}.py")]
    own = [place for place in places if place.exists() and not place.samefile(_OURS[top])]
    return f"the name {top} belongs to Featherweight; rename {own[0]}" if own else ""


def _as_module(path: Path, attribute: str) -> str:
    """How to name a file that is part of a package, so that its relative imports work."""
    outside = (folder for folder in path.parents if not (folder / "__init__.py").exists())
    root = next(outside, path.parent)
    root = root.parent if root == path.parent else root
    here = Path.cwd()
    start = here if here in (root, *root.parents) else root
    parts = path.relative_to(start).with_suffix("").parts
    if not all(part.isidentifier() for part in parts):
        return ""
    where = "" if start == here else f" in the folder {start}"
    return f": it is part of a package; use --model {'.'.join(parts)}:{attribute}{where}"


def _install(package: str) -> str:
    """How to get a package that is missing."""
    extra = EXTRAS.get(package)
    return f"pip install 'featherweight[{extra}]'" if extra else "install it"
