"""What Ray's errors say of a trial: a failure of its own, or a lost worker."""

from __future__ import annotations

import pytest
from ray import ObjectRef, exceptions
from ray.exceptions import RayTaskError

from core.executors.ray_cluster.connection import last_line
from core.executors.ray_cluster.executor import ending
from core.executors.tasks import Failed, Lost

OBJECT = ObjectRef.from_random().hex()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (exceptions.NodeDiedError("gone. Long ago"), Lost("NodeDiedError: gone", True)),
        (exceptions.ObjectLostError(OBJECT, "", ""), True),
        (exceptions.OwnerDiedError(OBJECT, "", ""), True),
        (exceptions.ObjectFetchTimedOutError(OBJECT, "", ""), True),
        (RayTaskError("run", "", exceptions.ObjectLostError(OBJECT, "", "")), True),
        (exceptions.OutOfMemoryError("low"), Lost("OutOfMemoryError: low")),
        (exceptions.WorkerCrashedError(), False),
        (exceptions.RuntimeEnvSetupError("slow"), False),
        (RayTaskError("run", "", ZeroDivisionError("by zero\nhere")), Failed("by zero")),
    ],
)
def test_only_what_the_task_itself_raises_is_a_failure(
    error: exceptions.RayError, expected: Failed | Lost | bool
) -> None:
    ended = ending(error, exceptions)
    if isinstance(expected, bool):
        assert isinstance(ended, Lost)
        assert ended.with_node == expected
    else:
        assert ended == expected


def test_what_was_raised_in_a_task_is_named_without_the_traceback() -> None:
    trace = "Traceback:\n  in run\nModuleNotFoundError: No module named 'core'\n"
    error = RayTaskError("run", trace, ImportError("no"))
    assert last_line(error) == "ModuleNotFoundError: No module named 'core'"
