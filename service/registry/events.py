"""Events in the format of a schema that is registered: JSON Schema, Avro or Protobuf.

Exists so that the schema is registered before the first event, under the rules of its subject. The
framing is Confluent's: byte 0, the id in four bytes, and in Protobuf the path to the message.
"""

from __future__ import annotations

import io
import json
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import fastavro
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import ParseDict
from google.protobuf.message_factory import GetMessageClass
from pydantic_core import to_json

from service.errors import BrokerError
from service.registry.client import NotFoundError, RefusedError
from service.registry.proto_text import compiled
from service.wire.typed import event_schema
from service.wire.typed.columns import NAME, NAMESPACE, avro, protobuf

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.registry.client import RegistryClient
    from service.settings import KafkaSettings


class NotRegisteredError(BrokerError):
    """The schema of events is not there, and is not to be registered."""


# The first message of the schema is the event.
_FIRST_MESSAGE: Final = b"\0"


async def event_writer(
    client: RegistryClient, settings: KafkaSettings
) -> Callable[[dict[str, Any]], bytes]:
    """Register the schema of events, or find it; gives what writes an event as the settings say.

    Raises:
        RetriableError: the registry cannot be reached now.
        BrokerError: it refuses, or has no such schema and none is to be registered.
    """
    kind, text, write = _FORMATS[settings.output_format]()
    subject = settings.schema_registry_subject or f"{settings.output_topic}-value"
    try:
        number = await client.registered(
            subject, {"schemaType": kind, "schema": text}, new=settings.schema_registry_register
        )
    except NotFoundError:
        raise NotRegisteredError(
            f"the schema of events is not registered under the subject {subject}; register it, or "
            "set SENTIMENT_KAFKA__SCHEMA_REGISTRY_REGISTER=true"
        ) from None
    except RefusedError as error:
        raise BrokerError(
            f"the schema registry does not take the schema of events under the subject {subject} "
            f"({error}); change the subject's rules, or name another one with "
            "SENTIMENT_KAFKA__SCHEMA_REGISTRY_SUBJECT"
        ) from None
    return partial(write, b"\0" + number.to_bytes(4))


def _json() -> tuple[str, str, Any]:
    return "JSON", json.dumps(event_schema()), lambda head, event: head + to_json(event)


def _avro() -> tuple[str, str, Any]:
    schema = avro(event_schema())
    parsed = fastavro.parse_schema(schema)

    def write(head: bytes, event: dict[str, Any]) -> bytes:
        stream = io.BytesIO()
        stream.write(head)
        fastavro.schemaless_writer(stream, parsed, _plain(event))
        return stream.getvalue()

    return "AVRO", json.dumps(schema), write


def _protobuf() -> tuple[str, str, Any]:
    text = protobuf(event_schema())
    pool = DescriptorPool()
    pool.Add(compiled(text, "sentiment-event.proto"))
    message_class = GetMessageClass(pool.FindMessageTypeByName(f"{NAMESPACE}.{NAME}"))

    def write(head: bytes, event: dict[str, Any]) -> bytes:
        message = ParseDict(_plain(event), message_class(), ignore_unknown_fields=True)
        return head + _FIRST_MESSAGE + bytes(message.SerializeToString())

    return "PROTOBUF", text, write


def _plain(event: dict[str, Any]) -> dict[str, Any]:
    return event | {"model": dict(event["model"])}


_FORMATS: Final = {"json-schema": _json, "avro": _avro, "protobuf": _protobuf}
