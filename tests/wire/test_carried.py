"""What of a message goes into its event: which fields, and in which form."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.records import Document, Message, ModelInfo, Reading, TextStats, Verdict
from service.settings.carry import carried_paths
from service.wire import Carried, Encoder
from service.wire.carried import (
    DEPTH_MAX,
    INTEGER_MAX,
    INTEGER_MIN,
    NAME_CHARACTERS_MAX,
    SHORT_CHARACTERS_MAX,
    STRING_CHARACTERS_MAX,
    is_hard_to_read,
    readable,
)
from tools.json_strategies import strings, values
from tools.values import record

MODEL = ModelInfo("m", "r", "e", "float32", "cpu", ())
NEVER = "The parcel never arrived."

hard_integers = st.integers(-(10**40), 10**40)
hard_strings = st.text(st.sampled_from("a\0\ud7ff\n0123456789"), max_size=30)
hard_values = st.recursive(
    hard_integers | hard_strings | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hard_strings, inner, max_size=3),
    max_leaves=10,
)


def _nested(levels: int, kind: str = "list") -> Any:
    value: Any = 2**70
    for _ in range(levels):
        value = [value] if kind == "list" else {"\0": value}
    return value


def _depth(value: Any) -> int:
    inner = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    )
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


def _encoded(
    fields: dict[str, Any], text: str = NEVER, carry: str = "auto", *, include_text: bool = True
) -> bytes:
    document = Document(Message(record(), text, fields), ([0],), TextStats(5, False, 1, 0.0))
    scores = {"NEGATIVE": 0.0012345678901234567, "POSITIVE": 0.9987654321098765}
    verdict = Verdict(document, Reading("POSITIVE", scores["POSITIVE"], scores, True))
    paths = carried_paths(carry, include_text=include_text)
    carried = Carried(paths, short_only=carry == "auto")
    encoder = Encoder("out", "dead", include_text, MODEL, "1", carried=carried)
    return encoder.encode(verdict, 0.0, 0.0).value or b""


def _event(fields: dict[str, Any], *args: Any, **more: Any) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(_encoded(fields, *args, **more))
    return event


@pytest.mark.parametrize(
    ("sent", "carried"),
    [
        ("a\0b", "a\ufffdb"),
        ({"\0": ["\0"]}, {"\ufffd": ["\ufffd"]}),
        (INTEGER_MAX, INTEGER_MAX),
        (INTEGER_MIN, INTEGER_MIN),
        (INTEGER_MAX + 1, "9223372036854775808"),
        (INTEGER_MIN - 1, "-9223372036854775809"),
        (10**4299, "1" + "0" * 4299),
        (True, True),
        (1e300, 1e300),
        (0.0012345678901234567, 0.0012345678901234567),
        ("12345678901234567890", "12345678901234567890"),
        ({"a": {"b": [10**30]}}, {"a": {"b": ["1" + "0" * 30]}}),
    ],
)
def test_values_that_stop_readers_have_another_form(sent: Any, carried: Any) -> None:
    """Wherever they are; all others are carried as they are, and nothing given is changed."""
    fields = {"id": sent, "metadata": sent, "more": sent, "": [sent]}
    given = copy.deepcopy(fields)
    event = _event(fields)
    assert given == fields
    assert (carried, carried) == (event["source_id"], event["metadata"])
    assert {"more": carried, "": [carried]} == event["extra"]


def test_a_text_holds_no_nul() -> None:
    """PostgreSQL refuses the whole batch of a sink for one."""
    assert "a\ufffdb" == _event({}, "a\0b")["text"]


@pytest.mark.parametrize("kind", ["list", "object"])
@pytest.mark.parametrize(("name", "own"), [("metadata", 1), ("more", 2)])
def test_what_is_nested_deeper_than_readers_take_is_json_in_a_string(
    kind: str, name: str, own: int
) -> None:
    """The event as a whole has 64 levels at most, and what it has of them is not touched."""
    for levels in (99, DEPTH_MAX - own + 1, DEPTH_MAX - own, 3):
        event = _event({name: _nested(levels, kind)})
        assert _depth(event) <= DEPTH_MAX
        value = event[name] if name in event else event["extra"][name]
        while isinstance(value, list | dict):
            [value] = value if isinstance(value, list) else value.values()
        while value.startswith(("[", "{")):
            value = json.loads(value)
            while isinstance(value, list | dict):
                [value] = value if isinstance(value, list) else value.values()
        assert str(2**70) == value


def test_long_names_and_strings_are_cut() -> None:
    """Names that begin alike stay apart."""
    longest = "n" * NAME_CHARACTERS_MAX
    extra = _event({longest: 1, longest + "a": 2, longest + "b": 3})["extra"]
    assert [1, 2, 3] == list(extra.values())
    assert longest == next(iter(extra))
    assert all(len(name) <= NAME_CHARACTERS_MAX for name in extra)
    event = _event({"id": "x" * (STRING_CHARACTERS_MAX + 1), "lang": "x" * STRING_CHARACTERS_MAX})
    assert [STRING_CHARACTERS_MAX] * 2 == [len(event[name]) for name in ("source_id", "lang")]
    assert event["source_id"].endswith("x…")


@given(hard_values)
def test_no_value_is_overlooked(value: Any) -> None:
    """What is not rewritten needs no rewriting; and a value that was rewritten needs it no more."""
    event = _event({"id": value, "more": value})
    assert readable(value) == event["source_id"]
    assert readable({"more": value}) == event["extra"]
    assert readable(event["extra"]) == event["extra"]


@given(values)
def test_plain_values_are_not_changed(value: Any) -> None:
    """So that the slow way gives the same as the quick one."""
    has_large = any(len(digits) > 18 for digits in json.dumps(value).split())
    if "\\u0000" not in json.dumps(value) and not has_large:
        assert value == readable(value)


@pytest.mark.parametrize("fields", [{}, {"id": INTEGER_MAX - 10**18 * 9}, {"likes": 10**17}])
def test_plain_events_are_encoded_once(fields: dict[str, Any]) -> None:
    """Though a probability has many digits."""
    assert not is_hard_to_read(_encoded(fields), NEVER)


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (None, None),
        ("", ""),
        ("a", "a"),
        (True, "true"),
        (4711, "4711"),
        (2**64, "18446744073709551616"),
        (1.5, "1.5"),
        ({"ü": [1, None, "\0"]}, '{"ü":[1,null,"\ufffd"]}'),
    ],
)
def test_fields_of_any_type_are_there_as_strings(sent: Any, text: str | None) -> None:
    """For readers that need one type for a column."""
    names = ("source", "lang", "created_at", "metadata")
    event = _event({"id": sent, **dict.fromkeys(names, sent)})
    assert {text} == {event[f"{name}_text"] for name in ("source_id", *names)}


@given(st.dictionaries(strings, values), values, values, strings)
def test_fields_are_copied_unchanged(
    extra: dict[str, Any], metadata: Any, identity: Any, text: str
) -> None:
    """Known fields under their names, all others in `extra`, in a form that every reader takes."""
    known = {"id": identity, "source": None, "lang": 0, "created_at": {}, "metadata": metadata}
    extra = {name: value for name, value in extra.items() if name not in known}
    event = _event({**known, **extra}, text)
    expected = readable({**known, "extra": extra, "text": text})
    carried = {name: event["source_id" if name == "id" else name] for name in expected}
    assert json.dumps(carried, sort_keys=True) == json.dumps(expected, sort_keys=True)


@pytest.mark.parametrize(
    "number", [2**63 - 1, -(2**63), 10**18, 5e-324, 1.7976931348623157e308, -0.0, 1e16, 0.1]
)
def test_numbers_keep_their_value(number: float) -> None:
    """To the last digit."""
    assert repr(_event({"id": number})["source_id"]) == repr(number)


def test_the_deepest_metadata_is_encoded() -> None:
    """Encoding allows the depth that decoding allows."""
    event = _event({"metadata": json.loads("[" * 99 + "]" * 99)})
    outer, text, _ = json.dumps(event["metadata"]).split('"')
    assert "[" * 62 == outer
    assert "[" * 37 + "]" * 37 == text


# What platforms send beside a text that was taken out: the same text again.
FEEDS: dict[str, dict[str, Any]] = {
    "Slack": {"team_id": "T1", "event": {"blocks": [{"text": NEVER}], "ts": "1.2"}},
    "Debezium": {
        "before": {"text": NEVER},
        "after": {"id": 7},
        "source": {"query": NEVER},
        "op": "u",
    },
    "Reddit": {"id": "t1_a", "body_html": f"<p>{NEVER}</p>", "created_at": 1.5},
    "its own": {"id": 7, "metadata": {"quote": NEVER}, "lang": "en", "source": "x"},
    "odd": {"id": {"text": NEVER}, "lang": [NEVER], "source": NEVER + "!" * SHORT_CHARACTERS_MAX},
}


@pytest.mark.parametrize("name", FEEDS)
def test_an_event_without_text_holds_it_nowhere(name: str) -> None:
    """Of the fields only short ones that tell messages apart are left."""
    value = _encoded(FEEDS[name], include_text=False)
    assert NEVER.encode() not in value
    assert NEVER.encode() in _encoded(FEEDS[name], carry="all")
    event = json.loads(value)
    assert {} == event["extra"]
    assert event["text"] is event["metadata"] is None
    kept = {k: v for k, v in FEEDS[name].items() if k in ("lang", "created_at", "source", "id")}
    if name in ("Reddit", "its own"):
        assert kept == {k: event[{"id": "source_id"}.get(k, k)] for k in kept}
    else:
        assert event["source_id"] is event["source"] is event["lang"] is None


@pytest.mark.parametrize(
    ("carry", "expected"),
    [
        ("all", {"id": 1, "user": {"name": "ann", "age": 7}, "tags": ["a"], "a/b": 1}),
        ("none", {}),
        ("/id", {"id": 1}),
        ("/user/name, /id", {"id": 1, "user": {"name": "ann"}}),
        ("/user/age,/user/name,/user/none", {"user": {"name": "ann", "age": 7}}),
        ("/user,/user/name", {"user": {"name": "ann", "age": 7}}),
        ("/tags,/tags/0,/id/x,/none/x", {"tags": ["a"]}),
        ("/tags/0", {}),
        ("/a~1b", {"a/b": 1}),
    ],
)
@pytest.mark.parametrize("include_text", [True, False])
def test_the_fields_to_carry_can_be_named(
    carry: str, expected: dict[str, Any], include_text: bool
) -> None:
    """By pointers through objects; the fields of the message are not changed."""
    fields = {"id": 1, "user": {"name": "ann", "age": 7}, "tags": ["a"], "a/b": 1}
    given = copy.deepcopy(fields)
    event = _event(fields, carry=carry, include_text=include_text)
    assert given == fields
    assert {k: v for k, v in expected.items() if k != "id"} == event["extra"]
    assert expected.get("id") == event["source_id"]
    assert event["text"] == (NEVER if include_text else None)
