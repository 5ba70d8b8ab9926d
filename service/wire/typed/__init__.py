"""The event's schema in forms that have a type for each field, made of its JSON Schema.

Pure. Used for the documents in `schemas/` and for events with a schema registry; no bytes are
written here.
"""

from __future__ import annotations

from typing import Any

from service.wire.contracts import SCHEMA_VERSION, SentimentEvent
from service.wire.typed.json_schema import plain


def event_schema() -> dict[str, Any]:
    """The JSON Schema of an event, as it is written."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:sentiment-stream:schema:sentiment-event:{SCHEMA_VERSION}",
        **plain(SentimentEvent.model_json_schema(mode="serialization")),
    }
