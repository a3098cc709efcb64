"""The help of the history: every key and every sign."""

from tui.keys.history_keys import KEYS
from tui.screens.help import keys_and_meanings
from tui.views.run_table import DENSE, HERE, MARKED, OFF_FRONT, ON_FRONT, STOPPED_EARLY

MEANINGS = f"""\
{ON_FRONT}         on the Pareto front: no other run
          beats it in both size and accuracy
{OFF_FRONT}         beaten by another run
{STOPPED_EARLY}         stopped early by the user
{DENSE}         a dense training
{MARKED}         marked for comparison
{HERE}         its net is on the main screen
search 3  third trial of a search
vs dense  accuracy points above or below its
          dense net (validation or test,
          switched with v)
3/5       epochs done, of those planned
diff      difference between the two runs

The plot shows only runs of the same net,
data and protocol, whose accuracies can be
compared."""

HELP_TEXT = keys_and_meanings(KEYS, "What the signs mean", MEANINGS)
