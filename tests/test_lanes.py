"""Parts of a batch side by side: all of them, wherever one fails."""

from __future__ import annotations

import threading

import pytest

from service.engines.lanes import Lane, side_by_side


def test_all_run_at_the_same_time_on_threads_of_their_own() -> None:
    """The first on the caller's; each waits for the others, which one after another never ends."""
    together = threading.Barrier(3, timeout=30)
    threads: list[str] = []

    def work() -> None:
        together.wait()
        threads.append(threading.current_thread().name)

    side_by_side([Lane(), Lane()], [work] * 3)

    assert 2 == threads.count("inference-lane")
    assert 1 == threads.count(threading.current_thread().name)


@pytest.mark.parametrize("failing", [0, 1])
def test_an_error_is_raised_when_the_others_have_ended(failing: int) -> None:
    """Nothing of a failed batch may still be running when the next one comes."""
    lane = Lane()
    ended = threading.Event()

    def fail() -> None:
        raise ValueError("no")

    works = [ended.set, ended.set]
    works[failing] = fail

    with pytest.raises(ValueError, match="no"):
        side_by_side([lane], works)

    assert ended.is_set()
    ended.clear()
    side_by_side([lane], [lambda: None, ended.set])
    assert ended.is_set()


def test_fewer_parts_than_lanes() -> None:
    """A text alone needs none of them."""
    done: list[int] = []

    side_by_side([Lane(), Lane()], [lambda: done.append(1)])

    assert [1] == done
