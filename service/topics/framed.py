"""Reads the values of output topics as JSON, whatever format the service wrote them in.

Exists because a schema registry is asked before a value can be read, and a topic of framed events
must not pass for one without events. Nothing may enter that knows what an event says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.errors import InputError
from service.registry.framing import framed
from service.wire.documents.json_values import MISSING, RejectError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.records import Record
    from service.registry.schemas import Schemas


async def values_of(records: Sequence[Record], schemas: Schemas | None) -> list[Any]:
    """The value of each record: bytes, or a document of JSON; None if it cannot be read.

    Raises:
        InputError: a value is written with a schema, and no registry is set.
        RetriableError, BrokerError: the registry does not answer now, or refuses for good.
    """
    if schemas is not None:
        await schemas.look_up(records)
    return [_value(record, schemas) for record in records]


def _value(record: Record, schemas: Schemas | None) -> Any:
    try:
        if schemas is not None:
            found = schemas.opened(record)
            return record.value if found is MISSING else found
        is_framed = framed(record.value or b"", record.headers) is not None
    except RejectError:
        return None
    if is_framed:
        raise InputError(
            f"{record.partition.topic}: its events are written with a schema; set "
            "SENTIMENT_KAFKA__SCHEMA_REGISTRY_URL to the registry that has it"
        )
    return record.value
