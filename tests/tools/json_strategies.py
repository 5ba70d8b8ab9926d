"""Any JSON that strict readers take, as strategies of hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

strings = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | strings,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(strings, inner, max_size=4),
    max_leaves=10,
)  # fmt: skip
