"""The schemas of records, known before the records are decoded.

Exists because a registry is asked over the network, and decoding does not wait: `look_up` brings
the schemas that records name into a bounded cache, and `opened` reads a value with what is there.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from service.errors import RetriableError
from service.records import Reason
from service.registry.avro import AvroReader
from service.registry.client import NotFoundError, Reference, RefusedError, Schema
from service.registry.documents import SchemaUnusableError
from service.registry.framing import framed
from service.registry.protobuf import Imported, ProtobufReader
from service.wire.documents.json_values import MISSING, RejectError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from service.records import Record
    from service.registry.client import RegistryClient
    from service.registry.framing import Framed, SchemaKey

# Topics seldom have more than a dozen schemas in use; each takes some 100 KB once it is compiled.
SCHEMAS_MAX: Final = 256
# A schema that is missing or unusable is asked for again after this time.
UNKNOWN_S: Final = 30.0
# A schema with more is hardly written by people; each one costs a request.
REFERENCES_MAX: Final = 100
# Most schemas that are asked for at the same time.
AT_ONCE: Final = 8


class _JsonReader:
    """The value of a schema of JSON is JSON; whether it fits the schema is not checked."""

    def read(self, framed: Framed) -> bytes:
        return framed.payload


class _Unusable(NamedTuple):
    """Why no value can be read with a schema, and until when that is not asked again."""

    detail: str
    until: float


_Reader = AvroReader | ProtobufReader | _JsonReader


class Schemas:
    """The readers of the schemas that records name; the cache is used from one stage only."""

    def __init__(
        self, client: RegistryClient, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Know no schema yet."""
        self.client = client
        self._monotonic = monotonic
        self._known: OrderedDict[SchemaKey, _Reader | _Unusable] = OrderedDict()
        self.away: str | None = None
        """Why records wait for the registry, in one line; None while they do not."""

    async def look_up(self, records: Iterable[Record]) -> None:
        """Ask for the schemas of these records that are not known, so that they can be decoded.

        Raises:
            RetriableError: the registry cannot be reached: none of the records may be decoded.
            BrokerError: it refuses for good.
        """
        named = {key for record in records if (key := _key(record)) is not None}
        now = self._monotonic()
        missing = []
        for key in named:
            known = self._known.get(key)
            if known is None or (isinstance(known, _Unusable) and known.until <= now):
                missing.append(key)
            else:
                self._known.move_to_end(key)
        if missing:
            try:
                await self._ask(missing)
            except RetriableError as error:
                self.away = str(error)
                raise
        self.away = None
        # Those of these records are the newest, and stay however many they are.
        while len(self._known) > max(SCHEMAS_MAX, len(named)):
            self._known.popitem(last=False)

    def opened(self, record: Record) -> Any:
        """The value of a record that is written with a schema, as JSON, or as the bytes of JSON.

        MISSING if it is not written with one; `look_up` has been called with the record.

        Raises:
            RejectError: its schema or its bytes cannot be used.
        """
        found = framed(record.value or b"", record.headers)
        if found is None:
            return MISSING
        reader = self._known[found.key]
        if isinstance(reader, _Unusable):
            raise RejectError(Reason.SCHEMA_ERROR, f"schema {found.key}: {reader.detail}")
        try:
            return reader.read(found)
        except RejectError as error:
            raise RejectError(error.reason, f"schema {found.key}: {error.detail}") from None

    async def close(self) -> None:
        """Close the connections to the registry."""
        await self.client.close()

    async def _ask(self, keys: Iterable[SchemaKey]) -> None:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(key: SchemaKey) -> tuple[SchemaKey, _Reader | _Unusable]:
            async with gate:
                return key, await self._reader(key)

        asked = [asyncio.create_task(one(key)) for key in keys]
        try:
            for found in asyncio.as_completed(asked):
                key, reader = await found
                self._known[key] = reader
                self._known.move_to_end(key)
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

    async def _reader(self, key: SchemaKey) -> _Reader | _Unusable:
        until = self._monotonic() + UNKNOWN_S
        try:
            schema = await self.client.schema(key)
        except NotFoundError:
            return _Unusable(
                "the registry has none; register it, or let "
                "SENTIMENT_KAFKA__SCHEMA_REGISTRY_URL name the registry of this topic's producers",
                until,
            )
        except RefusedError as error:
            return _Unusable(str(error), until)
        try:
            references = await self._references(schema)
            # Compiling a large one takes longer than the event loop may wait.
            return await asyncio.to_thread(_built, schema, references)
        except NotFoundError:
            detail = "it refers to a schema that the registry has not; register that too"
            return _Unusable(detail, until)
        except (RefusedError, SchemaUnusableError) as error:
            return _Unusable(f"{error}; write the topic with another schema", until)

    async def _references(self, schema: Schema) -> list[tuple[Reference, Schema]]:
        """What a schema refers to, and what that refers to; each behind what it needs itself."""
        found: dict[Reference, Schema] = {}

        async def add(of: Schema) -> None:
            for reference in of.references:
                if reference in found:
                    continue
                if len(asked) >= REFERENCES_MAX:
                    raise SchemaUnusableError(f"it refers to over {REFERENCES_MAX} others")
                if reference in asked:
                    raise SchemaUnusableError("schemas refer to each other in a circle")
                asked.add(reference)
                one = await self.client.referred(reference)
                await add(one)
                found[reference] = one

        asked: set[Reference] = set()
        await add(schema)
        return list(found.items())


def _key(record: Record) -> SchemaKey | None:
    if not record.value:
        return None
    try:
        found = framed(record.value, record.headers)
    except RejectError:
        # Whoever decodes it meets the same error.
        return None
    return None if found is None else found.key


def _built(schema: Schema, references: list[tuple[Reference, Schema]]) -> _Reader:
    match schema.kind or _guessed(schema.text):
        case "JSON":
            return _JsonReader()
        case "AVRO":
            return AvroReader(schema.text, [one.text for _, one in references])
        case "PROTOBUF":
            return ProtobufReader(
                schema.text, [Imported(reference.name, one.text) for reference, one in references]
            )
        case kind:
            raise SchemaUnusableError(f"its type {kind} is none of JSON, AVRO and PROTOBUF")


def _guessed(text: str) -> str:
    """The type of a schema that comes without one."""
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError):
        return "PROTOBUF"
    if not isinstance(schema, dict):
        return "AVRO"
    is_json = "$schema" in schema or "properties" in schema or schema.get("type") == "object"
    return "JSON" if is_json or "type" not in schema else "AVRO"
