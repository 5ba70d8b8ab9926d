"""What becomes of records whose schemas are in a registry."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from service.registry import schemas_of
from service.settings import KafkaSettings
from tools.decoding import decoder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from service.records import Decoded, Record
    from service.registry.schemas import Schemas


@contextlib.asynccontextmanager
async def schemas_at(url: str, **settings: Any) -> AsyncIterator[Schemas]:
    """The schemas of the registry at an address."""
    settings = {f"schema_registry_{name}": value for name, value in settings.items()}
    schemas = schemas_of(KafkaSettings(schema_registry_url=url, **settings))
    assert schemas is not None
    try:
        yield schemas
    finally:
        await schemas.close()


async def read(
    schemas: Schemas, one: Record, text_field: str = "/text", skip: str = ""
) -> list[Decoded]:
    """Look up the schema of a record, and decode it."""
    by = decoder(text_field, skip=skip)
    by.opened = schemas.opened
    await schemas.look_up([one])
    return by.decode(one)
