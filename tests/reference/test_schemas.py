"""The contract on disk: the schemas and their page agree with the code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from service.records import (
    Document,
    Message,
    ModelInfo,
    Partition,
    Reading,
    Reason,
    Record,
    TextStats,
    Unscored,
    Verdict,
)
from service.reference.schemas import schemas, write_schemas
from service.wire import Encoder
from service.wire.contracts import SCHEMA_VERSION, SentimentEvent, SourceMessage
from service.wire.headers import EVENT_SCHEMA, EVENT_TYPE, EventHeaders
from service.wire.letters import DeadLetter
from tools.decoding import decoded

FOLDER = Path(__file__).resolve().parents[2] / "schemas"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
NAMES = ["source-message.schema.json", "sentiment-event.schema.json", "dead-letter.schema.json"]
SOURCE, EVENT, LETTER = (schemas()[name] for name in NAMES)
HEADERS = EventHeaders.model_json_schema()


def _blocks() -> list[Any]:
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", README, re.DOTALL)]


def _first_cells(heading: str) -> list[str]:
    """The names in the first column of the tables under a heading."""
    section = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]*`) \|", section, re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


def test_the_files_are_what_the_code_generates(tmp_path: Path) -> None:
    """So that a review shows every change of the contract."""
    generated = {path.name: path.read_bytes() for path in write_schemas(tmp_path / "new")}
    assert sorted(generated) == sorted(
        path.name for path in FOLDER.iterdir() if path.suffix in (".json", ".avsc", ".proto")
    )
    for name, content in generated.items():
        assert (FOLDER / name).read_bytes() == content, f"schemas/{name} is old; run make schemas"


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_valid_and_so_are_its_examples(name: str) -> None:
    """Draft 2020-12, with one example at least."""
    schema = json.loads((FOLDER / name).read_bytes())
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert len(schema["examples"]) >= 1
    for example in schema["examples"]:
        Draft202012Validator(schema).validate(example)


@pytest.mark.parametrize(
    ("schema", "wrong"),
    [
        (SOURCE, {"id": 1}),
        (SOURCE, {"text": 7}),
        (SOURCE, {"text": ""}),
        (SOURCE, {"text": " \t\n "}),
        (EVENT, {**EVENT["examples"][0], "score": 1.1}),
        (EVENT, {**EVENT["examples"][0], "schema_version": "2.0"}),
        (EVENT, {**EVENT["examples"][0], "schema_version": "1."}),
        (EVENT, {k: v for k, v in EVENT["examples"][0].items() if k != "schema_version"}),
        (LETTER, {**LETTER["examples"][0], "sentiment.errors.reason": "bad_day"}),
        (LETTER, {**LETTER["examples"][0], "__connect.errors.offset": "-1"}),
        (LETTER, {**LETTER["examples"][0], "__connect.errors.exception.message": "x" * 501}),
    ],
)
def test_a_schema_rejects_wrong_values(schema: dict[str, Any], wrong: Any) -> None:
    """It is not only a list of names."""
    with pytest.raises(ValidationError):
        Draft202012Validator(schema).validate(wrong)


@pytest.mark.parametrize(
    "scores",
    [
        {"NEGATIVE": 0.2, "POSITIVE": 0.8},
        {"NEGATIVE": 0.1, "NEUTRAL": 0.2, "POSITIVE": 0.7},
        {"1 star": 0.1, "5 stars": 0.9},
    ],
)
@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.3", "1.10"])
def test_events_of_any_labels_fit(version: str, scores: dict[str, float]) -> None:
    """Also events of other minor versions, so producer and consumer change at any time."""
    label = max(scores, key=scores.__getitem__)
    event = {**EVENT["examples"][0], "label": label, "scores": scores, "schema_version": version}
    Draft202012Validator(EVENT).validate(event)


@pytest.mark.parametrize("name", ["1.0", "1.1"])
def test_events_of_older_versions_fit(name: str) -> None:
    """As they were written then: what came later is not required."""
    event = json.loads((Path(__file__).parent / "events" / f"{name}.json").read_bytes())
    assert name == event["schema_version"]
    Draft202012Validator(EVENT).validate(event)


def test_events_of_newer_versions_fit() -> None:
    """With fields and labels that nobody knows yet, in any object of an event."""
    [event] = EVENT["examples"]
    inner = {name: {**event[name], "new": 1} for name in ("model", "text_stats", "origin")}
    Draft202012Validator(EVENT).validate({**event, **inner, "new": {}, "schema_version": "1.10"})
    for part in (EVENT, *EVENT["$defs"].values()):
        assert part.get("additionalProperties", True) is True


def test_what_was_always_there_is_required() -> None:
    """So that consumers need no default for it."""
    event = json.loads((Path(__file__).parent / "events" / "1.0.json").read_bytes())
    assert set(event) == set(EVENT["required"])
    for name, part in (("model", "Model"), ("text_stats", "TextStatistics"), ("origin", "Origin")):
        assert set(event[name]) == set(EVENT["$defs"][part]["required"])


def test_the_example_of_an_event_is_what_the_encoder_writes() -> None:
    """For the example of a message, with the reading that the example has."""
    sent = SOURCE["examples"][1]
    record = Record(Partition("sentiment.messages", 3), 1041, 1777887000000, b"post-4711",
                    json.dumps(sent).encode(), (), 0, 10.0)  # fmt: skip
    message = decoded(record)
    assert isinstance(message, Message)
    [example] = EVENT["examples"]
    scores = example["scores"]
    document = Document(message, ([],), TextStats(**example["text_stats"]), "en")
    likeliest = max(scores, key=scores.__getitem__)
    verdict = Verdict(
        document, Reading(example["label"], scores[likeliest], scores, example["confident"])
    )
    model = ModelInfo(**example["model"], device="cpu", labels=())
    encoder = Encoder("o", "d", True, model, "0", "urn:sentiment-stream:sentiment-stream")
    outgoing = encoder.encode(verdict, 1777887000.093, 10.0184)
    event = json.loads(outgoing.value or b"")
    assert example == event
    assert _blocks() == [sent, event]
    assert HEADERS["examples"] == [{name: (v or b"").decode() for name, v in outgoing.headers}]


def test_an_event_names_its_schema() -> None:
    """Its literals, which a type checker can see, have the version of the contract."""
    assert EVENT["$id"] == EVENT_SCHEMA
    assert EVENT_SCHEMA.endswith(f":{SCHEMA_VERSION}")
    assert [SCHEMA_VERSION] == [example["schema_version"] for example in EVENT["examples"]]
    for name, value in (("ce_type", EVENT_TYPE), ("ce_dataschema", EVENT_SCHEMA)):
        header = HEADERS["properties"][name]
        assert [{"const": value, "type": "string"}, {"type": "null"}] == header["anyOf"]


def test_an_event_without_a_score_is_in_the_contract() -> None:
    """That of a text in another language that was passed on: its scores are null."""
    record = Record(Partition("in", 0), 7, 5, None, b"", (), 0, 10.0)
    passed = Unscored(Message(record, "Bonjour", {}), "fr")
    model = ModelInfo("bundled", "sha256:0", "onnx_packed", "float32", "cpu", ())
    outgoing = Encoder("o", "d", True, model, "0").encode(passed, 1777887000.0, 10.5)
    event = json.loads(outgoing.value or b"")
    Draft202012Validator(EVENT).validate(event)
    results = {name: event[name] for name in ("label", "score", "scores", "confident", "language")}
    assert {"scores": {}, "language": "fr"} == {k: v for k, v in results.items() if v is not None}
    assert 0 == event["text_stats"]["windows"]


def test_the_page_lists_every_field_header_and_reason() -> None:
    """In the order of the code, and no others."""
    assert _first_cells("Producing messages") == list(SourceMessage.model_fields)
    assert _first_cells("Reading events") == list(SentimentEvent.model_fields)
    headers = [field.alias for field in DeadLetter.model_fields.values()]
    assert _first_cells("Dead letters") == [*headers, *Reason]
    attributes = [field.alias for field in EventHeaders.model_fields.values() if field.alias]
    assert _first_cells("CloudEvents") == attributes
