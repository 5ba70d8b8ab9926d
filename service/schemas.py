"""JSON Schemas of everything on the wire, generated from `contracts`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic.alias_generators import to_snake

from service.contracts import DeadLetter, SentimentEvent, SourceMessage

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel

_MODELS: tuple[type[BaseModel], ...] = (SourceMessage, SentimentEvent, DeadLetter)


def schemas() -> dict[str, dict[str, Any]]:
    """File name to schema; an event is described as it is written, a message as it is read."""
    return {
        f"{to_snake(model.__name__).replace('_', '-')}.schema.json": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **model.model_json_schema(
                mode="serialization" if model is SentimentEvent else "validation"
            ),
        }
        for model in _MODELS
    }


def write_schemas(folder: Path) -> list[Path]:
    """Write all schemas into a folder; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, schema in schemas().items():
        path = folder / name
        path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(path)
    return written
