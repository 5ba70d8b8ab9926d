"""Parts of bounded size: every item, in order, in as few parts as possible."""

from __future__ import annotations

from itertools import chain, pairwise

from hypothesis import given
from hypothesis import strategies as st

from service.sequences import split_by_size


@given(st.lists(st.text("a", max_size=9), max_size=20), st.integers(1, 12))
def test_parts_hold_every_item_within_the_bound(items: list[str], size_max: int) -> None:
    """Only a single larger item exceeds it, in a part by itself; no items give no part."""
    cut = list(split_by_size(items, size_max))

    assert items == list(chain(*cut))
    assert all(run and (len("".join(run)) <= size_max or len(run) == 1) for run in cut)
    # The first item of a part does not fit into the part before.
    assert all(len("".join(a)) + len(b[0]) > size_max for a, b in pairwise(cut))
