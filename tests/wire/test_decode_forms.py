"""Decoding: what producers call their values, and CloudEvents whose data is no object."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from service.records import Message, Reason, Rejected, Skipped, SkipReason
from tools.decoding import decoded, decoder
from tools.values import record

if TYPE_CHECKING:
    from service.records import Decoded, Headers

STRUCTURED: Headers = (("content-type", b"application/cloudevents+json"),)
ATTRIBUTES: dict[str, Any] = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
FIELDS = {"id": "1", "source": "/s"}
DAPR = ATTRIBUTES | {"datacontenttype": "application/json", "pubsubname": "p", "topic": "in"}


def _decode(
    value: Any, headers: Headers = (), text_field: str = "/text", form: str = "json"
) -> Decoded:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return decoded(record(value=data, headers=headers), decoder(text_field, form))


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


@pytest.mark.parametrize(
    ("headers", "form"),
    [
        ((("contentType", b"text/plain"),), "json"),
        ((("contentType", b'"text/plain;charset=UTF-8"'),), "json"),
        ((("ce_datacontenttype", b"text/plain"),), "json"),
        ((("ce_datacontenttype", b"application/json"), ("content-type", b"text/plain")), "json"),
        ((("contentType", b"application/json"), ("content-type", b"text/plain")), "json"),
        ((("contentType", b"text/plain"), ("content-type", b"image/png")), "json"),
        ((("contentType", b"image/png"),), "text"),
        ((("contenttype", None), ("ce_datacontenttype", b"\xff")), "text"),
    ],
)
def test_other_headers_name_the_form_too(headers: Headers, form: str) -> None:
    """Spring Cloud's and a CloudEvent's; content-type comes first, if it is one that is known."""
    found = _decode(b"no JSON", headers, form=form)
    assert isinstance(found, Message)
    assert "no JSON" == found.text


def test_json_said_by_another_header() -> None:
    """Against the format of the settings."""
    for name in ("contentType", "ce_datacontenttype"):
        found = _decode({"text": "x"}, ((name, b"application/json"),), form="text")
        assert isinstance(found, Message)
        assert "x" == found.text


@pytest.mark.parametrize(
    ("event", "text_field", "text", "fields"),
    [
        ({"data": "bare", "datacontenttype": "text/plain"}, "/text", "bare", {}),
        ({"data": "bare", "datacontenttype": "Text/Plain; charset=utf-8"}, "/text", "bare", {}),
        ({"data": '{"text": "x"}', "datacontenttype": "text/plain"}, "/text", '{"text": "x"}', {}),
        ({"data": "bare"}, "/text", "bare", {}),
        ({"data": '{"text": "x", "n": 1}'}, "/text", "x", {"n": 1}),
        ({"data": '{"text": "x"}', "datacontenttype": "application/json"}, "/text", "x", {}),
        ({"data": "bare", "datacontenttype": "application/json"}, "", "bare", {}),
        ({"data_base64": _base64(b"bare"), "datacontenttype": "text/plain"}, "/text", "bare", {}),
        ({"data_base64": _base64(b'{"text": "x", "n": 1}')}, "/text", "x", {"n": 1}),
        ({"data": {"text": "x", "id": 7}, "data_base64": "?"}, "/text", "x", {"id": 7}),
    ],
)
@pytest.mark.parametrize("headers", [STRUCTURED, ()])
def test_data_that_is_a_text(
    event: dict[str, Any], text_field: str, text: str, fields: dict[str, Any], headers: Headers
) -> None:
    """Scored as the same event in binary mode is; also where the header is missing."""
    found = _decode(ATTRIBUTES | event, headers, text_field)
    assert isinstance(found, Message), found
    assert (text, FIELDS | fields) == (found.text, found.fields)
    assert json.dumps(ATTRIBUTES | event).encode() == found.record.value


@pytest.mark.parametrize(
    ("event", "reason", "detail"),
    [
        ({"data": "bare", "datacontenttype": "application/json"}, Reason.WRONG_TYPE,
         'the message is a string; SENTIMENT_KAFKA__TEXT_FIELD="" takes it for the text'),
        ({"data": None}, Reason.WRONG_TYPE, "the message is null"),
        ({"data": " ", "datacontenttype": "text/plain"}, Reason.TEXT_EMPTY,
         "1 characters of white space"),
        ({"data_base64": "?"}, Reason.WRONG_TYPE, "/data_base64 is not base64"),
        ({"data_base64": 7}, Reason.WRONG_TYPE, "/data_base64 is not base64"),
        ({"data_base64": _base64(b"\xff"), "datacontenttype": "text/plain"}, Reason.NOT_UTF8,
         "in /data_base64: byte 0: invalid start byte"),
        ({"data_base64": _base64(b"bare")}, Reason.NOT_JSON,
         ("in /data_base64: line 1 column 1: Expecting value; "
          "a text needs the datacontenttype text/plain")),
    ],
)  # fmt: skip
def test_data_that_is_none(event: dict[str, Any], reason: Reason, detail: str) -> None:
    """Its reason says what would be one."""
    found = _decode(ATTRIBUTES | event, STRUCTURED)
    assert isinstance(found, Rejected)
    assert (reason, detail) == (found.reason, found.detail)


@pytest.mark.parametrize("event", [{"data": None}, {}])
def test_an_event_without_data_has_no_text(event: dict[str, Any]) -> None:
    """It is skipped where what has no text is; null is no data."""
    value = json.dumps(ATTRIBUTES | event).encode()
    found = decoded(record(value=value, headers=STRUCTURED), decoder("/text", skip="!"))
    assert isinstance(found, Skipped)
    assert SkipReason.NO_TEXT is found.reason


@pytest.mark.parametrize(
    ("value", "headers", "text_field", "remedy"),
    [
        (ATTRIBUTES | {"data": {"text": "fine"}}, STRUCTURED, "/data/text",
         "there is nothing at /data/text; of a CloudEvent, pointers begin within its data"),
        (b"<p>fine</p>", (("content-type", b"text/html; charset=utf-8"),), "/text",
         "SENTIMENT_KAFKA__INPUT_FORMAT=text takes the value for the text"),
        (b"fine,1", (("contentType", b'"Text/CSV"'),), "/text", "INPUT_FORMAT=text takes"),
        (b"\0\0\0\0\1{}", (), "/text", "SENTIMENT_KAFKA__SCHEMA_REGISTRY_URL reads it"),
        (b"\0\0\0\0\xff\xff", (), "/text", "like a schema registry's framing"),
        ([["fine"]], (), "/text", "is an array; send an object, or one array of objects"),
    ],
)  # fmt: skip
def test_a_detail_says_what_to_do(
    value: Any, headers: Headers, text_field: str, remedy: str
) -> None:
    """Where a wrong setting or a wrong producer is likely; without text of the message."""
    found = _decode(value, headers, text_field)
    assert isinstance(found, Rejected)
    assert remedy in found.detail
    assert "fine" not in found.detail


def test_a_value_of_json_needs_no_such_remedy() -> None:
    """Where a header names JSON, or none names a text."""
    for headers in ((), (("content-type", b"application/json"), ("contenttype", b"text/html"))):
        found = _decode(b"fine", headers)
        assert isinstance(found, Rejected)
        assert "line 1 column 1: Expecting value" == found.detail


def test_an_event_without_the_header() -> None:
    """Dapr leaves it out; whoever points into its data goes on to do so."""
    event = DAPR | {"data": {"text": "x", "n": 1}}
    found = _decode(event)
    assert isinstance(found, Message)
    assert ("x", FIELDS | {"n": 1}) == (found.text, found.fields)
    found = _decode(event, text_field="/data/text")
    assert isinstance(found, Message)
    assert ("x", event | {"data": {"n": 1}}) == (found.text, found.fields)


@pytest.mark.parametrize(
    ("event", "text_field"),
    [
        (DAPR | {"text": "beside", "data": {"text": "x"}}, "/text"),
        (DAPR | {"specversion": "0.3", "data": {"text": "x"}}, "/data/text"),
        (DAPR | {"text": "beside"}, "/text"),
    ],
)
def test_what_only_looks_like_an_event(event: dict[str, Any], text_field: str) -> None:
    """It has the text beside the attributes, or no data, or is of another version."""
    found = _decode(event, text_field=text_field)
    assert isinstance(found, Message)
    assert event.keys() - {"text"} == found.fields.keys() - {"text"}


def test_an_event_of_another_version_has_no_text() -> None:
    """Its form is not known."""
    found = _decode(DAPR | {"specversion": "0.3", "data": {"text": "x"}})
    assert isinstance(found, Rejected)
    assert Reason.TEXT_MISSING is found.reason
