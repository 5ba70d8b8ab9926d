"""Decoding: the text in one of several places, joined, and within strings of JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.records import Message, Reason, Rejected
from tools.decoding import decoded, decoder
from tools.values import record

X = "/data/note_tweet/text,/data/text"
REDDIT = "/title+/selftext,/body"
MASTODON = "/payload/content"


def _decode(value: Any, text_field: str) -> Message | Rejected:
    found = decoded(record(value=json.dumps(value).encode()), decoder(text_field))
    assert isinstance(found, Message | Rejected)
    return found


@pytest.mark.parametrize(
    ("text_field", "value", "text", "left"),
    [
        (X, {"data": {"text": "cut"}}, "cut", {"data": {}}),
        (X, {"data": {"text": "cut", "note_tweet": {"text": "whole", "n": 1}}}, "whole",
         {"data": {"text": "cut", "note_tweet": {"n": 1}}}),
        (X, {"data": {"text": "cut", "note_tweet": {"text": " "}}}, "cut",
         {"data": {"note_tweet": {"text": " "}}}),
        (X, {"data": {"text": "cut", "note_tweet": None}}, "cut", {"data": {"note_tweet": None}}),
        (X, {"data": {"text": "cut", "note_tweet": {"text": 7}}}, "cut",
         {"data": {"note_tweet": {"text": 7}}}),
        (REDDIT, {"title": "a", "selftext": "b", "body": "c"}, "a\n\nb", {"body": "c"}),
        (REDDIT, {"title": "a", "selftext": ""}, "a", {"selftext": ""}),
        (REDDIT, {"title": None, "selftext": "b"}, "b", {"title": None}),
        (REDDIT, {"body": "c", "id": 1}, "c", {"id": 1}),
        (REDDIT, {"title": " ", "body": "c"}, "c", {"title": " "}),
        ("/c+/a+/b", {"a": " x ", "b": "y\n", "c": "z"}, "z\n\n x \n\ny\n", {}),
        # What only begins like JSON is a text, whatever strict parsing meets first.
        ("/p/content,/p", {"p": "[NaN] in the total"}, "[NaN] in the total", {}),
        ("/p/content,/p", {"p": "[" * 101 + " again"}, "[" * 101 + " again", {}),
        ("/a+/a", {"a": "x"}, "x\n\nx", {}),
        ("/a+/a/b", {"a": '{"b": "x"}'}, '{"b": "x"}\n\nx', {}),
        ("/a/b+/a", {"a": '{"b": "x"}'}, 'x\n\n{"b": "x"}', {}),
        ("/l/0+/l/1", {"l": ["x", "y", "z"]}, "x\n\ny", {"l": [None, None, "z"]}),
        (MASTODON, {"event": "update", "payload": '{"content": "x", "id": "7", "f": 1.0}'}, "x",
         {"event": "update", "payload": '{"id":"7","f":1.0}'}),
        ("/payload/a/content", {"payload": '{"a": "{\\"content\\": \\"x\\"}"}'}, "x",
         {"payload": '{"a":"{}"}'}),
        ("/payload/1", {"payload": ' ["a", "x"]'}, "x", {"payload": '["a",null]'}),
        ("/payload/content,/payload", {"payload": "no JSON"}, "no JSON", {}),
        ("/payload/content,/payload", {"payload": "17"}, "17", {}),
        ("/payload/content,/payload", {"payload": '{"content": "\\u00e9"}'}, "é",
         {"payload": "{}"}),
        ("/text", '{"text": "in a string", "id": 1}', "in a string", {"id": 1}),
        ("", "a JSON string", "a JSON string", {}),
    ],
)  # fmt: skip
def test_the_first_place_that_holds_a_text_counts(
    text_field: str, value: Any, text: str, left: dict[str, Any]
) -> None:
    """What is taken is removed, and all else stays, the type of a string that is JSON too."""
    message = _decode(value, text_field)
    assert isinstance(message, Message), message
    assert (text, left) == (message.text, message.fields)


@pytest.mark.parametrize(
    ("text_field", "value", "reason", "detail"),
    [
        (X, {"data": {}}, Reason.TEXT_MISSING,
         "there is nothing at /data/note_tweet/text or /data/text"),
        (X, {"data": {"text": None}}, Reason.TEXT_MISSING,
         "there is nothing at /data/note_tweet/text or /data/text"),
        (X, {"data": {"text": 7}}, Reason.WRONG_TYPE, "/data/text is a number, not a string"),
        (REDDIT, {"title": "", "selftext": "\t", "body": 7}, Reason.TEXT_EMPTY,
         "0 characters of white space at /title"),
        (MASTODON, {"payload": '{"content": ""}'}, Reason.TEXT_EMPTY,
         "0 characters of white space"),
        (MASTODON, {"payload": "110"}, Reason.TEXT_MISSING, "there is nothing at /payload/content"),
        (MASTODON, {"payload": '{"content": "x"'}, Reason.TEXT_MISSING,
         "there is nothing at /payload/content"),
        (MASTODON, {"payload": '{"content": "x", "a": NaN}'}, Reason.NOT_FINITE,
         "in a string of JSON: NaN is no JSON number"),
        (MASTODON, {"payload": '{"content": "\\ud83d"}'}, Reason.LONE_SURROGATE,
         "in a string of JSON: an escape stands for half of a surrogate pair"),
        (MASTODON, {"payload": "[" * 101 + "]" * 101}, Reason.TOO_DEEP,
         "in a string of JSON: nested over 100 deep"),
        ("/a+/b", {"a": "x" * 600, "b": "y" * 600}, Reason.TEXT_TOO_LARGE,
         "1202 bytes, at most 1000 are scored"),
        ("/text", "17", Reason.WRONG_TYPE,
         'the message is a string; SENTIMENT_KAFKA__TEXT_FIELD="" takes it for the text'),
        ("", {"text": "x"}, Reason.WRONG_TYPE, "the message is an object, not a string"),
        ("", " ", Reason.TEXT_EMPTY, "1 characters of white space"),
        ("", 7, Reason.WRONG_TYPE, "the message is a number, not a string"),
    ],
)  # fmt: skip
def test_no_place_holds_a_text(text_field: str, value: Any, reason: Reason, detail: str) -> None:
    """The reason is that of what is there; all places are named where nothing is."""
    rejected = _decode(value, text_field)
    assert isinstance(rejected, Rejected)
    assert (reason, detail) == (rejected.reason, rejected.detail)


def test_a_string_of_json_is_the_same_for_all_messages_that_have_it() -> None:
    """What one message does with it leaves the next one's as it was."""
    value = {"payload": '{"content": "x", "n": [1]}'}
    first, second = (_decode(value, MASTODON) for _ in range(2))
    assert first == second
    assert isinstance(second, Message)
    assert {"payload": '{"n":[1]}'} == second.fields
