"""All generated documents in `schemas/`: JSON Schemas of the models, and what is made of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic.alias_generators import to_snake

from service.reference.asyncapi import asyncapi
from service.web.openapi import openapi
from service.wire.contracts import SCHEMA_VERSION, SentimentEvent, SourceMessage
from service.wire.letters import DeadLetter
from service.wire.typed import event_schema
from service.wire.typed.columns import avro, connect, protobuf
from service.wire.typed.json_schema import plain

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel

_MODELS: tuple[type[BaseModel], ...] = (SourceMessage, SentimentEvent, DeadLetter)


def schemas() -> dict[str, dict[str, Any]]:
    """Schemas by file name: that of an event as it is written, the others as they are read."""
    names = {model: to_snake(model.__name__).replace("_", "-") for model in _MODELS}
    found = {
        f"{name}.schema.json": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"urn:sentiment-stream:schema:{name}:{SCHEMA_VERSION}",
            **plain(model.model_json_schema(mode="validation")),
        }
        for model, name in names.items()
    }
    return found | {"sentiment-event.schema.json": event_schema()}


def documents() -> dict[str, str]:
    """The text of all generated documents by file name."""
    of_json = schemas()
    event = of_json["sentiment-event.schema.json"]
    written = {
        **of_json,
        "asyncapi.json": asyncapi(),
        "openapi.json": openapi(),
        "sentiment-event.avsc": avro(event),
        "sentiment-event.connect.json": connect(event),
    }
    return {
        **{name: _json(document) for name, document in written.items()},
        "sentiment-event.proto": protobuf(event),
    }


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def write_schemas(folder: Path) -> list[Path]:
    """Write all documents into a folder; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in documents().items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written
