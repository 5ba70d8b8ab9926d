"""Asks a schema registry for schemas, by the API of Confluent or that of Apicurio.

Exists so that addresses, credentials and errors of registries are in one place. Returns text;
nothing of what a schema says is looked at here, and nothing is kept.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

import aiohttp

from service.errors import BrokerError, RetriableError, first_line
from service.registry.access import login, ssl_context

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.registry.framing import SchemaKey
    from service.settings import KafkaSettings

# Longer than any registry that works takes; the session with the brokers is kept meanwhile.
ANSWER_TIMEOUT_S: Final = 10.0
# Many times the largest schemas that are in use; registries themselves take about a megabyte.
ANSWER_BYTES_MAX: Final = 2 * 2**20
# A start after a pause may need the schemas of several topics at once.
CONNECTIONS_MAX: Final = 8
# Confluent's codes for a subject, a version and a schema that are not there; others answer so too.
_UNKNOWN_CODES: Final = frozenset({40401, 40402, 40403})
_APICURIO: Final = ("/apis/registry/v2", "/apis/registry/v3")
_JSON: Final = "application/vnd.schemaregistry.v1+json, application/json"

URL: Final = "SENTIMENT_KAFKA__SCHEMA_REGISTRY_URL"
_LOGIN: Final = (
    "SENTIMENT_KAFKA__SCHEMA_REGISTRY_USERNAME and SENTIMENT_KAFKA__SCHEMA_REGISTRY_PASSWORD_FILE"
)


class NotFoundError(Exception):
    """The registry works, and has no such schema."""


class RefusedError(Exception):
    """The registry does not take a schema; says why in its own words."""


class _NoPathError(RetriableError):
    """What answers has no such path: a registry that is too old for it, or no registry."""


class Reference(NamedTuple):
    """A schema that another one refers to: the name it has there, and the path that gives it."""

    name: str
    path: str


class Schema(NamedTuple):
    """A schema as the registry has it; `kind` is JSON, AVRO, PROTOBUF, or another of its types.

    `kind` is None where the registry's answer does not have it.
    """

    kind: str | None
    text: str
    references: tuple[Reference, ...] = ()


class RegistryClient:
    """Talks to one registry over connections that it keeps."""

    def __init__(self, settings: KafkaSettings) -> None:
        """Read credentials and certificates; nothing is connected yet.

        Raises:
            SettingsError: one line for each mounted file that cannot be used.
        """
        assert settings.schema_registry_url is not None  # noqa: S101 - for the type checker
        self._url = settings.schema_registry_url.rstrip("/")
        self.is_apicurio = self._url.endswith(_APICURIO)
        # Which of Apicurio's two kinds of ids the first bytes of values hold, by their length.
        ids = settings.schema_registry_ids
        self._kinds = {
            "id": "globalIds" if ids == "global" else "contentIds",
            "long": "contentIds" if ids == "content" else "globalIds",
            "content": "contentIds",
            "global": "globalIds",
            "hash": "contentHashes",
        }
        self._login = login(settings)
        self._ssl = ssl_context(settings)
        self._session: aiohttp.ClientSession | None = None

    async def schema(self, key: SchemaKey) -> Schema:
        """The schema that a record names.

        Raises:
            NotFoundError: the registry has none of this name.
            RetriableError: the registry cannot be reached, or does not work, now.
            BrokerError: it refuses for good: wrong credentials or certificate.
        """
        try:
            if self.is_apicurio:
                if key.kind == "guid":
                    raise NotFoundError
                return await self._of_apicurio(f"/ids/{self._kinds[key.kind]}/{key.value}")
            if key.kind == "hash":
                raise NotFoundError
            folder = "guids" if key.kind == "guid" else "ids"
            return _of_confluent(await self._json("GET", f"/schemas/{folder}/{key.value}"))
        except _NoPathError:
            # Of a name that no schema can have, registries say that there is no such path.
            await self._answer("GET", "/system/info" if self.is_apicurio else "/schemas/types")
            raise NotFoundError from None

    async def referred(self, reference: Reference) -> Schema:
        """A schema that another one refers to; raises as `schema`."""
        if self.is_apicurio:
            return await self._of_apicurio(reference.path, is_version=True)
        return _of_confluent(await self._json("GET", reference.path))

    async def registered(self, subject: str, schema: dict[str, str], *, new: bool) -> int:
        """The id of a schema under a subject; with `new` it is registered where it is not there.

        Raises:
            NotFoundError: it is not there.
            RefusedError: the subject's rules do not take it.
            RetriableError, BrokerError: as for `schema`.
        """
        path = f"/subjects/{_quoted(subject)}{'/versions' if new else ''}"
        number = (await self._json("POST", path, schema)).get("id")
        if not isinstance(number, int) or not 0 < number < 2**31:
            raise RetriableError(f"{self._where(path)} is not answered with an id")
        return number

    async def close(self) -> None:
        """Close the connections; may be called twice."""
        if self._session is not None:
            await self._session.close()

    async def _of_apicurio(self, path: str, *, is_version: bool = False) -> Schema:
        has_content = is_version and self._url.endswith("/v3")
        headers, body = await self._answer("GET", path + ("/content" if has_content else ""))
        listed = json.loads((await self._answer("GET", f"{path}/references"))[1])
        references = tuple(
            Reference(
                str(one["name"]),
                f"/groups/{_quoted(one.get('groupId') or 'default')}/artifacts/"
                f"{_quoted(one['artifactId'])}/versions/{_quoted(one['version'])}",
            )
            for one in listed
        )
        return Schema(headers.get("X-Registry-ArtifactType"), _utf8(body), references)

    async def _json(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        _, content = await self._answer(method, path, body)
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise RetriableError(f"{self._where(path)} is not answered by a schema registry")
        return found

    async def _answer(
        self, method: str, path: str, body: Any = None
    ) -> tuple[Mapping[str, str], bytes]:
        """Headers and body of an answer that is no error."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX, ssl=self._ssl),
                timeout=aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_S),
                # Errors are JSON in Confluent's form; Apicurio's schemas are of any type.
                headers={"Accept": "*/*" if self.is_apicurio else _JSON},
            )
        try:
            async with self._session.request(
                method,
                self._url + path,
                json=body,
                headers=self._login(),
                allow_redirects=False,
            ) as answer:
                content = await _read(answer)
                if answer.status < 300:
                    return answer.headers, content
                raise self._error(answer.status, path, content)
        except aiohttp.ClientConnectorCertificateError as error:
            raise BrokerError(
                f"the schema registry's certificate is not accepted ({first_line(error)}); set "
                "SENTIMENT_KAFKA__SCHEMA_REGISTRY_CA_FILE to the authorities that signed it"
            ) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise RetriableError(
                f"the schema registry at {self._url} cannot be reached ({first_line(error)}); "
                f"records wait for it. {URL} names it"
            ) from None

    def _error(self, status: int, path: str, content: bytes) -> Exception:
        code, message = _code_and_message(content)
        if status in (401, 403):
            return BrokerError(
                f"{self._where(path)} is refused with status {status}: {_LOGIN} must name a user "
                "who may read the schemas"
            )
        if status == 404 and (code in _UNKNOWN_CODES or (self.is_apicurio and code == 404)):
            return NotFoundError()
        if status in (400, 409, 422):
            return RefusedError(message or f"status {status}")
        hint = "" if status >= 500 or status == 429 else f"; does {URL} name a registry?"
        kind = _NoPathError if status == 404 else RetriableError
        return kind(f"{self._where(path)} is answered with status {status}{hint}")

    def _where(self, path: str) -> str:
        return f"{self._url}{path} of the schema registry"


def _of_confluent(found: dict[str, Any]) -> Schema:
    references = tuple(
        Reference(
            str(one.get("name")),
            f"/subjects/{_quoted(one.get('subject'))}/versions/{_quoted(one.get('version'))}",
        )
        for one in found.get("references") or ()
        if isinstance(one, dict)
    )
    return Schema(str(found.get("schemaType") or "AVRO"), str(found.get("schema")), references)


def _quoted(name: Any) -> str:
    return quote(str(name), safe="")


def _utf8(body: bytes) -> str:
    return body.decode(errors="replace")


def _code_and_message(content: bytes) -> tuple[int | None, str]:
    """The code and the message of an error, if it is in Confluent's or Apicurio's form."""
    try:
        found = json.loads(content)
        code = found.get("error_code") or found.get("status")
        message = first_line(Exception(str(found.get("message") or found.get("title") or "")), 300)
    except (ValueError, AttributeError, RecursionError):
        return None, ""
    return code if isinstance(code, int) else None, message


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for part in answer.content.iter_chunked(2**16):
        content += part
        if len(content) > ANSWER_BYTES_MAX:
            answer.close()
            raise RefusedError(f"it is over {ANSWER_BYTES_MAX} bytes long")
    return bytes(content)
