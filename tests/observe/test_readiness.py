"""The reasons of the probes, state by state."""

from __future__ import annotations

import pytest

from service.errors import RetriableError
from service.observe.health import Readiness, not_alive


def test_each_state_has_its_reason() -> None:
    """From loading the model to ready, and back where the broker or the assignment is gone."""
    readiness = Readiness()
    assert readiness.reason() == "the model is being loaded"
    readiness.mark_model_loaded()
    assert readiness.reason() == "the group is not joined yet"
    readiness.mark_unavailable(RetriableError("no broker answers"))
    assert readiness.reason() == "no broker answers"
    readiness.mark_joining()
    assert readiness.reason() == "the group is being joined"
    readiness.mark_ready()
    assert readiness.reason() is None
    readiness.mark_joining()
    assert readiness.reason() == "the group is being joined"


def test_a_service_that_stops_enters_no_other_state() -> None:
    """A monitor that is late cannot make it ready again."""
    readiness = Readiness()
    readiness.mark_ready()
    readiness.mark_stopping()
    readiness.mark_ready()
    readiness.mark_joining()
    readiness.mark_model_loaded()
    readiness.mark_unavailable(RetriableError("no broker answers"))
    assert readiness.reason() == "the service is stopping"


@pytest.mark.parametrize(
    ("busy_s", "thread_ended", "reason"),
    [
        (0.0, False, None),
        (60.0, False, None),
        (61.0, False, "the model has not answered for 61 s"),
        (0.0, True, "the inference thread has ended"),
        (61.0, True, "the inference thread has ended"),
    ],
)
def test_a_stalled_or_ended_model_is_not_alive(
    busy_s: float, thread_ended: bool, reason: str | None
) -> None:
    """Busy for longer than the timeout; exactly as long is still alive."""
    assert reason == not_alive(busy_s, 60.0, thread_ended=thread_ended)
