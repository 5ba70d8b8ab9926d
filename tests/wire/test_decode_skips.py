"""Decoding: what the settings pass over, and why."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.records import Message, Reason, Rejected, Skipped, SkipReason
from tools.decoding import decoded, decoder
from tools.values import record

DEBEZIUM = "/op=d,/before/text==/after/text"


def _decode(value: Any, skip: str, text_field: str = "/text", form: str = "json") -> Any:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return decoded(record(value=data), decoder(text_field, form, skip=skip))


@pytest.mark.parametrize(
    ("skip", "value", "reason"),
    [
        ("!/a", {"text": "x"}, SkipReason.ABSENT),
        ("!/a", {"text": "x", "a": None}, SkipReason.ABSENT),
        ("!/a", {"text": "x", "a": 0}, None),
        ("!/a/b", {"text": "x", "a": None}, SkipReason.ABSENT),
        ("/a", {"text": "x"}, None),
        ("/a", {"text": "x", "a": None}, None),
        ("/a", {"text": "x", "a": False}, SkipReason.PRESENT),
        ("/a=b c", {"text": "x", "a": "b c"}, SkipReason.VALUE),
        ("/a=", {"text": "x", "a": ""}, SkipReason.VALUE),
        ("/a=", {"text": "x"}, None),
        ("/a=1", {"text": "x", "a": 1}, SkipReason.VALUE),
        ("/a=1", {"text": "x", "a": True}, None),
        ("/a=1.5", {"text": "x", "a": 1.5}, SkipReason.VALUE),
        ("/a=true", {"text": "x", "a": True}, SkipReason.VALUE),
        ("/a=null", {"text": "x", "a": None}, SkipReason.VALUE),
        ("/a=null", {"text": "x", "a": "null"}, None),
        ("/a=null", {"text": "x"}, None),
        ('/a="null"', {"text": "x", "a": "null"}, SkipReason.VALUE),
        ('/a="null"', {"text": "x", "a": None}, None),
        ('/a="1"', {"text": "x", "a": 1}, None),
        ('/a="1"', {"text": "x", "a": "1"}, SkipReason.VALUE),
        ("/a=1", {"text": "x", "a": "1"}, SkipReason.VALUE),
        ('/a=%22b"', {"text": "x", "a": '"b"'}, SkipReason.VALUE),
        ('/a="', {"text": "x", "a": '"'}, SkipReason.VALUE),
        ("/a!=null", {"text": "x", "a": None}, None),
        ("/a!=null", {"text": "x", "a": "null"}, SkipReason.OTHER_VALUE),
        ('/a!="null"', {"text": "x", "a": "null"}, None),
        ('/a!="null"', {"text": "x", "a": None}, SkipReason.OTHER_VALUE),
        ("/a=[]", {"text": "x", "a": []}, None),
        ("/text=[deleted]", {"text": "[deleted]"}, SkipReason.VALUE),
        ("/text=[deleted]", {"text": "[deleted] "}, None),
        ("/a!=b", {"text": "x", "a": "b"}, None),
        ("/a!=b", {"text": "x", "a": "B"}, SkipReason.OTHER_VALUE),
        ("/a!=b", {"text": "x"}, SkipReason.OTHER_VALUE),
        ("/a!=b", {"text": "x", "a": ["b"]}, SkipReason.OTHER_VALUE),
        ("/a==/b", {"text": "x", "a": [1], "b": [1]}, SkipReason.UNCHANGED),
        ("/a==/b", {"text": "x", "a": 1, "b": True}, None),
        ("/a==/b", {"text": "x", "a": None, "b": None}, None),
        ("/a==/b", {"text": "x"}, None),
        ("/b,/a=1", {"text": "x", "a": 1}, SkipReason.VALUE),
        ("/p/kind=reply", {"text": "x", "p": '{"kind": "reply"}'}, SkipReason.VALUE),
        ("!", {"text": "x"}, None),
        ("!", {"text": None}, SkipReason.NO_TEXT),
        ("!", {"a": "x"}, SkipReason.NO_TEXT),
        ("!", {"text": " "}, SkipReason.NO_TEXT),
    ],
)
def test_a_condition_that_is_met_skips(skip: str, value: Any, reason: SkipReason | None) -> None:
    """One of several is enough; without it the message is scored as before."""
    found = _decode(value, skip)
    one = record(value=json.dumps(value).encode())
    if reason is None:
        assert isinstance(found, Message)
    else:
        assert Skipped(one, reason) == found


@pytest.mark.parametrize(
    ("before", "after", "op", "reason"),
    [
        (None, {"text": "x"}, "c", None),
        (None, {"text": "x"}, "r", None),
        ({"text": "x", "n": 1}, {"text": "x", "n": 2}, "u", SkipReason.UNCHANGED),
        ({"text": "x"}, {"text": "y"}, "u", None),
        (None, {"text": "y"}, "u", None),
        ({"text": "x"}, None, "d", SkipReason.VALUE),
    ],
)
def test_changes_of_a_table(before: Any, after: Any, op: str, reason: SkipReason | None) -> None:
    """Deletions and updates that left the text alone are no texts to score."""
    change = {"before": before, "after": after, "op": op}
    found = _decode(change, DEBEZIUM, "/after/text")
    assert reason == (found.reason if isinstance(found, Skipped) else None)
    assert reason is not None or isinstance(found, Message)


@pytest.mark.parametrize("value", [b"not JSON", b'{"text": "x", "a": NaN}', b"[" * 101, b"\xff"])
def test_what_cannot_be_read_is_not_skipped(value: bytes) -> None:
    """Whatever the conditions: nobody knows what it is."""
    assert isinstance(_decode(value, "!,!/text,/op!=c"), Rejected)


def test_a_text_of_another_type_is_an_error_of_its_producer() -> None:
    """It is no message without a text."""
    found = _decode({"text": 7}, "!")
    assert isinstance(found, Rejected)
    assert Reason.WRONG_TYPE is found.reason


def test_plain_text_is_compared_as_a_whole() -> None:
    """Nothing is missing in it, so that conditions with a pointer do not concern it."""
    skip = "!/a,/b!=c,=[removed]"
    assert isinstance(_decode(b"a text", skip, form="text"), Message)
    found = _decode(b"[removed]", skip, form="text")
    assert isinstance(found, Skipped)
    assert SkipReason.VALUE is found.reason
    blank = _decode(b" ", "!", form="text")
    assert isinstance(blank, Skipped)
    assert SkipReason.NO_TEXT is blank.reason
    assert isinstance(_decode("[removed]", skip, text_field=""), Skipped)
