"""Events and dead letters: the record published for each outcome, and its smaller forms."""

from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonpointer import JsonPointer
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from service.records import (
    Document,
    Message,
    ModelInfo,
    Partition,
    Reading,
    Reason,
    Record,
    Rejected,
    TextStats,
    Verdict,
)
from service.wire import Encoder, event_id
from service.wire.contracts import Model, Origin, SentimentEvent, TextStatistics
from service.wire.encode import CUT_BYTES_MAX
from service.wire.letters import DETAIL_CHARACTERS_MAX
from tools.decoding import decoded, decoder

if TYPE_CHECKING:
    from service.records import Headers, Outgoing

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
EVENT = Draft202012Validator(json.loads((SCHEMAS / "sentiment-event.schema.json").read_text()))
LETTER = Draft202012Validator(json.loads((SCHEMAS / "dead-letter.schema.json").read_text()))

MODEL = ModelInfo("bundled", "sha256:0", "onnx_packed", "float32", "cpu", ("NEGATIVE", "POSITIVE"))
STATS = TextStats(tokens=5, truncated=True, windows=1, unknown_share=0.25)
NOW, NOW_MONOTONIC = 1777887000.0935, 10.0254
HEADERS: Headers = (("trace", b"\x00\xff"), ("trace", None), ("", b""))


def _record(value: bytes | None = b"{}", **changes: Any) -> Record:
    given: dict[str, Any] = {
        "partition": Partition("posts", 3),
        "offset": 7,
        "timestamp_ms": 1777886999000,
        "key": b"\xffkey",
        "headers": HEADERS,
        "epoch": 1,
        "polled_at": 10.0,
    }
    return Record(value=value, **(given | changes))


def _verdict(fields: dict[str, Any], text: str = "so good", **changes: Any) -> Verdict:
    scores = changes.pop("scores", {"NEGATIVE": 0.25, "POSITIVE": 0.75})
    document = Document(Message(_record(**changes), text, fields), ([0] * 5,), STATS)
    label = max(scores, key=scores.__getitem__)
    return Verdict(document, Reading(label, scores[label], scores, True))


def _encode(outcome: Verdict | Rejected, include_text: bool = True) -> Outgoing:
    encoder = Encoder("events", "dead", include_text, MODEL, "0.1.0")
    return encoder.encode(outcome, NOW, NOW_MONOTONIC)


def _event(outcome: Verdict, **more: bool) -> dict[str, Any]:
    value = _encode(outcome, **more).value
    assert value is not None
    event: dict[str, Any] = json.loads(value)
    EVENT.validate(event)
    return event


def _added(letter: Outgoing, kept: Headers = HEADERS) -> dict[str, str]:
    """The headers that the service added after the kept ones; validates them by the schema."""
    assert letter.headers[: len(kept)] == kept
    added = letter.headers[len(kept) :]
    headers = {name: value.decode() for name, value in added if value is not None}
    assert len(headers) == len(added)
    LETTER.validate(headers)
    return headers


def _smaller(outgoing: Outgoing) -> Outgoing:
    assert outgoing.smaller is not None
    return outgoing.smaller()


def test_an_event() -> None:
    """Every field, for a message with extra fields."""
    fields = {"id": 4711, "lang": "en", "created_at": "tomorrow", "likes": 3, "text": "old"}
    outgoing = _encode(_verdict(fields))
    assert (outgoing.topic, outgoing.key, outgoing.headers) == ("events", b"\xffkey", HEADERS)
    assert outgoing.source == Partition("posts", 3)
    assert json.loads(outgoing.value or b"") == {
        "id": "bf83f483-73c7-5fd8-aab4-f56dc372c31f",
        "source_id": 4711,
        "source_id_text": "4711",
        "source": None,
        "source_text": None,
        "lang": "en",
        "lang_text": "en",
        "created_at": "tomorrow",
        "created_at_text": "tomorrow",
        "metadata": None,
        "metadata_text": None,
        "extra": {"likes": 3, "text": "old"},
        "text": "so good",
        "label": "POSITIVE",
        "score": 0.75,
        "scores": {"NEGATIVE": 0.25, "POSITIVE": 0.75},
        "confident": True,
        "language": None,
        "model": {"name": "bundled", "revision": "sha256:0", "engine": "onnx_packed",
                  "precision": "float32"},
        "text_stats": {"tokens": 5, "truncated": True, "windows": 1, "unknown_share": 0.25,
                       "quoted_chars": 0, "signature_chars": 0, "code_chars": 0},
        "origin": {"topic": "posts", "partition": 3, "offset": 7, "timestamp": 1777886999000,
                   "index": None},
        "processed_at": "2026-05-04T09:30:00.093Z",
        "latency_ms": 25.4,
        "schema_version": "1.3",
    }  # fmt: skip


def test_the_id_depends_on_the_coordinates_alone() -> None:
    """A repeat has the same id in every version; any other record has another."""
    namespace = uuid.uuid5(uuid.NAMESPACE_URL, "urn:sentiment-stream:event")
    expected = str(uuid.uuid5(namespace, "posts/3/7/1777886999000"))
    same = _record(b"other", key=None, headers=(), epoch=9, polled_at=99.0)
    assert event_id(_record()) == event_id(same) == expected
    posts = Partition("post", 3), Partition("posts", 37)
    others = [_record(offset=8), _record(timestamp_ms=-1), *(_record(partition=p) for p in posts)]
    assert len({event_id(record) for record in [*others, _record()]}) == 5


def test_missing_and_impossible_times() -> None:
    """Kafka's timestamp -1 is null in an event; the latency is never below 0."""
    assert _event(_verdict({}, timestamp_ms=-1))["origin"]["timestamp"] is None
    assert _event(_verdict({}, timestamp_ms=0))["origin"]["timestamp"] == 0
    assert _event(_verdict({}, polled_at=11.0))["latency_ms"] == 0


@pytest.mark.parametrize("pointer", ["/text", "/a/1", "/metadata/text", "/id"])
def test_the_event_holds_no_text_if_switched_off(pointer: str) -> None:
    """Wherever in the message the text was; all other fields are kept."""
    secret = "my landlord is a crook"  # noqa: S105 - stands for a user's text
    sent = {"text": "", "id": 1, "a": [0, "", 2], "metadata": {"text": "", "b": 1}}
    JsonPointer(pointer).set(sent, secret)
    record = _record(json.dumps(sent).encode())
    message = decoded(record, decoder(pointer))
    assert isinstance(message, Message)
    verdict = Verdict(
        Document(message, ([0],), STATS), Reading("POSITIVE", 1.0, {"POSITIVE": 1.0}, True)
    )
    event = _event(verdict, include_text=False)
    assert event["text"] is None
    assert "landlord" not in json.dumps(event)
    assert event["metadata"]["b"] == 1
    assert _event(verdict)["text"] == secret


def test_all_fields_are_there_in_the_order_of_the_contract() -> None:
    """Those of the objects in it too."""
    event = _event(_verdict({}))
    assert list(SentimentEvent.model_fields) == list(event)
    for name, model in (("model", Model), ("text_stats", TextStatistics), ("origin", Origin)):
        assert list(model.model_fields) == list(event[name])


def test_a_probability_is_within_0_and_1() -> None:
    """Any other value is a bug, and never becomes an event."""
    event = _event(_verdict({}, scores={"NEGATIVE": 0.0, "POSITIVE": 1.0}))
    assert (event["score"], event["scores"]) == (1.0, {"NEGATIVE": 0.0, "POSITIVE": 1.0})
    for wrong in (float("nan"), 1.0000001):
        with pytest.raises(ValidationError):
            _encode(_verdict({}, scores={"POSITIVE": wrong}))


@pytest.mark.parametrize("value", [b"\xff\x00{", b"", None])
@pytest.mark.parametrize("key", [b"\xffkey", b"", None])
def test_a_dead_letter(value: bytes | None, key: bytes | None) -> None:
    """Value, key and headers byte for byte, and the error in further headers."""
    record = _record(value, key=key)
    letter = _encode(Rejected(record, Reason.NOT_UTF8, "byte 0: naïve", "decode", attempts=2))
    assert (letter.topic, letter.key, letter.value) == ("dead", key, value)
    assert letter.source == Partition("posts", 3)
    assert _added(letter) == {
        "__connect.errors.topic": "posts",
        "__connect.errors.partition": "3",
        "__connect.errors.offset": "7",
        "__connect.errors.stage": "decode",
        "__connect.errors.exception.message": "byte 0: naïve",
        "sentiment.errors.reason": "not_utf8",
        "sentiment.errors.timestamp": "1777886999000",
        "sentiment.errors.attempts": "2",
        "sentiment.errors.service.version": "0.1.0",
    }


def test_forged_headers_are_replaced() -> None:
    """Headers of our names on an input record; all others are kept, whatever they begin with."""
    alike = (
        ("sentiment.error", b"1"),
        ("x__connect.errors.topic", b"2"),
        ("__connect", None),
        ("__connect.errors.of.a.connector", None),
        ("__connect.errors.exception.class.name", b"java.lang.Exception"),
        ("sentiment.errors.of.ours", b"3"),
    )
    forged = (
        ("__connect.errors.topic", b"forged"),
        ("sentiment.errors.reason", b"forged"),
        ("sentiment.errors.value.bytes", b"forged"),
    )
    record = _record(headers=(*forged, *alike, *forged), timestamp_ms=-1)
    added = _added(_encode(Rejected(record, Reason.NOT_JSON, "", "decode")), alike)
    assert "forged" not in added.values()
    assert (added["sentiment.errors.reason"], len(added)) == ("not_json", 9)
    assert added["sentiment.errors.timestamp"] == "-1"


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("stage", ["decode", "score", "publish"])
def test_every_reason_and_stage_fits_the_schema(reason: Reason, stage: Any) -> None:
    """A detail that is too long is cut."""
    detail = "x" * (DETAIL_CHARACTERS_MAX + 1)
    added = _added(_encode(Rejected(_record(), reason, detail, stage)))
    assert (added["sentiment.errors.reason"], added["__connect.errors.stage"]) == (reason, stage)
    assert added["__connect.errors.exception.message"] == "x" * DETAIL_CHARACTERS_MAX


def test_an_event_that_is_too_large_becomes_smaller_step_by_step() -> None:
    """A dead letter with the whole value, then a cut one with the length and hash of the whole."""
    value = b'{"text": "x", "a": "' + b"a" * 50_000 + b'"}'
    event = _encode(_verdict({"a": "a" * 50_000}, value=value, key=b"k" * 20_000))

    letter = _smaller(event)
    assert (letter.topic, letter.value, letter.key) == ("dead", value, event.key)
    added = _added(letter)
    assert added["sentiment.errors.reason"] == "event_too_large"
    assert added["__connect.errors.stage"] == "publish"
    assert added["__connect.errors.exception.message"] == (
        f"the event of {len(event.value or b'')} bytes is larger than events takes"
    )

    cut = _smaller(letter)
    assert (cut.topic, cut.source) == ("dead", event.source)
    assert cut.value == value[:CUT_BYTES_MAX]
    assert cut.key == (event.key or b"")[:CUT_BYTES_MAX]
    whole = {
        "sentiment.errors.value.bytes": str(len(value)),
        "sentiment.errors.value.sha256": hashlib.sha256(value).hexdigest(),
    }
    assert _added(cut) == added | whole
    assert cut.smaller is None


@pytest.mark.parametrize("value", [b"", None])
def test_a_cut_letter_keeps_a_small_value(value: bytes | None) -> None:
    """Null stays null; its length is 0."""
    cut = _smaller(_encode(Rejected(_record(value, key=None), Reason.TOMBSTONE, "", "decode")))
    assert (cut.value, cut.key) == (value, None)
    assert _added(cut)["sentiment.errors.value.bytes"] == "0"


@pytest.mark.parametrize(
    "headers",
    [
        (("a", b"x" * CUT_BYTES_MAX),),
        (("a" * CUT_BYTES_MAX, None),),
        (("ä" * (CUT_BYTES_MAX // 2), b""),),
        (("", None),) * CUT_BYTES_MAX,
    ],
)
def test_a_cut_letter_drops_huge_headers(headers: Headers) -> None:
    """They may have made it too large; both their bytes and their number count."""
    letter = _encode(Rejected(_record(headers=headers), Reason.NOT_JSON, "", "decode"))
    assert letter.headers[: len(headers)] == headers
    assert len(_added(_smaller(letter), ())) == 11
