"""A schema registry over HTTP with the API of Confluent, for tests: in memory, and as told.

The same tests are held against a real one (`apicurio`). May not import the service.
"""

from __future__ import annotations

import base64
import contextlib
import json
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from aiohttp import web

from tools.registry.compiler import by_protoc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NOT_FOUND = {"error_code": 40403, "message": "Schema not found"}
CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"


class FakeRegistry:
    """Keeps schemas by id and subject; counts what it is asked."""

    def __init__(self) -> None:
        """Begin without a schema."""
        self.url = ""
        self.asked: Counter[str] = Counter()
        self.login: tuple[str, str] | None = None
        # Answers with this status in place of its own answer.
        self.status: int | None = None
        self.refuses: str | None = None
        self._schemas: list[dict[str, Any]] = []
        self._versions: dict[str, list[int]] = {}

    def add(self, schema: dict[str, Any], subject: str = "any") -> int:
        """Register a schema as a client sends it; gives its id."""
        kept: dict[str, Any] = {}
        for name in ("schema", "schemaType", "references"):
            if name in schema:
                kept[name] = schema[name]
        known = [n for n, one in enumerate(self._schemas, 1) if one == kept]
        if not known:
            self._schemas.append(kept)
        number = known[0] if known else len(self._schemas)
        versions = self._versions.setdefault(subject, [])
        if number not in versions:
            versions.append(number)
        return number

    def guid(self, number: int) -> uuid.UUID:
        """The GUID of the schema with an id."""
        return uuid.uuid5(uuid.NAMESPACE_OID, str(number))

    async def answer(self, request: web.Request) -> web.Response:
        """Answer as the registry would, or as told."""
        self.asked[request.path] += 1
        if self.status is not None:
            return web.Response(status=self.status, text="not now")
        given = request.headers.get("Authorization", "Basic ").removeprefix("Basic ")
        if self.login is not None and base64.b64decode(given) != ":".join(self.login).encode():
            return _json({"error_code": 401, "message": "Unauthorized"}, 401)
        return await self._asked(request)

    async def _asked(self, request: web.Request) -> web.Response:  # noqa: PLR0911 - one a path
        match [unquote(part) for part in request.rel_url.raw_path.strip("/").split("/")]:
            case ["schemas", "types"]:
                return web.json_response(["JSON", "PROTOBUF", "AVRO"])
            case ["schemas", "ids", number] if int(number) < 2**31:
                return self._schema(int(number), request.query.get("format"))
            case ["schemas", "guids", guid]:
                numbers = range(1, len(self._schemas) + 1)
                found = [n for n in numbers if str(self.guid(n)) == guid]
                return self._schema(found[0] if found else 0)
            case ["subjects", subject, "versions"]:
                if self.refuses is not None:
                    return _json({"error_code": 409, "message": self.refuses}, 409)
                return self._found(subject, self.add(await request.json(), subject))
            case ["subjects", subject, "versions", version]:
                return self._version(subject, version)
            case ["subjects", subject]:
                return self._look_up(subject, await request.json())
        return _json({"error_code": 404, "message": "HTTP 404 Not Found"}, 404)

    def _schema(self, number: int, form: str | None = None) -> web.Response:
        if not 1 <= number <= len(self._schemas):
            return _json(NOT_FOUND, 404)
        schema = self._schemas[number - 1] | {"guid": str(self.guid(number))}
        # Confluent's deserializers in Python ask for it.
        if form == "serialized" and schema["schema"].lstrip()[:2] in ("//", "sy"):
            file = by_protoc(schema["schema"]).file[-1]
            schema["schema"] = base64.b64encode(file.SerializeToString()).decode()
        return _json(schema)

    def _version(self, subject: str, version: str) -> web.Response:
        versions = self._versions.get(subject, [])
        number = len(versions) if version == "latest" else int(version)
        if not 1 <= number <= len(versions):
            return _json({"error_code": 40401, "message": "Subject not found"}, 404)
        return self._found(subject, versions[number - 1])

    def _look_up(self, subject: str, schema: dict[str, Any]) -> web.Response:
        for number in self._versions.get(subject, []):
            if self._schemas[number - 1]["schema"] == schema["schema"]:
                return self._found(subject, number)
        return _json(NOT_FOUND, 404)

    def _found(self, subject: str, number: int) -> web.Response:
        version = self._versions[subject].index(number) + 1
        told = {"id": number, "guid": str(self.guid(number)), "subject": subject}
        return _json(told | {"version": version} | self._schemas[number - 1])


@contextlib.asynccontextmanager
async def running_registry() -> AsyncIterator[FakeRegistry]:
    """A registry that listens on a free port."""
    registry = FakeRegistry()
    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", "/{path:.*}", registry.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    registry.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield registry
    finally:
        await runner.cleanup()


def _json(body: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(status=status, text=json.dumps(body), content_type=CONTENT_TYPE)


@pytest.fixture
async def registry() -> AsyncIterator[FakeRegistry]:
    """Give a registry without schemas, over HTTP, that does as told."""
    async with running_registry() as running:
        yield running
