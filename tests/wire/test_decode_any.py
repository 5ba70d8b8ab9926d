"""Decoding of any input: it never raises, takes linear time, and its details hold no text."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.records import Message, Reason, Rejected, SkipReason
from service.wire.documents.json_values import DEPTH_MAX
from service.wire.letters import DETAIL_CHARACTERS_MAX
from tools.decoding import decoded, decoder
from tools.json_strategies import strings, values
from tools.values import record

if TYPE_CHECKING:
    from service.records import Decoded, Headers

MARKER = "my-landlord-is-a-crook"

texts = strings.filter(lambda text: text and not text.isspace())


def _decode(
    value: bytes | None, headers: Headers = (), pointer: str = "/text", form: str = "json"
) -> Decoded:
    return decoded(record(value=value, headers=headers), decoder(pointer, form))


def _message(value: bytes) -> Message:
    found = _decode(value)
    assert isinstance(found, Message), found
    return found


def _rejected(value: bytes) -> Rejected:
    found = _decode(value)
    assert isinstance(found, Rejected), found
    return found


def _nested(depth: int) -> bytes:
    """A message whose brackets are `depth` deep, its own included."""
    return f'{{"text": "x", "a": {"[" * (depth - 1)}1{"]" * (depth - 1)}}}'.encode()


def test_the_deepest_message_is_read() -> None:
    """The limit itself is allowed, for arrays and objects, with shallow ones beside them."""
    assert _message(_nested(DEPTH_MAX)).text == "x"
    beside = b'{"b": [{}], ' + _nested(DEPTH_MAX)[1:]
    assert _message(beside).text == "x"
    assert _rejected(beside.replace(b"1", b"{}")).reason == Reason.TOO_DEEP
    depth = DEPTH_MAX - 1
    objects = b'{"text": "x", "a": ' + b'{"b":' * depth + b"1" + b"}" * depth + b"}"
    assert _message(objects).text == "x"
    assert _rejected(objects.replace(b"1", b"[]")).reason == Reason.TOO_DEEP


def test_many_brackets_side_by_side_are_not_deep() -> None:
    """Depth is counted, not brackets."""
    value = b'{"text": "x", "a": [' + b"[{}]," * 1000 + b"1]}"
    assert len(_message(value).fields["a"]) == 1001


@given(st.text("[{]}\\\"'a", min_size=200, max_size=300))
def test_brackets_inside_strings_are_not_deep(text: str) -> None:
    """Whatever escapes surround them."""
    message = _message(json.dumps({"text": text, text: [text]}).encode())
    assert (message.text, message.fields) == (text, {text: [text]})


@pytest.mark.parametrize(
    "value",
    [
        b'{"text": "' + b'\\"' * 1_000_000,
        b"[" * 101 + b'"' + b'\\"' * 1_000_000,
        b'{"a": "' + b"[" * 101 + b'\\"' * 1_000_000,
        b'{"a": ' + b'"[",' * 500_000,
        b'{"text": "x", "a": [' + b"[]," * 500_000,
        b'{"text": "x", "a": 0.' + b"1" * 2_000_000,
        b'{"text": "x", "a": 1e' + b"9" * 1_000_000,
        b"9" * 1_000_000,
        b"{" * 1_000_000,
        b'{"":' * 1_000_000,
        b"\\" * 1_000_000,
        b'"\\' * 500_000,
    ],
)
def test_truncated_json_takes_no_quadratic_time(value: bytes) -> None:
    """A megabyte of broken JSON is rejected in milliseconds; quadratic time would be minutes."""
    reasons = {Reason.NOT_JSON, Reason.NOT_FINITE, Reason.TOO_DEEP}
    assert _rejected(value).reason in reasons


json_like = st.lists(
    st.sampled_from(
        ["{", "}", "[", "]", '"', "\\", ",", ":", " ", '"text":', "\\u", "d83d", "1e5", "-", "NaN",
         "0", "null", "true", "é", "\0", "\ufeff"]
    ),
    max_size=40,
).map(lambda parts: "".join(parts).encode())  # fmt: skip


@given(
    st.binary() | json_like | values.map(lambda value: json.dumps(value).encode()) | st.none(),
    st.sampled_from(["json", "text"]),
    st.lists(st.sampled_from(["text", "a", "0", "1", "-", "", "~0", "~1"]), min_size=1),
    st.lists(
        st.tuples(st.text() | st.just("content-type"), st.binary() | st.none()), max_size=2
    ).map(tuple),
)
def test_any_bytes_give_messages_or_rejections(
    value: bytes | None, form: str, parts: list[str], headers: Headers
) -> None:
    """No input raises, whatever the settings; what is no list keeps its bytes."""
    one = record(value=value, headers=headers)
    found = decoder("/" + "/".join(parts), form).decode(one)
    assert [item.record.is_last for item in found] == [False] * (len(found) - 1) + [True]
    for index, item in enumerate(found):
        if item.record.index is None:
            assert [one] == [item.record]
        assert item.record.index in (None, index)
        if isinstance(item, Rejected):
            assert item.stage == "decode"
        elif isinstance(item, Message):
            assert item.text.strip() != ""
        else:
            assert item.reason is SkipReason.EMPTY_LIST


@given(texts, st.dictionaries(strings, values, max_size=5), st.booleans())
def test_any_object_with_a_text_comes_back(text: str, fields: dict[str, Any], escape: bool) -> None:
    """All fields but the text are exactly as sent, escaped or not."""
    sent = {**copy.deepcopy(fields), "text": text}
    message = _message(json.dumps(sent, ensure_ascii=escape).encode())
    fields.pop("text", None)
    assert message.text == text
    assert json.dumps(message.fields, sort_keys=True) == json.dumps(fields, sort_keys=True)


_marked = st.sampled_from(
    [
        f'{{"text": "{MARKER}',
        f'{{"{MARKER}": 1}}',
        f'{{"text": ["{MARKER}"]}}',
        f'{{"text": {{"{MARKER}": 1}}}}',
        f'{{"text": "x", "{MARKER}": NaN}}',
        f'{{"text": "x", "{MARKER}": 1e999}}',
        f'{{"text": "{MARKER}\\ud83d"}}',
        f'{{"text": "\\{MARKER}"}}',
        f'{{"text": "{MARKER * 100}"}}',
        f'{{"{MARKER}": {"[" * 200}"{MARKER}"',
        f'"{MARKER}"',
        MARKER,
    ]
)


@given(_marked, st.text(max_size=3), st.text(max_size=3), st.binary(max_size=2))
def test_details_hold_no_text(value: str, before: str, after: str, end: bytes) -> None:
    """A detail is written to headers and logs: it names positions and types only."""
    rejected = _decode((before + value + after).encode("utf-8", "surrogatepass") + end)
    if isinstance(rejected, Rejected):
        assert MARKER[:5] not in rejected.detail
        assert MARKER[-5:] not in rejected.detail
        assert len(rejected.detail) <= DETAIL_CHARACTERS_MAX
