"""Runs of bounded size: all of it, in order, and in as few as can be."""

from __future__ import annotations

from itertools import chain, pairwise

from hypothesis import given
from hypothesis import strategies as st

from service.sequences import split_by_size


@given(st.lists(st.text("a", max_size=9), max_size=20), st.integers(1, 12))
def test_runs_hold_everything_within_the_bound(items: list[str], size_max: int) -> None:
    """Only what is larger by itself is beyond it, and alone; nothing gives no run."""
    cut = list(split_by_size(items, size_max))

    assert items == list(chain(*cut))
    assert all(run and (len("".join(run)) <= size_max or len(run) == 1) for run in cut)
    # Whatever begins a run would not have gone into the one before.
    assert all(len("".join(a)) + len(b[0]) > size_max for a, b in pairwise(cut))


def test_a_size_may_be_anything() -> None:
    """By default it is the length."""
    assert [[1, 2], [3], [9], [1]] == list(split_by_size([1, 2, 3, 9, 1], 4, lambda number: number))
