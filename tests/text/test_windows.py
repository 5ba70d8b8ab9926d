"""Windows cover all of a text, and its end is the last sentence."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.windows import (
    END_TOKENS_MAX,
    END_TOKENS_MIN,
    OVERLAP_TOKENS,
    cut,
    end_of,
)

STOP = 9


@given(st.integers(0, 5000), st.integers(4, 600))
def test_windows_cover_everything(count: int, size: int) -> None:
    """In order, none longer than `size`, each overlapping the next by the same number of tokens."""
    windows = cut(count, size)

    assert (0, count) == (windows[0][0], windows[-1][1])
    assert all(end - begin <= size for begin, end in windows)
    overlap = min(OVERLAP_TOKENS, size // 4)
    assert {overlap} >= {a[1] - b[0] for a, b in pairwise(windows)}


@given(st.integers(1, 5000), st.integers(4, 600))
def test_windows_are_few_and_of_equal_length(count: int, size: int) -> None:
    """One window less would not cover the text, and their lengths differ only by rounding."""
    lengths = [end - begin for begin, end in cut(count, size)]
    overlap = min(OVERLAP_TOKENS, size // 4)

    assert max(lengths) - min(lengths) <= 2
    assert len(lengths) == 1 or (len(lengths) - 1) * (size - overlap) + overlap < count


def test_one_window_is_the_text() -> None:
    """Up to the most tokens that fit."""
    assert [(0, 510)] == cut(510, 510)
    assert [(0, 288), (224, 511)] == cut(511, 510)


@pytest.mark.parametrize(
    ("before", "last", "length"),
    [
        (40, END_TOKENS_MIN, END_TOKENS_MIN),
        (40, END_TOKENS_MIN - 1, END_TOKENS_MAX),
        (10, END_TOKENS_MIN - 1, 10 + END_TOKENS_MIN - 1),
        (40, END_TOKENS_MAX, END_TOKENS_MAX),
        (40, END_TOKENS_MAX + 1, END_TOKENS_MAX),
    ],
)
def test_the_end_is_the_last_sentence(before: int, last: int, length: int) -> None:
    """A short last sentence is the end together with the one before, a long one only in part."""
    tokens = [*[1] * 50, STOP, *[1] * (before - 1), STOP, *[1] * (last - 1), STOP]
    assert length == len(tokens) - end_of(tokens, {STOP}, 100)


@given(st.lists(st.sampled_from([1, STOP]), min_size=5, max_size=100), st.integers(4, 100))
def test_an_end_is_bounded(tokens: list[int], size: int) -> None:
    """It is within its limits, and starts at a sentence if one starts there."""
    begin = end_of(tokens, {STOP}, size)
    longest = min(END_TOKENS_MAX, size, len(tokens))

    assert min(END_TOKENS_MIN, longest) <= len(tokens) - begin <= longest
    assert len(tokens) - begin == longest or tokens[begin - 1] == STOP
