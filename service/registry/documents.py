"""Values of Avro as the JSON that the rest of the service knows, and what bounds them.

Pure. The forms are part of the contract (`schemas/README.md`).
"""

from __future__ import annotations

import base64
import math
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from service.records import Reason
from service.wire.documents.json_values import DEPTH_MAX, RejectError


class SchemaUnusableError(Exception):
    """A schema that no value can be read with; says why, in words for a dead letter."""


def as_json(value: Any, depth: int = 0) -> Any:
    """A value as JSON: bytes as base64, decimals and times as strings, NaN by its name.

    Raises:
        RejectError: it is nested deeper than JSON may be.
    """
    if isinstance(value, dict | list):
        if depth >= DEPTH_MAX:
            raise RejectError(Reason.TOO_DEEP, f"nested over {DEPTH_MAX} deep")
        if isinstance(value, list):
            return [as_json(one, depth + 1) for one in value]
        return {name: as_json(one, depth + 1) for name, one in value.items()}
    if isinstance(value, float):
        return value if math.isfinite(value) else _not_finite(value)
    if value is None or isinstance(value, str | int):
        return value
    return _as_string(value)


def _as_string(value: Any) -> str:
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date() | time():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case _:
            # A UUID.
            return str(value)


def _not_finite(value: float) -> str:
    # As Protobuf has them in JSON, which itself has no such numbers.
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
