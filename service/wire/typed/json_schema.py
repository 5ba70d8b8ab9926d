"""JSON Schemas of the contract, in the words that generators of code understand best.

Exists so that all documents say the same of a field. Pydantic writes `string or null` as a choice
of two schemas, from which some generators make a class or an `Object`; here it is one schema with
two types.
"""

from __future__ import annotations

from typing import Any

# With these words beside a type, null is not allowed by adding it to the types.
_CLOSED = {"enum", "const", "$ref", "anyOf", "oneOf", "allOf"}


def plain(schema: Any) -> Any:
    """The schema, or any part of one, with `anyOf` of a type and null as two types."""
    if isinstance(schema, list):
        return [plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {name: plain(part) for name, part in schema.items() if name != "examples"}
    match parts.get("anyOf"):
        case [{"type": str(kind)} as one, {"type": "null"}] if not _CLOSED & set(one):
            del parts["anyOf"]
            parts = {**one, **parts, "type": [kind, "null"]}
    return parts | {name: part for name, part in schema.items() if name == "examples"}
