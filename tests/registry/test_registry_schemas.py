"""Schemas of records: asked for once, kept in bounds, waited for where the registry is away."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from service.errors import BrokerError, RetriableError, SettingsError
from service.records import Message, Reason, Rejected
from service.registry import schemas as module
from service.registry.client import ANSWER_BYTES_MAX, RegistryClient
from service.registry.schemas import REFERENCES_MAX, SCHEMAS_MAX, UNKNOWN_S, Schemas
from service.settings import KafkaSettings
from tools.registry.reading import read, schemas_at
from tools.values import record

if TYPE_CHECKING:
    from pathlib import Path

    from service.records import Record
    from tools.registry.fake import FakeRegistry

STRING = {
    "schema": '{"type": "record", "name": "P", "fields": [{"name": "text", "type": "string"}]}'
}


def framed(number: int, payload: bytes = b"\x02a") -> Record:
    """A record written with the schema of an id."""
    return record(value=b"\x00" + number.to_bytes(4) + payload)


def rejected(found: list[Any]) -> str:
    """The detail of what is rejected for its schema."""
    [one] = found
    assert isinstance(one, Rejected)
    assert Reason.SCHEMA_ERROR == one.reason
    assert "decode" == one.stage
    return one.detail


async def test_a_schema_is_asked_for_once(registry: FakeRegistry) -> None:
    """However many records name it, and whatever else is among them."""
    number = registry.add(STRING)
    records = [framed(number), record(value=b'{"text": "b"}'), framed(number), record(value=None)]
    async with schemas_at(registry.url) as schemas:
        for _ in range(3):
            await schemas.look_up(records)
        [one] = await read(schemas, records[0])
        assert isinstance(one, Message)
        assert "a" == one.text
        [plain] = await read(schemas, records[1])
        assert isinstance(plain, Message)
        assert "b" == plain.text
    assert {f"/schemas/ids/{number}": 1} == registry.asked


async def test_plain_messages_ask_for_nothing(registry: FakeRegistry) -> None:
    """No connection is made for them."""
    async with schemas_at(registry.url) as schemas:
        await schemas.look_up([record(value=b'{"text": "b"}'), record(value=b"")])
    assert not registry.asked


async def test_an_id_that_nobody_knows(registry: FakeRegistry) -> None:
    """It is a dead letter that says what to do; the registry is asked again, but not at once."""
    now = 0.0
    settings = KafkaSettings(schema_registry_url=registry.url)
    schemas = Schemas(RegistryClient(settings), lambda: now)
    for _ in range(2):
        detail = rejected(await read(schemas, framed(1)))
        assert detail.startswith(
            "schema id 1: the registry has none; register it, or let SENTIMENT"
        )
    assert 1 == registry.asked["/schemas/ids/1"]
    registry.add(STRING)
    now += UNKNOWN_S
    [one] = await read(schemas, framed(1))
    assert isinstance(one, Message)
    await schemas.close()


async def test_a_guid_that_an_old_registry_cannot_look_up(registry: FakeRegistry) -> None:
    """It answers as if there were no such path, and is there all the same: nobody waits for it."""
    value = b"\x01" + bytes(range(16)) + b"\x02a"
    async with schemas_at(registry.url) as schemas:
        assert "the registry has none" in rejected(await read(schemas, record(value=value)))


async def test_a_registry_that_is_away_is_waited_for(registry: FakeRegistry) -> None:
    """Nothing is decoded meanwhile, and the reason is told; then all is as before."""
    number = registry.add(STRING)
    async with schemas_at(registry.url) as schemas:
        for status in (500, 503, 429, 404, 301):
            registry.status = status
            with pytest.raises(RetriableError, match=f"status {status}"):
                await schemas.look_up([framed(number)])
            assert schemas.away is not None
            assert registry.url in schemas.away
        registry.status = None
        [one] = await read(schemas, framed(number))
        assert isinstance(one, Message)
        assert schemas.away is None
        # What is known needs no registry.
        registry.status = 503
        await schemas.look_up([framed(number)])


async def test_nobody_listens() -> None:
    """The error names the address and the setting."""
    async with schemas_at("http://127.0.0.1:1") as schemas:
        with pytest.raises(RetriableError, match=r"127.0.0.1:1 cannot be reached .*REGISTRY_URL"):
            await schemas.look_up([framed(1)])


async def test_a_login(registry: FakeRegistry, tmp_path: Path) -> None:
    """Name and password are sent; wrong ones end the service, and are not in what it says."""
    number = registry.add(STRING)
    registry.login = ("reader", "s3cret")
    password = tmp_path / "password"
    password.write_text("s3cret\n")
    login = {"username": "reader", "password_file": password}
    async with schemas_at(registry.url, **login) as schemas:
        [one] = await read(schemas, framed(number))
        assert isinstance(one, Message)
    password.write_text("wr0ng")
    async with schemas_at(registry.url, **login) as schemas:
        with pytest.raises(BrokerError, match="SCHEMA_REGISTRY_PASSWORD_FILE") as caught:
            await schemas.look_up([framed(number)])
    assert "wr0ng" not in str(caught.value)


async def test_a_password_that_is_no_text_is_told_by_its_variable(tmp_path: Path) -> None:
    """Not by the file alone, which may be one of many."""
    password = tmp_path / "password"
    password.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"SCHEMA_REGISTRY_PASSWORD_FILE=.*is not UTF-8"):
        async with schemas_at("http://r:1", username="reader", password_file=password):
            pass


async def test_the_cache_is_bounded(registry: FakeRegistry) -> None:
    """The schemas that were not named for longest go; those of one poll stay together."""
    numbers = [
        registry.add({"schema": json.dumps({"type": "string", "n": n})})
        for n in range(SCHEMAS_MAX + 20)
    ]
    async with schemas_at(registry.url) as schemas:
        await schemas.look_up([framed(numbers[0])])
        for number in numbers[1 : SCHEMAS_MAX + 1]:
            await schemas.look_up([framed(number), framed(numbers[0])])
        assert SCHEMAS_MAX == len(schemas._known)
        assert 1 == registry.asked[f"/schemas/ids/{numbers[0]}"]
        await schemas.look_up([framed(numbers[1])])
        assert 2 == registry.asked[f"/schemas/ids/{numbers[1]}"]
        await schemas.look_up([framed(number) for number in numbers])
        assert {"a"} == {schemas.opened(framed(number)) for number in numbers}
        await schemas.look_up([framed(numbers[0])])
        assert SCHEMAS_MAX == len(schemas._known)


async def test_references(registry: FakeRegistry) -> None:
    """A schema's references are asked for, and theirs, each once."""
    registry.add({"schema": '{"type": "enum", "name": "E", "symbols": ["A"]}'}, "e")
    e = {"name": "E", "subject": "e", "version": 1}
    fields = [{"name": "e", "type": "E"}, {"name": "text", "type": "string"}]
    inner = {"type": "record", "name": "I", "fields": fields}
    registry.add({"schema": json.dumps(inner), "references": [e]}, "i/a b")
    i = {"name": "I", "subject": "i/a b", "version": 1}
    outer = {"type": "record", "name": "O", "fields": [{"name": "i", "type": "I"}, fields[0]]}
    number = registry.add({"schema": json.dumps(outer), "references": [i, e]})
    async with schemas_at(registry.url) as schemas:
        [one] = await read(schemas, framed(number, b"\x00\x02a\x00"), "/i/text")
        assert isinstance(one, Message)
        assert {"i": {"e": "A"}, "e": "A"} == one.fields
    assert 1 == registry.asked["/subjects/e/versions/1"]


@pytest.mark.parametrize("kind", ["missing", "circle", "many"])
async def test_references_that_cannot_be_used(registry: FakeRegistry, kind: str) -> None:
    """Missing ones, circles and too many are a dead letter each."""
    references = [{"name": "S", "subject": "s", "version": 1}]
    if kind == "circle":
        registry.add({"schema": '"string"', "references": references}, "s")
    if kind == "many":
        references = []
        for n in range(REFERENCES_MAX + 1):
            schema = json.dumps({"type": "enum", "name": f"E{n}", "symbols": ["A"]})
            registry.add({"schema": schema}, f"e{n}")
            references.append({"name": f"E{n}", "subject": f"e{n}", "version": 1})
    number = registry.add(STRING | {"references": references})
    whys = {"missing": "the registry has not", "circle": "in a circle", "many": "over 100 others"}
    async with schemas_at(registry.url) as schemas:
        assert whys[kind] in rejected(await read(schemas, framed(number)))


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (
            {"schema": "<a/>", "schemaType": "XML"},
            "its type XML is none of JSON, AVRO and PROTOBUF",
        ),
        ({"schema": "{"}, "it is no Avro schema"),
        ({"schema": "message", "schemaType": "PROTOBUF"}, "it is no Protobuf schema"),
        ({"schema": json.dumps("a" * ANSWER_BYTES_MAX)}, "it is over 2097152 bytes long"),
        ({"schema": STRING["schema"], "schemaType": "PROTOBUF"}, "it is no Protobuf schema"),
    ],
)
async def test_schemas_that_cannot_be_used(
    registry: FakeRegistry, schema: dict[str, Any], why: str
) -> None:
    """A dead letter says which schema, and why."""
    number = registry.add(schema)
    async with schemas_at(registry.url) as schemas:
        detail = rejected(await read(schemas, framed(number)))
    assert detail.startswith(f"schema id {number}: {why}")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"type": "record", "name": "A", "fields": []}', "AVRO"),
        ('["null", "string"]', "AVRO"),
        ('"string"', "AVRO"),
        ('{"$schema": "http://json-schema.org/draft-07/schema#"}', "JSON"),
        ('{"type": "object"}', "JSON"),
        ('{"anyOf": []}', "JSON"),
        ('syntax = "proto3";', "PROTOBUF"),
        ("Cgpwb3N0LnByb3Rv", "PROTOBUF"),
    ],
)
def test_the_type_of_a_schema_that_comes_without_one(text: str, kind: str) -> None:
    """As Apicurio's own API gives them."""
    assert kind == module._guessed(text)
