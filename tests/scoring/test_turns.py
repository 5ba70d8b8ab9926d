"""Whose turn it is: batches of the stream first, nothing lost, and always room for the stream."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import ModelError
from service.scoring.turns import Turns, Work

if TYPE_CHECKING:
    from collections.abc import Callable

STREAM_MAX = 1


def _work() -> Work:
    return Work(lambda _engine: None, Future())


def test_the_stream_goes_first() -> None:
    """Whichever came first."""
    turns, aside, batch = Turns(STREAM_MAX), _work(), _work()
    turns.put_request(aside)
    turns.put(batch)

    assert [batch, aside] == [turns.take(), turns.take()]


def test_nothing_from_aside_takes_the_streams_place() -> None:
    """One waits, and no second; the stream's place is free all the same."""
    turns = Turns(STREAM_MAX)
    turns.put_request(_work())

    with pytest.raises(queue.Full):
        turns.put_request(_work())
    turns.put(_work())
    with pytest.raises(queue.Full):
        turns.put(_work())


@pytest.mark.parametrize("put", [Turns.put, Turns.put_request])
def test_what_nobody_waits_for_makes_room(put: Callable[[Turns, Work], None]) -> None:
    """What was given up is replaced, and never run."""
    turns, given_up, next_one = Turns(STREAM_MAX), _work(), _work()
    put(turns, given_up)
    assert given_up.future.cancel()
    put(turns, next_one)

    assert next_one is turns.take()


def test_what_was_taken_is_not_cancelled() -> None:
    """Its outcome has somewhere to go."""
    turns, work = Turns(STREAM_MAX), _work()
    turns.put_request(work)
    turns.take()

    assert not work.future.cancel()


def test_the_end_is_told_to_all_that_wait() -> None:
    """And to all that come later."""
    turns, waiting = Turns(STREAM_MAX), [_work(), _work()]
    turns.put(waiting[0])
    turns.put_request(waiting[1])
    turns.end()
    turns.end()

    for work in waiting:
        with pytest.raises(ModelError, match="ended"):
            work.future.result(timeout=0)
    for put in (turns.put, turns.put_request):
        with pytest.raises(ModelError, match="ended"):
            put(_work())
    assert turns.take() is None


def test_a_waiting_thread_is_woken() -> None:
    """By a batch, by something from aside, and by the end."""
    turns, taken = Turns(STREAM_MAX), queue.Queue[Any]()

    def run() -> None:
        while (work := turns.take()) is not None:
            taken.put(work)
        taken.put(None)

    thread = threading.Thread(target=run)
    thread.start()
    batch, aside = _work(), _work()
    turns.put(batch)
    assert batch is taken.get(timeout=10)
    turns.put_request(aside)
    assert aside is taken.get(timeout=10)
    turns.end()
    assert taken.get(timeout=10) is None
    thread.join()


@given(st.lists(st.sampled_from(["put", "put_request", "give_up", "take"]), max_size=60))
def test_in_any_order(steps: list[str]) -> None:
    """Each thing is taken once, given up, refused, or still there; the stream's in their order.

    The stream is refused only when as many of its own wait as may, whatever comes from aside; and
    nothing from aside is taken while one of the stream waits.
    """
    turns = Turns(STREAM_MAX)
    stream: list[Work] = []
    aside: list[Work] = []
    for step in steps:
        work = _work()
        if step == "put":
            full = len(stream) == STREAM_MAX
            assert full is _refused(turns.put, work)
            stream += [] if full else [work]
        elif step == "put_request":
            full = bool(aside)
            assert full is _refused(turns.put_request, work)
            aside += [] if full else [work]
        elif step == "give_up" and aside:
            assert aside.pop().future.cancel()
        elif step == "take" and (stream or aside):
            assert (stream or aside).pop(0) is turns.take()
    turns.end()
    for work in [*stream, *aside]:
        assert isinstance(work.future.exception(timeout=0), ModelError)


def _refused(put: Any, work: Work) -> bool:
    try:
        put(work)
    except queue.Full:
        return True
    return False
