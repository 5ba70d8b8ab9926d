"""Schemas of the event in Avro, Protobuf and Kafka Connect: events fit, and come back the same."""

from __future__ import annotations

import importlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import fastavro
import grpc_tools.protoc
import pytest
from google.protobuf.json_format import MessageToDict, ParseDict

from service.reference.schemas import schemas
from service.wire.typed.columns import NAME, NUMBERED, protobuf

FOLDER = Path(__file__).resolve().parents[2] / "schemas"
EVENT_SCHEMA = schemas()["sentiment-event.schema.json"]
[EVENT] = EVENT_SCHEMA["examples"]
NOT_SCORED = EVENT | {
    "text": None, "label": None, "score": None, "scores": {}, "confident": None, "language": None,
    "source_id": {"a": 1}, "source_id_text": '{"a":1}', "metadata": None, "metadata_text": None,
    "origin": EVENT["origin"] | {"timestamp": None, "offset": 2**63 - 1},
}  # fmt: skip
UNKNOWN = EVENT | {"new": [1], "model": EVENT["model"] | {"new": None}}
OLD = json.loads((Path(__file__).parent / "events" / "1.0.json").read_text())
# Fields of any type, which are there as strings too, and those that have no name.
LEFT_OUT = {"source_id", "source", "lang", "created_at", "metadata", "extra"}

events = pytest.mark.parametrize("event", [EVENT, NOT_SCORED, UNKNOWN, OLD])


def _columns(event: dict[str, Any]) -> dict[str, Any]:
    """What the schemas keep of an event; null is what it has not."""
    kept = {name: event.get(name) for name in EVENT if name not in LEFT_OUT}
    inner = ("model", "text_stats", "origin")
    return kept | {name: {part: event[name].get(part) for part in EVENT[name]} for name in inner}


@events
def test_avro(event: dict[str, Any]) -> None:
    """An event is a datum of the schema, and is the same again after writing and reading."""
    schema = fastavro.parse_schema(json.loads((FOLDER / "sentiment-event.avsc").read_text()))
    assert fastavro.validate(event, schema)
    file = io.BytesIO()
    fastavro.schemaless_writer(file, schema, event)
    file.seek(0)
    assert _columns(event) == fastavro.schemaless_reader(file, schema, None)


@pytest.fixture(scope="module")
def message(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The class of an event that protoc makes."""
    folder = tmp_path_factory.mktemp("protobuf")
    (folder / "event.proto").write_bytes((FOLDER / "sentiment-event.proto").read_bytes())
    options = ["protoc", f"--proto_path={folder}", f"--python_out={folder}", "event.proto"]
    assert 0 == grpc_tools.protoc.main(options)
    sys.path.insert(0, str(folder))
    try:
        return getattr(importlib.import_module("event_pb2"), NAME)
    finally:
        sys.path.remove(str(folder))


def _without_null(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: _without_null(inner) for name, inner in value.items() if inner is not None}


def _numbers(value: Any, like: Any) -> Any:
    """The value with the integers that JSON of Protobuf has as strings."""
    if isinstance(value, dict):
        return {name: _numbers(inner, (like or {}).get(name)) for name, inner in value.items()}
    return int(value) if isinstance(like, int) and isinstance(value, str) else value


@events
def test_protobuf(event: dict[str, Any], message: Any) -> None:
    """Protobuf's own reader of JSON takes it, and its bytes hold it."""
    parsed = ParseDict(event, message(), ignore_unknown_fields=True)
    again = message.FromString(parsed.SerializeToString())
    written = MessageToDict(
        again, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    columns = _without_null(_columns(event))
    assert columns == _numbers(written, columns)


def test_numbers_of_protobuf_stay() -> None:
    """Bytes of an older version are read right; a new field must be given a number."""
    assert (1, 9, 15, 18) == tuple(
        1 + NUMBERED[NAME].index(name) for name in ("id", "score", "origin", "schema_version")
    )
    assert (4, 5) == (len(NUMBERED["Model"]), len(NUMBERED["Origin"]))
    more = {**EVENT_SCHEMA["properties"], "new": {"type": "string"}}
    with pytest.raises(ValueError, match="new"):
        protobuf(EVENT_SCHEMA | {"properties": more})


def _fits(value: Any, schema: dict[str, Any]) -> bool:
    """Whether Kafka Connect's JsonConverter takes a value: the types of JSON that it converts."""
    if value is None:
        return bool(schema["optional"])
    if schema["type"] == "struct":
        return all(_fits(value.get(one["field"]), one) for one in schema["fields"])
    if schema["type"] == "map":
        return all(_fits(inner, schema["values"]) for inner in value.values())
    kinds = {"string": str, "int64": int, "double": int | float, "boolean": bool}
    return isinstance(value, kinds[schema["type"]])


@events
def test_connect(event: dict[str, Any]) -> None:
    """Each field of the schema is in the event, with the type that it names."""
    schema = json.loads((FOLDER / "sentiment-event.connect.json").read_text())
    assert _fits(event, schema)
    assert not _fits(event | {"processed_at": None}, schema)
    assert set(EVENT) - LEFT_OUT == {field["field"] for field in schema["fields"]}
