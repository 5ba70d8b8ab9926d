"""Schemas of the event for readers that need a type for each field: Avro, Protobuf, Kafka Connect.

Exists so that they say the same as the JSON Schema that they are made of. They leave out fields of
any type, which are there as strings too (`…_text`), and `extra`, which has no such field: all of
these formats want to know the fields of an object. A reader of one of them passes over what it does
not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME: Final = "SentimentEvent"
NAMESPACE: Final = "sentiment.v1"

# Numbers of fields in Protobuf, counted from 1. They may never change: append new fields.
NUMBERED: Final = {
    NAME: (
        *("id", "source_id_text", "source_text", "lang_text", "created_at_text", "metadata_text"),
        *("text", "label", "score", "scores", "confident", "language", "model", "text_stats"),
        *("origin", "processed_at", "latency_ms", "schema_version"),
    ),
    "Model": ("name", "revision", "engine", "precision"),
    "TextStatistics": (
        *("tokens", "truncated", "windows", "unknown_share"),
        *("quoted_chars", "signature_chars", "code_chars"),
    ),
    "Origin": ("topic", "partition", "offset", "timestamp", "index"),
}

_AVRO = {"string": "string", "integer": "long", "number": "double", "boolean": "boolean"}
_PROTOBUF = {"string": "string", "integer": "int64", "number": "double", "boolean": "bool"}
_CONNECT = {"string": "string", "integer": "int64", "number": "double", "boolean": "boolean"}


class _Field(NamedTuple):
    """A field of one type: `kind` is that of JSON, of a map's values, or the name of a record."""

    name: str
    kind: str
    doc: str
    # Null, or left out by an older version.
    optional: bool
    is_map: bool
    record: tuple[_Field, ...] | None


def _fields(schema: dict[str, Any], whole: dict[str, Any]) -> Iterator[_Field]:
    for name, field in schema["properties"].items():
        record = None
        reference = field.get("$ref", "").rpartition("/")[2]
        if reference:
            record = tuple(_fields(whole["$defs"][reference], whole))
        values = field.get("additionalProperties", {})
        types = reference or values.get("type") or field["type"]
        kinds = [types] if isinstance(types, str) else [kind for kind in types if kind != "null"]
        if len(kinds) == 1:
            optional = "null" in types or name not in schema["required"]
            doc = field.get("description", "")
            yield _Field(name, kinds[0], doc, optional, bool(values), record)


def avro(event: dict[str, Any]) -> dict[str, Any]:
    """The Avro schema of an event, from its JSON Schema."""
    fields = tuple(_fields(event, event))
    return {"namespace": NAMESPACE, **_avro_record(NAME, event["description"], fields)}


def _avro_record(name: str, doc: str, fields: tuple[_Field, ...]) -> dict[str, Any]:
    written = []
    for field in fields:
        kind: Any
        if field.record is not None:
            kind = _avro_record(field.kind, field.doc, field.record)
        elif field.is_map:
            kind = {"type": "map", "values": _AVRO[field.kind]}
        else:
            kind = _AVRO[field.kind]
        one = {"name": field.name, "type": ["null", kind] if field.optional else kind}
        default = {"default": None} if field.optional else {}
        written.append(one | default | ({"doc": field.doc} if field.doc else {}))
    return {"type": "record", "name": name, "doc": doc, "fields": written}


def connect(event: dict[str, Any]) -> dict[str, Any]:
    """The schema of an event for Kafka Connect's JsonConverter, from its JSON Schema."""
    return {**_connect_struct(NAME, tuple(_fields(event, event))), "optional": False}


def _connect_struct(name: str, fields: tuple[_Field, ...]) -> dict[str, Any]:
    written = []
    for field in fields:
        kind: dict[str, Any]
        if field.record is not None:
            kind = _connect_struct(field.kind, field.record)
        elif field.is_map:
            kind = {
                "type": "map",
                "keys": {"type": "string", "optional": False},
                "values": {"type": _CONNECT[field.kind], "optional": False},
            }
        else:
            kind = {"type": _CONNECT[field.kind]}
        written.append({"field": field.name, **kind, "optional": field.optional})
    return {"type": "struct", "name": f"{NAMESPACE}.{name}", "fields": written}


def protobuf(event: dict[str, Any]) -> str:
    """The Protobuf schema of an event, from its JSON Schema.

    Raises:
        ValueError: a field has no number.
    """
    messages = _messages(NAME, tuple(_fields(event, event)))
    head = (
        "// The event of sentiment-stream. Made of its JSON Schema, which says what fields mean.\n"
        f'syntax = "proto3";\n\npackage {NAMESPACE};\n'
    )
    return head + "".join(messages)


def _messages(name: str, fields: tuple[_Field, ...]) -> Iterator[str]:
    lines = []
    for field in fields:
        kind = field.kind if field.record is not None else _PROTOBUF[field.kind]
        if field.is_map:
            kind = f"map<string, {kind}>"
        elif field.optional and field.record is None:
            kind = f"optional {kind}"
        if field.name not in NUMBERED[name]:
            raise ValueError(f"{name}.{field.name} has no number; append it to NUMBERED")
        number = NUMBERED[name].index(field.name) + 1
        lines.append(f"  {kind} {field.name} = {number};\n")
    yield f"\nmessage {name} {{\n{''.join(lines)}}}\n"
    for field in fields:
        if field.record is not None:
            yield from _messages(field.kind, field.record)
