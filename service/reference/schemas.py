"""The JSON Schemas, AsyncAPI and OpenAPI documents in `schemas/`, generated from the models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic.alias_generators import to_snake

from service.reference.asyncapi import asyncapi
from service.web.openapi import openapi
from service.wire.contracts import SCHEMA_VERSION, SentimentEvent, SourceMessage
from service.wire.letters import DeadLetter

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel

_MODELS: tuple[type[BaseModel], ...] = (SourceMessage, SentimentEvent, DeadLetter)


def schemas() -> dict[str, dict[str, Any]]:
    """Schemas by file name: that of an event as it is written, the others as they are read."""
    names = {model: to_snake(model.__name__).replace("_", "-") for model in _MODELS}
    return {
        f"{name}.schema.json": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"urn:sentiment-stream:schema:{name}:{SCHEMA_VERSION}",
            **model.model_json_schema(
                mode="serialization" if model is SentimentEvent else "validation"
            ),
        }
        for model, name in names.items()
    }


def documents() -> dict[str, dict[str, Any]]:
    """All generated documents by file name."""
    return {**schemas(), "asyncapi.json": asyncapi(), "openapi.json": openapi()}


def write_schemas(folder: Path) -> list[Path]:
    """Write all documents into a folder; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, document in documents().items():
        path = folder / name
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(path)
    return written
