"""Turns on the inference thread: batches first, nothing lost, and always room for the stream."""

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
    """Even if the request was added first."""
    turns, request, batch = Turns(STREAM_MAX), _work(), _work()
    turns.put_request(request)
    turns.put(batch)

    assert [batch, request] == [turns.take(), turns.take()]


def test_a_request_does_not_take_the_streams_place() -> None:
    """One request may wait, and a batch of the stream beside it."""
    turns = Turns(STREAM_MAX)
    turns.put_request(_work())

    with pytest.raises(queue.Full):
        turns.put_request(_work())
    turns.put(_work())
    with pytest.raises(queue.Full):
        turns.put(_work())


@pytest.mark.parametrize("put", [Turns.put, Turns.put_request])
def test_cancelled_work_makes_room(put: Callable[[Turns, Work], None]) -> None:
    """It is replaced, and never run."""
    turns, cancelled, next_one = Turns(STREAM_MAX), _work(), _work()
    put(turns, cancelled)
    assert cancelled.future.cancel()
    put(turns, next_one)

    assert next_one is turns.take()


def test_work_that_was_taken_cannot_be_cancelled() -> None:
    """So that its result can be set."""
    turns, work = Turns(STREAM_MAX), _work()
    turns.put_request(work)
    turns.take()

    assert not work.future.cancel()


def test_the_end_fails_all_work_that_waits() -> None:
    """And all that is added later."""
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
    """By a batch, by a request, and by the end."""
    turns, taken = Turns(STREAM_MAX), queue.Queue[Any]()

    def run() -> None:
        while (work := turns.take()) is not None:
            taken.put(work)
        taken.put(None)

    thread = threading.Thread(target=run)
    thread.start()
    batch, request = _work(), _work()
    turns.put(batch)
    assert batch is taken.get(timeout=10)
    turns.put_request(request)
    assert request is taken.get(timeout=10)
    turns.end()
    assert taken.get(timeout=10) is None
    thread.join()


@given(st.lists(st.sampled_from(["put", "put_request", "cancel", "take"]), max_size=60))
def test_in_any_order(steps: list[str]) -> None:
    """All work is taken once, cancelled, refused, or still waiting; batches in their order.

    A batch is refused only when STREAM_MAX batches wait, whatever requests do; and no request is
    taken while a batch waits.
    """
    turns = Turns(STREAM_MAX)
    stream: list[Work] = []
    requests: list[Work] = []
    for step in steps:
        work = _work()
        if step == "put":
            full = len(stream) == STREAM_MAX
            assert full is _refused(turns.put, work)
            stream += [] if full else [work]
        elif step == "put_request":
            full = bool(requests)
            assert full is _refused(turns.put_request, work)
            requests += [] if full else [work]
        elif step == "cancel" and requests:
            assert requests.pop().future.cancel()
        elif step == "take" and (stream or requests):
            assert (stream or requests).pop(0) is turns.take()
    turns.end()
    for work in [*stream, *requests]:
        assert isinstance(work.future.exception(timeout=0), ModelError)


def _refused(put: Any, work: Work) -> bool:
    try:
        put(work)
    except queue.Full:
        return True
    return False
