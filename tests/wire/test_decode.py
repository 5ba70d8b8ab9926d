"""Decoding: the text, the other fields, and the reason of each kind of broken input.

Properties of any input are in `test_decode_any`.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from service.records import Message, Reason, Rejected, Skipped, SkipReason
from tools.decoding import decoded, decoder
from tools.values import record

if TYPE_CHECKING:
    from service.records import Decoded, Headers

TEXT_BYTES_MAX = 1000  # As in tools.decoding.
REASONS_OF_DECODING = {  # Of a record that is no list.
    Reason.NOT_UTF8,
    Reason.NOT_JSON,
    Reason.WRONG_TYPE,
    Reason.TEXT_MISSING,
    Reason.TEXT_EMPTY,
    Reason.TEXT_TOO_LARGE,
    Reason.TOO_DEEP,
    Reason.TOMBSTONE,
    Reason.LONE_SURROGATE,
    Reason.NOT_FINITE,
}


def _decode(
    value: bytes | None, headers: Headers = (), pointer: str = "/text", form: str = "json"
) -> Decoded:
    return decoded(record(value=value, headers=headers), decoder(pointer, form))


def _message(value: bytes, headers: Headers = (), pointer: str = "/text", **more: str) -> Message:
    found = _decode(value, headers, pointer, **more)
    assert isinstance(found, Message), found
    return found


def _rejected(value: bytes | None, pointer: str = "/text", **more: Any) -> Rejected:
    found = _decode(value, pointer=pointer, **more)
    assert isinstance(found, Rejected), found
    return found


BROKEN = [
    (None, Reason.TOMBSTONE, "the value is null"),
    (b'{"text": "\xff"}', Reason.NOT_UTF8, "byte 10: invalid start byte"),
    (b'{"text": "\xed\xa0\x80"}', Reason.NOT_UTF8, "byte 10: invalid continuation byte"),
    ('{"text": "hello"}'.encode("utf-16"), Reason.NOT_UTF8,
     "byte 0: invalid start byte; it begins like UTF-16; let the producer send UTF-8"),
    (b"", Reason.NOT_JSON, "line 1 column 1: Expecting value"),
    (b"hello", Reason.NOT_JSON, "line 1 column 1: Expecting value"),
    (b'{"text": "a"} x', Reason.NOT_JSON, "line 1 column 15: Extra data"),
    (b'{"text": "a\nb"}', Reason.NOT_JSON, "line 1 column 12: Invalid control character at"),
    (b'{"text":\n "\\x"}', Reason.NOT_JSON, r"line 2 column 3: Invalid \escape"),
    (b'{"a": ' + b"9" * 5000 + b"}", Reason.NOT_JSON, "a number has too many digits"),
    (b'"text"', Reason.WRONG_TYPE,
     'the message is a string; SENTIMENT_KAFKA__TEXT_FIELD="" takes it for the text'),
    (b"null", Reason.WRONG_TYPE, "the message is null"),
    (b"7", Reason.WRONG_TYPE, "the message is a number"),
    (b'{"text": null}', Reason.TEXT_MISSING, "/text is null"),
    (b'{"text": true}', Reason.WRONG_TYPE, "/text is a boolean, not a string"),
    (b'{"text": 7}', Reason.WRONG_TYPE, "/text is a number, not a string"),
    (b'{"text": 7.5}', Reason.WRONG_TYPE, "/text is a number, not a string"),
    (b'{"text": ["a"]}', Reason.WRONG_TYPE, "/text is an array, not a string"),
    (b'{"text": {"a": 1}}', Reason.WRONG_TYPE, "/text is an object, not a string"),
    (b"{}", Reason.TEXT_MISSING, "there is nothing at /text"),
    (b'{"Text": "a"}', Reason.TEXT_MISSING, "there is nothing at /text"),
    (b'{"text": ""}', Reason.TEXT_EMPTY, "0 characters of white space"),
    (b'{"text": " \\n\\u00a0\\u2003"}', Reason.TEXT_EMPTY, "4 characters of white space"),
    (b'{"text": "' + "é".encode() * 501 + b'"}', Reason.TEXT_TOO_LARGE,
     "1002 bytes, at most 1000 are scored"),
    (b'{"text": "x", "a": ' + b"[" * 100 + b"1", Reason.TOO_DEEP, "nested over 100 deep"),
    (b"[" * 1_000_000, Reason.TOO_DEEP, "nested over 100 deep"),
    (b'{"text": "\\ud83d"}', Reason.LONE_SURROGATE,
     "an escape stands for half of a surrogate pair"),
    (b'{"text": "a", "b": {"\\uDE00": 1}}', Reason.LONE_SURROGATE,
     "an escape stands for half of a surrogate pair"),
    (b'{"text": "a", "b": NaN}', Reason.NOT_FINITE, "NaN is no JSON number"),
    (b'{"text": "a", "b": -Infinity}', Reason.NOT_FINITE, "-Infinity is no JSON number"),
    (b'{"text": "a", "b": 1e400}', Reason.NOT_FINITE, "a number is beyond the range of a double"),
    (b'{"text": "a", "b": -1e400}', Reason.NOT_FINITE, "a number is beyond the range of a double"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "reason", "detail"), BROKEN)
def test_broken_input_has_a_reason(value: bytes | None, reason: Reason, detail: str) -> None:
    """And a detail that says where the error is and what is wrong."""
    assert _decode(value) == Rejected(record(value=value), reason, detail, "decode")


def test_a_tombstone_is_skipped_where_the_settings_say_so() -> None:
    """An empty value is none: it is broken JSON as before."""
    by = decoder(skip_tombstones=True)
    tombstone, empty = record(value=None), record(value=b"")
    assert by.decode(tombstone) == [Skipped(tombstone, SkipReason.TOMBSTONE)]
    assert by.decode(empty) == [_decode(b"")]


def test_every_reason_of_decoding_is_tried() -> None:
    """The list above is complete: the other reasons belong to later stages."""
    assert {reason for _, reason, _ in BROKEN} == REASONS_OF_DECODING
    later = {Reason.ENGINE_ERROR, Reason.EVENT_TOO_LARGE, Reason.OTHER_LANGUAGE}
    later |= {Reason.TOO_MANY_ELEMENTS, Reason.SCHEMA_ERROR}
    assert later == set(Reason) - REASONS_OF_DECODING


@pytest.mark.parametrize(
    ("form", "headers", "is_text"),
    [
        ("json", (), False),
        ("text", (), True),
        ("json", (("content-type", b"text/plain"),), True),
        ("text", (("content-type", b"application/json"),), False),
        ("json", (("Content-Type", b" TEXT/Plain ; charset=utf-8"),), True),
        ("text", (("CONTENT-TYPE", b"Application/JSON;charset=UTF-8"),), False),
        ("json", (("content-type", b"image/png"),), False),
        ("text", (("content-type", b"image/png"),), True),
        ("text", (("content-type", b""),), True),
        ("text", (("content-type", None),), True),
        ("json", (("content-type", b"\xff"), ("content-type", b"text/plain")), True),
        ("json", (("x-content-type", b"text/plain"),), False),
    ],
)
def test_the_content_type_overrides_the_format(form: str, headers: Headers, is_text: bool) -> None:
    """Both ways, whatever its case and parameters; an unknown one is ignored."""
    value = b'{"text": "hello"}'
    message = _message(value, headers, form=form)
    assert (message.text, message.fields) == ('{"text": "hello"}' if is_text else "hello", {})


def test_plain_text_is_taken_as_it_is() -> None:
    """White space around it, line breaks and what looks like JSON belong to the text."""
    assert _message(b" a\r\n{ ", form="text").text == " a\r\n{ "


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, Reason.TOMBSTONE),
        (b"\xff", Reason.NOT_UTF8),
        (b"", Reason.TEXT_EMPTY),
        (b" \t", Reason.TEXT_EMPTY),
        (b"a" * 1001, Reason.TEXT_TOO_LARGE),
    ],
)
def test_broken_plain_text_has_a_reason(value: bytes | None, reason: Reason) -> None:
    """The same reasons as for a message in JSON."""
    assert _rejected(value, form="text").reason == reason


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_byte_order_mark_is_not_part_of_the_message(form: str) -> None:
    """Some editors and exports write one."""
    value = b'{"text": "hello"}' if form == "json" else b"hello"
    assert _message(b"\xef\xbb\xbf" + value, form=form).text == "hello"


def test_the_longest_text_is_scored() -> None:
    """The limit counts bytes of UTF-8, and is itself allowed."""
    text = "é" * (TEXT_BYTES_MAX // 2)
    assert _message(json.dumps({"text": text}).encode()).text == text


@pytest.mark.parametrize(
    ("pointer", "value", "left"),
    [
        ("/text", {"text": "x", "id": 1}, {"id": 1}),
        ("/a/b", {"a": {"b": "x", "c": 2}, "text": "y"}, {"a": {"c": 2}, "text": "y"}),
        ("/a/1", {"a": ["p", "x", "q"]}, {"a": ["p", None, "q"]}),
        ("/a/0/b", {"a": [{"b": "x"}, {"b": "y"}]}, {"a": [{}, {"b": "y"}]}),
        ("/a~1b", {"a/b": "x", "a": {"b": "y"}}, {"a": {"b": "y"}}),
        ("/a~0b", {"a~b": "x", "a~0b": "y"}, {"a~0b": "y"}),
        ("/a~01", {"a~1": "x", "a/": "y"}, {"a/": "y"}),
        ("/", {"": "x", "a": 1}, {"a": 1}),
        ("/id", {"id": "x", "text": "y"}, {"text": "y"}),
        ("/0", {"0": "x"}, {}),
    ],
)
def test_the_text_is_removed_where_the_pointer_shows(
    pointer: str, value: dict[str, Any], left: dict[str, Any]
) -> None:
    """The message holds it only once; in an array null replaces it, so that indices stay."""
    message = _message(json.dumps(value).encode(), pointer=pointer)
    assert (message.text, message.fields) == ("x", left)


@pytest.mark.parametrize(
    "pointer",
    ["/b", "/a/b", "/s/0", "/s/b", "/n/0", "/z/b", "/l/1", "/l/-", "/l/-/b", "/l/01", "/l/0x",
     "/l/-1", "/l/x", "/l/" + "9" * 30, "/l/" + "9" * 5000, "/o/p/q", "/l/0/0"],
)  # fmt: skip
def test_a_pointer_that_leads_nowhere(pointer: str) -> None:
    """Through strings, numbers, null, and beyond the end of arrays: nothing is there."""
    value = b'{"s": "abc", "n": 5, "z": null, "l": ["abc"], "o": {"p": {}}}'
    rejected = _rejected(value, pointer)
    assert (rejected.reason, rejected.detail) == (
        Reason.TEXT_MISSING,
        f"there is nothing at {pointer}",
    )


def test_all_other_fields_are_kept_as_sent() -> None:
    """No field is interpreted: odd ids, dates and types pass, and integers of any size."""
    sent = (
        '{"id": 12345678901234567890123, "text": "x", "created_at": "yesterday", "lang": [1], '
        '"source": {"a": null}, "metadata": "none", "b": -9223372036854775809, "c": 1e308, '
        '"d": 5e-324, "e": -0.0, "f": 0.1, "g": 1.0, "h": "\\ud83d\\ude00", "i": "\\u0000"}'
    )
    fields = _message(sent.encode()).fields
    assert fields == {
        "id": 12345678901234567890123,
        "created_at": "yesterday",
        "lang": [1],
        "source": {"a": None},
        "metadata": "none",
        "b": -9223372036854775809,
        "c": 1e308,
        "d": 5e-324,
        "e": -0.0,
        "f": 0.1,
        "g": 1.0,
        "h": "😀",
        "i": "\0",
    }
    assert [type(fields[name]) for name in "beg"] == [int, float, float]
    assert math.copysign(1, fields["e"]) == -1


def test_the_last_of_two_equal_keys_counts() -> None:
    """As in most JSON parsers; for the text too."""
    message = _message(b'{"text": "a", "id": 1, "text": "b", "id": 2}')
    assert (message.text, message.fields) == ("b", {"id": 2})


def test_the_largest_integer_that_is_read() -> None:
    """The interpreter's limit of 4300 digits keeps the time linear; one more is rejected."""
    assert _message(b'{"text": "x", "a": ' + b"9" * 4300 + b"}").fields["a"] == 10**4300 - 1
    rejected = _rejected(b'{"text": "x", "a": ' + b"9" * 4301 + b"}")
    assert (rejected.reason, rejected.detail) == (Reason.NOT_JSON, "a number has too many digits")
