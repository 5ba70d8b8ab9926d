"""Headers of a message: which go on to its event, and that a dead letter has all of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.records import Headers, ModelInfo, Reason, Rejected, Verdict
from service.topics.replay import Selection, sent_back
from service.wire import Encoder, KeptHeaders
from service.wire.kept_headers import KEPT_BY_DEFAULT
from tools.values import record, verdict

OF_THE_VALUE: Headers = (
    ("__TypeId__", b"com.acme.Post"),
    ("__ContentTypeId__", b"com.acme.Post"),
    ("__KeyTypeId__", b"com.acme.Key"),
    ("spring.kafka.serialization.selector", b"post"),
    ("contentType", b"application/json"),
    ("originalContentType", b"text/plain"),
    ("__value_schema_id", b"\x01" + bytes(16)),
    ("apicurio.value.contentId", bytes(4)),
    ("apicurio.value.encoding", b"JSON"),
    ("Content-Type", b"application/json"),
    ("content-encoding", b"gzip"),
    ("Content-Length", b"17"),
)
OTHERS: Headers = (
    ("__key_schema_id", b"\x01" + bytes(16)),
    ("apicurio.key.contentId", bytes(4)),
    ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("tenant", None),
    ("tenant", b"\xff"),
    ("", b""),
    ("x-TypeId", b"1"),
)
MODEL = ModelInfo("m", "r", "e", "float32", "cpu", ())


def _scored(headers: Headers) -> Verdict:
    scored = verdict()
    message = replace(scored.message, record=record(headers=headers))
    return replace(scored, document=replace(scored.document, message=message))


@pytest.mark.parametrize("source", [None, "urn:sentiment-stream:g"])
def test_what_describes_the_value_of_the_message_stays_behind(source: str | None) -> None:
    """The event has another value; what describes the key, which it has too, goes on."""
    given = tuple(h for pair in zip(OF_THE_VALUE, OTHERS * 2, strict=False) for h in pair)
    encoder = Encoder("out", "dead", True, MODEL, "1", source)
    event = encoder.encode(_scored(given), 0.0, 0.0)
    kept = tuple(header for header in given if header in OTHERS)
    assert kept == event.headers[: len(kept)]
    own = {name for name, _ in event.headers[len(kept) :]}
    assert own == set() if source is None else "content-type" in own


def test_more_can_be_left_out_by_name_and_by_prefix() -> None:
    """Case does not matter; the event's own headers are not touched."""
    kept = KeptHeaders.without("Tenant,x-*")
    assert OTHERS[:3] + OTHERS[5:6] == kept.of(OTHERS)
    assert KEPT_BY_DEFAULT == KeptHeaders.without(None)
    encoder = Encoder("out", "dead", True, MODEL, "1", "urn:s", KeptHeaders.without("c*"))
    event = encoder.encode(_scored((("cc", b"1"), ("dd", b"1"))), 0.0, 0.0)
    assert ["dd", "content-type", "ce_specversion"] == [name for name, _ in event.headers][:3]


def test_a_dead_letter_has_all_and_is_sent_back_with_all() -> None:
    """Its value is the message's, so they still describe it."""
    headers = OF_THE_VALUE + OTHERS
    rejected = Rejected(record(headers=headers), Reason.NOT_JSON, "", "decode")
    encoder = Encoder("out", "dead", True, MODEL, "1", "urn:s", KeptHeaders.without("x-*"))
    letter = encoder.encode(rejected, 0.0, 0.0)
    assert headers == letter.headers[: len(headers)]
    letter_record = record(value=letter.value, headers=letter.headers)
    again, fate = sent_back(letter_record, ("in",), Selection())
    assert "sent back: not_json" == fate
    assert again is not None
    assert headers == again.headers[: len(headers)]
