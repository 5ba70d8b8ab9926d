"""Parts of a batch run in parallel: all of them end, whichever fails."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.engines.lanes import Lane, balanced_parts, run_in_parallel


def test_all_run_at_the_same_time_on_threads_of_their_own() -> None:
    """The first on the caller's thread; each waits for the others, so a sequence would hang."""
    together = threading.Barrier(3, timeout=30)
    threads: list[str] = []

    def work() -> None:
        together.wait()
        threads.append(threading.current_thread().name)

    run_in_parallel([Lane(), Lane()], [work] * 3)

    assert 2 == threads.count("inference-lane")
    assert 1 == threads.count(threading.current_thread().name)


@pytest.mark.parametrize("failing", [0, 1])
def test_an_error_is_raised_when_the_others_have_ended(failing: int) -> None:
    """No work of a failed batch may still run when the next batch comes."""
    lane = Lane()
    ended = threading.Event()

    def fail() -> None:
        raise ValueError("no")

    works = [ended.set, ended.set]
    works[failing] = fail

    with pytest.raises(ValueError, match="no"):
        run_in_parallel([lane], works)

    assert ended.is_set()
    ended.clear()
    run_in_parallel([lane], [lambda: None, ended.set])
    assert ended.is_set()


def test_fewer_parts_than_lanes() -> None:
    """A single text needs no lane."""
    done: list[int] = []

    run_in_parallel([Lane(), Lane()], [lambda: done.append(1)])

    assert [1] == done


@given(st.lists(st.integers(1, 512), max_size=40), st.integers(1, 4))
def test_parts_have_each_item_once_and_about_equal_sums(sizes: list[int], count: int) -> None:
    """The last item of the largest part came to it when it was the smallest part."""
    found = balanced_parts(sizes, count)

    assert sorted(index for part in found for index in part) == list(range(len(sizes)))
    assert len(found) == max(1, min(count, len(sizes)))
    assert all(found) or found == [[]]
    sums = [sum(sizes[index] for index in part) for part in found]
    for part, total in zip(found, sums, strict=True):
        assert not part or total - sizes[part[-1]] <= min(sums)


def test_the_larger_part_of_a_few_texts_is_hardly_larger() -> None:
    """Taking every second text by length would give 53 to 37."""
    assert [sum(part) for part in _sized([5, 9, 12, 18, 20, 26])] == [47, 43]


def _sized(sizes: list[int]) -> list[list[int]]:
    return [[sizes[index] for index in part] for part in balanced_parts(sizes, 2)]
