"""Values as Confluent's own serializers write them, in each format."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Literal

from confluent_kafka.schema_registry import (
    SchemaRegistryClient,
    header_schema_id_serializer,
    prefix_schema_id_serializer,
)
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from service.registry.proto_text import compiled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.records import Headers

Kind = Literal["avro", "json", "protobuf"]

AVRO = {
    "type": "record",
    "name": "Post",
    "namespace": "acme",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "text", "type": ["null", "string"], "default": None},
    ],
}
JSON = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "Post",
    "type": "object",
    "properties": {"id": {"type": "integer"}, "text": {"type": "string"}},
}
PROTOBUF = """
syntax = "proto3";
package acme;
message Other { string note = 1; }
message Post { int64 id = 1; optional string text = 2; }
"""


def protobuf_class(text: str, name: str) -> Any:
    """The class of a message of a schema without imports."""
    pool = DescriptorPool()
    pool.Add(compiled(text, "post.proto"))
    return GetMessageClass(pool.FindMessageTypeByName(name))


async def written(
    url: str,
    kind: Kind,
    message: Mapping[str, Any],
    *,
    in_header: bool = False,
    topic: str = "posts",
) -> tuple[bytes, Headers]:
    """The value and headers of a message; its schema is registered on the way."""
    return await asyncio.to_thread(_written, url, kind, message, in_header, topic)


def _written(
    url: str, kind: Kind, message: Mapping[str, Any], in_header: bool, topic: str
) -> tuple[bytes, Headers]:
    with SchemaRegistryClient({"url": url}) as client:
        place = header_schema_id_serializer if in_header else prefix_schema_id_serializer
        options: dict[str, Any] = {"schema.id.serializer": place}
        headers: Any = []
        context = SerializationContext(topic, MessageField.VALUE, headers)
        one: Any = dict(message)
        serializer: Any
        if kind == "avro":
            serializer = AvroSerializer(client, json.dumps(AVRO), conf=options)
        elif kind == "json":
            serializer = JSONSerializer(json.dumps(JSON), client, conf=options)
        else:
            message_class = protobuf_class(PROTOBUF, "acme.Post")
            one = message_class(**message)
            options["use.deprecated.format"] = False
            serializer = ProtobufSerializer(message_class, client, conf=options)
        value = serializer(one, context)
    return value, tuple(headers)
