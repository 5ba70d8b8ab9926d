"""CloudEvents: which attributes are read and set, and that wrong ones are ignored."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from cloudevents.core.bindings import kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from service.records import (
    Decoded,
    Document,
    Headers,
    Message,
    ModelInfo,
    Outgoing,
    Reading,
    Reason,
    Record,
    Rejected,
    TextStats,
    Verdict,
)
from service.wire import Encoder, as_produced, event_id
from service.wire.cloudevents import ATTRIBUTE_BYTES_MAX
from service.wire.encode import CUT_BYTES_MAX
from service.wire.headers import EventHeaders, LetterHeaders
from tools.decoding import decoded, decoder
from tools.values import record, rejected, verdict

SOURCE = "urn:sentiment-stream:group"
MODEL = ModelInfo("m", "r", "e", "float32", "cpu", ())
REQUIRED: Headers = (
    ("ce_specversion", b"1.0"),
    ("ce_id", b"4711"),
    ("ce_source", b"https://example.com/posts"),
    ("ce_type", b"com.example.post"),
)
JSON = JSONFormat()
TIME = "2026-05-04T09:30:00.5+02:00"
NOW = "2026-05-04T09:30:00.093Z"
READ = {"id": "4711", "source": "https://example.com/posts"}

header_names = st.sampled_from(
    ["content-type", "Content-Type", "traceparent", "ce_", "ce_specversion", "ce_id", "ce_source",
     "ce_type", "ce_time", "ce_subject", "ce_dataschema", "ce_datacontenttype", "ce_tenant",
     "ce_Not-A-Name"]
)  # fmt: skip
header_values = st.one_of(
    st.none(),
    st.binary(max_size=40),
    st.sampled_from([b"1.0", b"application/cloudevents+json", b"text/plain", TIME.encode()]),
    st.binary(min_size=ATTRIBUTE_BYTES_MAX + 1, max_size=ATTRIBUTE_BYTES_MAX + 9),
)


def _decode(value: bytes, headers: Headers, form: str = "json") -> Decoded:
    return decoded(record(value=value, headers=headers), decoder(form=form))


def _fields(value: bytes, headers: Headers, form: str = "json") -> dict[str, Any]:
    decoded = _decode(value, headers, form)
    assert isinstance(decoded, Message), decoded
    assert decoded.text == "fine"
    return decoded.fields


def _encode(outcome: Verdict | Rejected, source: str | None = SOURCE) -> Outgoing:
    return Encoder("out", "dead", True, MODEL, "1", source).encode(outcome, 1777887000.093, 0.0)


def _scored(one: Record) -> Verdict:
    document = Document(Message(one, "fine", {}), ([0],), TextStats(1, False, 1, 0.0))
    return Verdict(document, Reading("POSITIVE", 0.75, {"POSITIVE": 0.75}, True))


def _texts(headers: Headers) -> dict[str, str]:
    texts = {name: (value or b"").decode() for name, value in headers}
    assert len(texts) == len(headers), "each once"
    return texts


def test_attributes_fill_in_missing_fields() -> None:
    """The message's own id, source and created_at take precedence."""
    headers = (*REQUIRED, ("ce_time", TIME.encode()))
    assert {**READ, "created_at": TIME} == _fields(b'{"text": "fine"}', headers)
    own = {"id": 7, "source": "survey", "created_at": "yesterday"}
    assert own == _fields(json.dumps({"text": "fine", **own}).encode(), headers)
    assert {**READ, "lang": "en"} == _fields(
        b'{"text": "fine", "id": null, "lang": "en"}', REQUIRED
    )
    assert READ == _fields(b"fine", REQUIRED, "text")
    assert READ == _fields(b"fine", (*REQUIRED, ("content-type", b"text/plain")))


@pytest.mark.parametrize(
    "changed",
    [
        *(tuple(h for h in REQUIRED if h[0] != name) for name, _ in REQUIRED),
        *(((*REQUIRED, (name, wrong))) for name, _ in REQUIRED for wrong in (None, b"", b"\xff")),
        (*REQUIRED, ("ce_specversion", b"0.3")),
        (*REQUIRED, ("ce_id", b"x" * (ATTRIBUTE_BYTES_MAX + 1))),
        (*REQUIRED, ("ce_source", b"line\nbreak")),
    ],
)
def test_incomplete_attributes_are_ignored(changed: Headers) -> None:
    """The message is scored, without the fields that its headers would give."""
    assert {} == _fields(b'{"text": "fine"}', changed)


@pytest.mark.parametrize("time", [b"now", b"2026-05-04", b"2026-05-04T09:30:00", b"\xff", None])
def test_only_a_wrong_time_is_ignored(time: bytes | None) -> None:
    """RFC 3339 requires a time and a zone; the other attributes are still read."""
    assert READ == _fields(b'{"text": "fine"}', (*REQUIRED, ("ce_time", time)))


def test_structured_mode() -> None:
    """Attributes and data are one JSON object; the text is in the data."""
    structured = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
    attributes = {"specversion": "1.0", "type": "t", **READ, "time": TIME}
    event = {**attributes, "data": {"text": "fine", "lang": "en"}, "tenant": "a"}
    whole = {**READ, "created_at": TIME, "lang": "en"}
    assert whole == _fields(json.dumps(event).encode(), structured)
    assert {"lang": "en"} == _fields(json.dumps({"data": event["data"]}).encode(), structured)
    for wrong, reason in (
        (attributes, Reason.TEXT_MISSING),
        ({**attributes, "data_base64": "e30="}, Reason.TEXT_MISSING),
        ({**attributes, "data": 7}, Reason.WRONG_TYPE),
        ({**attributes, "data": {"body": "fine"}}, Reason.TEXT_MISSING),
        ([attributes], Reason.TEXT_MISSING),
        ("fine", Reason.WRONG_TYPE),
    ):
        outcome = _decode(json.dumps(wrong).encode(), structured)
        assert isinstance(outcome, Rejected)
        assert reason == outcome.reason


def test_an_event_is_a_cloudevent() -> None:
    """Its attributes follow the headers of its message."""
    one = record(7, headers=(("trace", b"\xff"),))
    first, *own = _encode(_scored(one)).headers
    assert ("trace", b"\xff") == first
    assert _texts(tuple(own)) == {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": event_id(one),
        "ce_source": SOURCE,
        "ce_type": "sentiment.event.v1",
        "ce_time": NOW,
        "ce_subject": "in/0/7",
        "ce_dataschema": "urn:sentiment-stream:schema:sentiment-event:1.3",
    }
    Draft202012Validator(EventHeaders.model_json_schema()).validate(_texts(tuple(own)))


def test_the_event_of_a_cloudevent_has_its_own_attributes() -> None:
    """One id, type and content-type; extensions and other headers are kept."""
    headers = (
        ("Content-Type", b"application/cloudevents+json"), *REQUIRED, ("ce_subject", b"posts"),
        ("ce_dataschema", b"http://e"), ("ce_datacontenttype", b"text/xml"),
        ("ce_tenant", b"a"), ("ce_partitionkey", b"k"), ("ce_Bad-Name", b"b"), ("ce_bad", b"\xff"),
        ("ce_none", None), ("traceparent", b"any"), ("CE_ID", b"not an attribute"),
    )  # fmt: skip
    event = _encode(_scored(record(headers=headers)))
    kept = [name for name, _ in event.headers][:4]
    assert kept == ["ce_tenant", "ce_partitionkey", "traceparent", "CE_ID"]
    assert _texts(event.headers[4:]).keys() == _texts(_encode(verdict()).headers).keys()


def test_a_dead_letter_is_a_cloudevent() -> None:
    """If its message is none; it has no content type, because its value may be anything."""
    letter = _encode(rejected(Reason.NOT_JSON, 7))
    own = {name: v for name, v in _texts(letter.headers).items() if name.startswith("ce_")}
    assert own == {
        "ce_specversion": "1.0",
        "ce_id": event_id(record(7)),
        "ce_source": SOURCE,
        "ce_type": "sentiment.dead-letter.v1",
        "ce_time": NOW,
        "ce_subject": "in/0/7",
    }
    assert "content-type" not in _texts(letter.headers)
    Draft202012Validator(LetterHeaders.model_json_schema()).validate(own)


@pytest.mark.parametrize(
    "headers",
    [
        REQUIRED,
        (("ce_id", b"half of one"),),
        (("content-type", b"application/cloudevents+json"),),
        (("Content-Type", b"Application/CloudEvents+Avro"),),
    ],
)
def test_the_dead_letter_of_a_cloudevent_stays_that_cloudevent(headers: Headers) -> None:
    """Byte for byte, so that it can be sent back."""
    one = Rejected(record(headers=headers), Reason.NOT_JSON, "", "decode")
    letter = _encode(one)
    assert _encode(one, None).headers == letter.headers
    assert headers == letter.headers[: len(headers)]


@pytest.mark.parametrize("source", [SOURCE, None])
def test_a_letter_that_is_sent_back_is_the_message(source: str | None) -> None:
    """It gives the message no id, and its event or next letter has only new attributes."""
    headers = (("trace", b"1"), ("ce_tenant", b"a"))
    plain = Rejected(record(headers=headers[:1]), Reason.NOT_JSON, "", "decode")
    letter = _encode(plain)
    again = record(9, b'{"text": "fine"}', headers=(*letter.headers, headers[1]))
    assert {} == _fields(again.value or b"", again.headers)
    for out in (
        _encode(_scored(again), source),
        _encode(Rejected(again, Reason.NOT_JSON, "", "decode"), source),
    ):
        own = [name for name, _ in out.headers if name.startswith("ce_")]
        assert len(set(own)) == len(own)
        assert ("ce_id", event_id(again).encode()) in out.headers or "ce_id" not in own
    assert headers == tuple(h for h in as_produced(again.headers) if h in headers)
    assert "ce_id" not in dict(as_produced(again.headers))


def test_a_letter_that_lost_its_headers_gets_new_ones() -> None:
    """A cut letter is still a CloudEvent."""
    headers = (*REQUIRED, ("large", b"x" * CUT_BYTES_MAX))
    letter = _encode(Rejected(record(headers=headers), Reason.NOT_JSON, "", "decode"))
    assert letter.smaller is not None
    assert "sentiment.dead-letter.v1" == _texts(letter.smaller().headers)["ce_type"]


def test_an_event_that_is_too_large_is_a_letter_with_the_same_id() -> None:
    """A record has one id, for its event and for its letter."""
    event = _encode(verdict())
    assert event.smaller is not None
    letter = event.smaller()
    assert _texts(event.headers)["ce_id"] == _texts(letter.headers)["ce_id"]
    assert "sentiment.dead-letter.v1" == _texts(letter.headers)["ce_type"]


def test_without_attributes_an_event_is_no_cloudevent() -> None:
    """Its message's attributes do not make it one: they would give it the message's type."""
    headers = (*REQUIRED, ("content-type", b"text/plain"), ("ce_tenant", b"a"), ("trace", b"1"))
    event = _encode(_scored(record(headers=headers)), None)
    assert (("ce_tenant", b"a"), ("trace", b"1")) == event.headers


@pytest.mark.parametrize("mode", [kafka.to_binary, kafka.to_structured])
def test_the_official_sdk_and_the_service_understand_each_other(mode: Any) -> None:
    """Its messages are read in both modes, and it reads events and letters."""
    sent = mode(CloudEvent({"type": "post", "specversion": "1.0", **READ}, {"text": "fine"}), JSON)
    assert READ.items() <= _fields(sent.value, tuple(sent.headers.items())).items()

    one = record(7)
    for outcome in (_scored(one), rejected(Reason.NOT_JSON, 7)):
        out = _encode(outcome)
        headers = {name: value or b"" for name, value in out.headers}
        message = kafka.KafkaMessage(headers, out.key, out.value or b"")
        event = kafka.from_binary(message, JSON, CloudEvent)
        assert (event.get_id(), event.get_source()) == (event_id(one), SOURCE)
        assert event.get_time() == datetime.fromisoformat(NOW)


@given(st.lists(st.tuples(header_names, header_values), max_size=12).map(tuple))
def test_no_header_rejects_a_record(headers: Headers) -> None:
    """Its text is scored, and its event is one CloudEvent, whatever the headers hold."""
    decoded = _decode(b'{"text": "fine", "data": {"text": "fine"}}', headers)
    assert isinstance(decoded, Message)
    event = _encode(_scored(decoded.record))
    own = [header for header in event.headers if header[0].startswith("ce_")]
    names = [name for name, _ in own]
    for name in ("ce_id", "ce_type", "ce_source", "ce_specversion", "ce_time", "ce_subject"):
        assert 1 == names.count(name)
    assert all(len((value or b"").decode()) > 0 for _, value in own)
    letter = _encode(Rejected(decoded.record, Reason.NOT_JSON, "", "decode"))
    assert headers == letter.headers[: len(headers)]
