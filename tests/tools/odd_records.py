"""Odd and broken records of every form that is read, and what becomes of each.

Exists so that the decoder, the pipeline and a real broker are tried on the same ones. An outcome is
the text of an event, or the reason of a dead letter or of a skipped record; several of a list.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from service.records import Reason, SkipReason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.records import Headers

Told = str | Reason | SkipReason


class Odd(NamedTuple):
    """A record, and what becomes of it."""

    value: bytes
    told: Sequence[Told]
    headers: Headers = ()


class Form(NamedTuple):
    """Settings, and records that are read with them."""

    text_field: str
    skip: str
    records: Sequence[Odd]


STRUCTURED: Headers = (("content-type", b"application/cloudevents+json"),)
BATCH: Headers = (("content-type", b"application/cloudevents-batch+json"),)
LINES: Headers = (("content-type", b"application/x-ndjson"),)
PLAIN: Headers = (("contentType", b'"text/plain"'),)
ATTRIBUTES = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}


def _odd(value: Any, *told: Told, headers: Headers = ()) -> Odd:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Odd(data, told, headers)


def _event(**more: Any) -> dict[str, Any]:
    return ATTRIBUTES | more


def _deep(depth: int) -> str:
    return "[" * depth + "]" * depth


FORMS = {
    "places": Form("/data/note/text,/data/text", "/data/deleted=true", [
        _odd({"data": {"text": "short"}}, "short"),
        _odd({"data": {"text": "cut", "note": {"text": "whole"}}}, "whole"),
        _odd({"data": {"text": "cut", "note": "no JSON"}}, "cut"),
        _odd({"data": {"text": "cut", "note": '{"text": "inner"}'}}, "inner"),
        _odd({"data": {"text": "cut", "note": '{"text": NaN}'}}, Reason.NOT_FINITE),
        _odd({"data": {"text": "x", "deleted": True}}, SkipReason.VALUE),
        _odd({"data": {"deleted": "true"}}, SkipReason.VALUE),
        _odd({"data": {"text": " "}}, Reason.TEXT_EMPTY),
        _odd({"data": {"text": ["x"]}}, Reason.WRONG_TYPE),
        _odd({"data": None}, Reason.TEXT_MISSING),
        _odd({}, Reason.TEXT_MISSING),
        _odd(7, Reason.WRONG_TYPE),
    ]),
    "joined": Form("/title+/body,/caption", "/body=[removed]", [
        _odd({"title": "a", "body": "b"}, "a\n\nb"),
        _odd({"title": "a", "body": ""}, "a"),
        _odd({"title": "a", "body": None}, "a"),
        _odd({"body": 7, "caption": "c"}, "c"),
        _odd({"title": "a", "body": "[removed]"}, SkipReason.VALUE),
        _odd({"title": "\t", "body": "\u3000"}, Reason.TEXT_EMPTY),
        _odd({"title": "\ud83d"}, Reason.LONE_SURROGATE),
    ]),
    "strings": Form("/payload/content", "/event!=update,!/payload/content", [
        _odd({"event": "update", "payload": '{"content": "x"}'}, "x"),
        _odd({"event": "delete", "payload": "110"}, SkipReason.OTHER_VALUE),
        _odd({"event": "update", "payload": "110"}, SkipReason.ABSENT),
        _odd({"event": "update", "payload": '{"content": "x"'}, SkipReason.ABSENT),
        _odd({"event": "update", "payload": '{"content": " "}'}, Reason.TEXT_EMPTY),
        _odd({"event": "update", "payload": _deep(101)}, Reason.TOO_DEEP),
        _odd({"event": "update", "payload": '{"content": "\\udc00"}'}, Reason.LONE_SURROGATE),
        _odd('{"event": "update", "payload": "{\\"content\\": \\"x\\"}"}', "x"),
        _odd("17", SkipReason.OTHER_VALUE),
    ]),
    "whole": Form("", "=[removed]", [
        _odd("a string", "a string"),
        _odd("[removed]", SkipReason.VALUE),
        _odd("", Reason.TEXT_EMPTY),
        _odd({"text": "x"}, Reason.WRONG_TYPE),
        _odd(["a", "", "[removed]", None], "a", Reason.TEXT_EMPTY, SkipReason.VALUE,
             Reason.WRONG_TYPE),
        _odd(b"bare", "bare", headers=PLAIN),
    ]),
    "lists": Form("/title+/e/*/text", "/e/*/bot,!", [
        _odd({"e": [{"text": "a"}, {"text": "b"}]}, "a", "b"),
        _odd({"title": "t", "e": [{"text": "a"}, {}]}, "t\n\na", "t"),
        _odd({"e": [{"text": "a"}, {"text": 7}, {}, 7]}, "a", Reason.WRONG_TYPE,
             SkipReason.NO_TEXT, SkipReason.NO_TEXT),
        _odd({"e": [{"text": "a", "bot": 1}, {"text": "b"}]}, SkipReason.PRESENT, "b"),
        _odd({"e": []}, SkipReason.EMPTY_LIST),
        _odd({"title": "t"}, "t"),
        _odd({"e": {"0": {"text": "a"}}}, SkipReason.NO_TEXT),
        _odd({"e": '[{"text": "a"}, {"text": "b"}]'}, "a", "b"),
        _odd([{"e": [{"text": "a"}]}, {"e": []}, 7], "a", SkipReason.EMPTY_LIST,
             Reason.WRONG_TYPE),
        _odd({"e": [{"text": "a"}] * 1001}, Reason.TOO_MANY_ELEMENTS),
    ]),
    "arrays and lines": Form("/text", "", [
        _odd([{"text": "a"}, {"text": "b"}], "a", "b"),
        _odd([{"text": "a"}], "a"),
        _odd([], SkipReason.EMPTY_LIST),
        _odd([[{"text": "a"}], "b", {"text": None}], Reason.WRONG_TYPE, Reason.WRONG_TYPE,
             Reason.TEXT_MISSING),
        _odd(b'{"text": "a"}\n{"text": "b"}\n', "a", "b"),
        _odd(b'{"text": "a"}\n{"text": ', "a", Reason.NOT_JSON),
        _odd(b'{"text": "a"}\r\n{"text": "\xff"}', "a", Reason.NOT_UTF8),
        _odd(b'{"text": "a"}\n{"n": 1e999}', "a", Reason.NOT_FINITE),
        _odd(b'{"text": "a"}\n{"n": ' + _deep(101).encode() + b"}", "a", Reason.TOO_DEEP),
        _odd(b'x\n["a"]\n[{"text": "b"}]', Reason.NOT_JSON, Reason.WRONG_TYPE, "b",
             headers=LINES),
        _odd(b"\n \n", SkipReason.EMPTY_LIST, headers=LINES),
        _odd(b'{"text": "a"} {"text": "b"}', Reason.NOT_JSON),
        _odd(b'[{"text": "a"}', Reason.NOT_JSON),
    ]),
    "events": Form("/text", "!/text", [
        _odd(_event(data={"text": "x"}), "x"),
        _odd(_event(data={"n": 1}), SkipReason.ABSENT),
        _odd(_event(data="bare"), "bare"),
        _odd(_event(data="bare", datacontenttype="text/plain"), "bare", headers=STRUCTURED),
        _odd(_event(data="", datacontenttype="text/plain"), Reason.TEXT_EMPTY, headers=STRUCTURED),
        _odd(_event(), SkipReason.ABSENT, headers=STRUCTURED),
        _odd(_event(data_base64="YmFyZQ==", datacontenttype="text/plain"), "bare"),
        _odd(_event(data_base64="*"), SkipReason.ABSENT, headers=STRUCTURED),
        _odd(_event(data=[{"text": "a"}, {"text": "b"}]), "a", "b"),
        _odd([_event(data={"text": "a"}), _event(data="b"), _event(data=[]), 7], "a", "b",
             SkipReason.EMPTY_LIST, SkipReason.ABSENT, headers=BATCH),
        _odd([], SkipReason.EMPTY_LIST, headers=BATCH),
        _odd(_event(data={"text": "x"}), "x", headers=BATCH),
        _odd(b"not JSON", Reason.NOT_JSON, headers=BATCH),
    ]),
    "broken data": Form("/text", "", [
        _odd(_event(data_base64="*"), Reason.WRONG_TYPE, headers=STRUCTURED),
        _odd(_event(data_base64=base64.b64encode(b"\x00\x01avro").decode()), Reason.NOT_JSON,
             headers=STRUCTURED),
        _odd([_event(data_base64="*"), _event(data={"text": "x"})], Reason.WRONG_TYPE, "x",
             headers=BATCH),
        _odd(_event(data=None), Reason.WRONG_TYPE, headers=STRUCTURED),
    ]),
}  # fmt: skip
