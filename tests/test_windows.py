"""Windows cover all of a text, and speak for it together."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.windows import OVERLAP_TOKENS, cut, joined

if TYPE_CHECKING:
    from service.windows import Rule


@given(st.integers(0, 5000), st.integers(4, 600))
def test_windows_cover_everything(count: int, size: int) -> None:
    """In order, none longer than the model takes, each sharing the set overlap with the next."""
    windows = cut(count, size)

    assert (0, count) == (windows[0][0], windows[-1][1])
    assert all(end - begin <= size for begin, end in windows)
    overlap = min(OVERLAP_TOKENS, size // 4)
    assert {overlap} >= {a[1] - b[0] for a, b in pairwise(windows)}


@given(st.integers(1, 5000), st.integers(4, 600))
def test_windows_are_few_and_alike(count: int, size: int) -> None:
    """One less would not cover it, and the shortest is as long as the longest, but for rounding."""
    lengths = [end - begin for begin, end in cut(count, size)]
    overlap = min(OVERLAP_TOKENS, size // 4)

    assert max(lengths) - min(lengths) <= 2
    assert len(lengths) == 1 or (len(lengths) - 1) * (size - overlap) + overlap < count


def test_one_window_is_the_text() -> None:
    """Up to the last token that the model takes."""
    assert [(0, 510)] == cut(510, 510)
    assert [(0, 288), (224, 511)] == cut(511, 510)


def test_single_windows_are_not_computed_with() -> None:
    """What was one run of the model stays that, to the last bit."""
    logits = np.array([[0.1, 0.2], [3.3, -1.7]], np.float32)
    assert joined(logits, [[5], [9]]) is logits


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("mean", [1.0, 2.0]), ("weighted", [0.0, 0.5]), ("strongest", [3.0, 5.0])],
)
def test_rules(rule: Rule, expected: list[float]) -> None:
    """By hand: the second of three texts has two windows."""
    logits = np.array([[9, 9], [-1, -1], [3, 5], [7, 1]], np.float32)
    found = joined(logits, [[4], [30, 10], [4]], rule)

    assert [[9.0, 9.0], [7.0, 1.0]] == found[[0, 2]].tolist()
    assert np.float32 == found.dtype
    assert expected == found[1].tolist()
