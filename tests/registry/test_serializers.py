"""What Confluent's own serializers write is read, on a fake registry and on Apicurio's."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, get_args

import pytest

from service.records import Message
from tools.registry.producers import Kind, written
from tools.registry.reading import read, schemas_at
from tools.values import record

if TYPE_CHECKING:
    from service.records import Headers
    from service.registry.schemas import Schemas
    from tools.registry.fake import FakeRegistry

KINDS = get_args(Kind)
MESSAGE = {"id": 7, "text": "I love it, grüße 👍"}


async def expect_it(schemas: Schemas, kind: Kind, value: bytes, headers: Headers) -> None:
    """The message that was written is what is read."""
    one = record(value=value, headers=headers)
    [found] = await read(schemas, one)
    assert isinstance(found, Message)
    assert MESSAGE["text"] == found.text
    # In JSON Protobuf has integers of 64 bits as strings.
    assert {"id": "7" if kind == "protobuf" else 7} == found.fields
    assert one == found.record


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("in_header", [False, True])
async def test_on_a_fake_registry(registry: FakeRegistry, kind: Kind, in_header: bool) -> None:
    """Each format, with the id in the value or the GUID in a header."""
    value, headers = await written(registry.url, kind, MESSAGE, in_header=in_header)
    assert in_header == bool(headers)
    async with schemas_at(registry.url) as schemas:
        await expect_it(schemas, kind, value, headers)


@pytest.mark.parametrize("kind", KINDS)
async def test_on_apicurio(apicurio: str, kind: Kind) -> None:
    """By Confluent's API and by Apicurio's, with ids in the value and in headers."""
    confluent = f"{apicurio}/apis/ccompat/v7"
    topic = f"posts-{uuid.uuid4().hex}"
    value, _ = await written(confluent, kind, MESSAGE, topic=topic)
    number = value[1:5]
    # Of Protobuf a name is before the message where Apicurio's serializer wrote it.
    payload = value[7:] if kind == "protobuf" else value[5:]
    ref = b"\x06\x0a\x04Post" if kind == "protobuf" else b""
    name = (("apicurio.protobuf.type", b"Post"),) if kind == "protobuf" else ()
    async with schemas_at(confluent) as schemas:
        await expect_it(schemas, kind, value, ())
        await expect_it(schemas, kind, b"\x00" + number + ref + payload, ())
    async with schemas_at(f"{apicurio}/apis/registry/v3") as schemas:
        await expect_it(schemas, kind, b"\x00" + number + ref + payload, ())
        header = ("apicurio.value.contentId", bytes(4) + number)
        await expect_it(schemas, kind, payload, (header, *name))
        await expect_it(schemas, kind, ref + payload, (header, *name))
        unknown = await read(schemas, record(value=b"\x00\x00\x0f\xff\xff" + payload))
        assert "the registry has none" in unknown[0].detail  # type: ignore[union-attr]
