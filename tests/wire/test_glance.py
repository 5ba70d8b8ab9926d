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
# And to the elements of one list, `a`.
IN_LIST = st.one_of(POINTERS, POINTERS.map("/a/*{}".format))


def _places(pointers: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    one = st.lists(pointers, min_size=1, max_size=2).map("+".join)
    return st.lists(one, min_size=1, max_size=3).map(",".join)


WORDS = st.sampled_from(
    ["", "x", "true", "false", "1", "1.0", "-0.0", "null", '"null"', '"1"', '"true"', "[]"]
)


def _conditions(pointers: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    one = st.one_of(
        st.just("!"),
        pointers,
        pointers.map(lambda pointer: f"!{pointer}"),
        st.builds("{}={}".format, pointers, WORDS),
        st.builds("{}!={}".format, pointers, WORDS),
        st.builds("{}=={}".format, pointers, pointers),
    )
    # Of many values of one place some are looked up in another way.
    many = st.builds(
        lambda pointer, words: ",".join(f"{pointer}={word}" for word in words),
        pointers,
        st.lists(WORDS, min_size=5, max_size=7),
    )
    return st.lists(st.one_of(one, one, many), max_size=4).map(",".join)


class _Blind:
    """Tells nothing, so that all is left to the closer look."""

    can_take = False

    def may_skip(self, _: dict[str, Any]) -> bool:
        """Whatever the message is."""
        return True


def _told(decoded: Decoded) -> tuple[Any, ...]:
    match decoded:
        case Message(text=text, fields=fields):
            # Not compared as values: 1, 1.0 and true would be equal.
            return text, json.dumps(fields)
        case Skipped(reason=reason):
            return (reason,)
        case Rejected(reason=reason, detail=detail):
            return reason, detail


def _both(document: dict[str, Any], places: str, conditions: str) -> None:
    glancing, looking = (
        Decoder("json", text_places(places), 1000, conditions=skip_conditions(conditions))
        for _ in range(2)
    )
    looking._glance = _Blind()  # type: ignore[assignment]
    one = record(value=json.dumps(document).encode())
    assert [_told(found) for found in looking.decode(one)] == [
        _told(found) for found in glancing.decode(one)
    ]


@given(document=DOCUMENTS, places=_places(POINTERS), conditions=_conditions(POINTERS))
def test_both_say_the_same(document: dict[str, Any], places: str, conditions: str) -> None:
    """The text and what is left of the message, why it is skipped, or what is wrong with it."""
    _both(document, places, conditions)


@given(document=DOCUMENTS, places=_places(IN_LIST), conditions=_conditions(IN_LIST))
def test_both_say_the_same_of_elements(
    document: dict[str, Any], places: str, conditions: str
) -> None:
    """Of each of them."""
    _both(document, places, conditions)


@pytest.mark.parametrize("places", ["", "/a/*/text", "/title+/a/*/text"])
def test_a_text_that_is_in_no_object_is_not_taken_at_a_glance(places: str) -> None:
    """The whole value, and elements of lists."""
    assert not Decoder("json", text_places(places), 1000)._glance.can_take
