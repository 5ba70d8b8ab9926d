"""The glance at usual messages decides as the closer look of `pointers` does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.records import Message, Rejected, Skipped
from service.settings.places import skip_conditions, text_places
from service.wire import Decoder
from tools.values import record

if TYPE_CHECKING:
    from service.records import Decoded

NAMES = st.sampled_from(["a", "b", "0"])
STRINGS = st.sampled_from(["", " ", "x", "yes", "true", "1", "null", '{"a": "x"}', '["x"]', "{"])
SCALARS = st.one_of(STRINGS, st.none(), st.booleans(), st.sampled_from([0, 1, 1.0, -2.5, 10**20]))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=3)
POINTERS = st.lists(NAMES, min_size=1, max_size=3).map(lambda names: "/" + "/".join(names))
PLACES = st.lists(
    st.lists(POINTERS, min_size=1, max_size=2).map("+".join), min_size=1, max_size=3
).map(",".join)
WORDS = st.sampled_from(["", "x", "true", "false", "1", "1.0", "null"])
CONDITIONS = st.lists(
    st.one_of(
        st.just("!"),
        POINTERS,
        POINTERS.map(lambda pointer: f"!{pointer}"),
        st.builds("{}={}".format, POINTERS, WORDS),
        st.builds("{}!={}".format, POINTERS, WORDS),
        st.builds("{}=={}".format, POINTERS, POINTERS),
    ),
    max_size=4,
).map(",".join)


def _told(decoded: Decoded) -> tuple[Any, ...]:
    match decoded:
        case Message(text=text, fields=fields):
            # Not compared as values: 1, 1.0 and true would be equal.
            return text, json.dumps(fields)
        case Skipped(reason=reason):
            return (reason,)
        case Rejected(reason=reason, detail=detail):
            return reason, detail


@given(document=DOCUMENTS, places=PLACES, conditions=CONDITIONS)
def test_both_say_the_same(document: dict[str, Any], places: str, conditions: str) -> None:
    """The text and what is left of the message, why it is skipped, or what is wrong with it."""
    glancing, looking = (
        Decoder("json", text_places(places), 1000, conditions=skip_conditions(conditions))
        for _ in range(2)
    )
    looking._glance.can_tell = False
    one = record(value=json.dumps(document).encode())
    assert [_told(found) for found in looking.decode(one)] == [
        _told(found) for found in glancing.decode(one)
    ]


@pytest.mark.parametrize("places", ["", "/a/*/text", "/title+/a/*/text"])
def test_what_is_no_object_is_not_glanced_at(places: str) -> None:
    """The whole value, and elements of lists."""
    assert not Decoder("json", text_places(places), 1000)._glance.can_tell
