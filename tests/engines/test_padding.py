"""Sequences divided into runs of bounded size: each once, and none too large."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.engines.padding import equal_runs, padded_runs

END = 1
lists_of_lengths = st.lists(st.integers(0, 600), max_size=60)


@given(lists_of_lengths, st.integers(1, 3000))
def test_padded_runs(lengths: list[int], limit: int) -> None:
    """Every sequence is in one run, shortest first, and no run of several is too large."""
    runs = list(padded_runs([[0] * length for length in lengths], limit))
    order = [index for indices in runs for index in indices]
    assert sorted(order) == [index for index, length in enumerate(lengths) if length]
    assert [lengths[index] for index in order] == sorted(length for length in lengths if length)
    for indices in runs:
        longest = max(lengths[index] for index in indices)
        assert len(indices) == 1 or len(indices) * longest <= limit


@given(lists_of_lengths, st.integers(1, 3000))
def test_equal_runs(lengths: list[int], limit: int) -> None:
    """Every sequence is in one run, of sequences of its length, and no run is too large."""
    runs = list(equal_runs([[0] * length for length in lengths], limit))
    order = sorted(index for indices in runs for index in indices)
    assert order == [index for index, length in enumerate(lengths) if length]
    for indices in runs:
        assert 1 == len({lengths[index] for index in indices})
        assert len(indices) == 1 or len(indices) * lengths[indices[0]] <= limit


def test_equal_runs_have_the_end_equally_often() -> None:
    """A user can write the token that ends a text."""
    sequences = [[0, END], [END, END], [END, 0], [0, 0]]
    assert [[3], [0, 2], [1]] == list(equal_runs(sequences, 100, END))
