"""The title line and the title of the window: net, data set, base, recipe and protocol."""

from core.criteria.names import MAGNITUDE
from core.data.registry import short_data_name
from core.settings.recipe_changes import NO_CHANGES
from tui.state.layer_rows import shown_filter
from tui.state.state import State
from tui.text.format import plural
from tui.text.lines import Lines, Span, clean, cut
from tui.views.activity import JobProgress, Outcome

PROTOCOL_LABELS = {"default": "", "reference": "reference protocol: choices made on test"}


def title(state: State, width: int) -> Lines:
    """One line."""
    base = f"base: {_base(state)}" if state.base else ""
    settings = state.settings
    facts = [
        _matches(state),
        f"{settings.short_name} on {short_data_name(settings.dataset)}",
        base,
        _recipe(state),
        PROTOCOL_LABELS[settings.protocol],
    ]
    name = " Featherweight "
    rest = "  " + " · ".join(filter(None, facts))
    return ((Span(name, "brand"), Span(cut(rest, width - len(name)), "plain")),)


def window_title(shown: JobProgress | Outcome, net: str) -> str:
    """The title of the terminal's window: the net, or what runs and how far it is."""
    if isinstance(shown, Outcome):
        return f"featherweight · {net}"
    done = None if shown.stopping else shown.meter.done
    what = "stopping" if shown.stopping else shown.title.partition(" to ")[0]
    return f"featherweight · {what}" + ("" if done is None else f" {int(100 * done)} %")


def _matches(state: State) -> str:
    listing = state.listing
    if not listing.filter:
        return ""
    matches = f"{len(listing.listed)} of {plural(len(listing.layers), 'layer')}"
    return f"/{clean(shown_filter(listing.filter))}: {matches}"


def _recipe(state: State) -> str:
    """The recipe, with an asterisk if it is changed, the method if that is, the criterion if any.

    From a reconstructed net the full plan is in force from the start, whatever the method.
    """
    recipe, changes = state.recipe, state.settings.changes
    changed = "*" * (changes != NO_CHANGES)
    epochs = plural(recipe.epochs, "epoch")
    epochs += f", by {recipe.criterion}" * (recipe.criterion != MAGNITUDE)
    if recipe.reconstruct:
        return f"{recipe.name}{changed} from reconstructed, {epochs}"
    method = f", {recipe.method}" * (changes.method is not None)
    return f"recipe {recipe.name}{changed}{method}, {epochs}"


def _base(state: State) -> str:
    if state.adopted and state.base is not None:
        return "reconstructed" if state.base.reconstructed else "fine-tuned"
    return "dense" if state.base is None or state.base.trained else "dense, untrained"
