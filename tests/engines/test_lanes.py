"""Parts of a batch side by side: all of them, wherever one fails."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.engines.lanes import Lane, shares, side_by_side


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


@given(st.lists(st.integers(1, 512), max_size=40), st.integers(1, 4))
def test_shares_hold_each_thing_once_and_weigh_about_the_same(sizes: list[int], count: int) -> None:
    """What is last laid on the largest was laid there when it was the smallest."""
    found = shares(sizes, count)

    assert sorted(index for share in found for index in share) == list(range(len(sizes)))
    assert len(found) == max(1, min(count, len(sizes)))
    assert all(found) or found == [[]]
    sums = [sum(sizes[index] for index in share) for share in found]
    for share, total in zip(found, sums, strict=True):
        assert not share or total - sizes[share[-1]] <= min(sums)


def test_the_largest_share_of_a_few_texts_is_hardly_larger() -> None:
    """Every second one by length, as before, would be 53 to 37."""
    assert [sum(share) for share in _sized([5, 9, 12, 18, 20, 26])] == [47, 43]


def _sized(sizes: list[int]) -> list[list[int]]:
    return [[sizes[index] for index in share] for share in shares(sizes, 2)]
