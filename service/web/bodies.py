"""Reading request bodies: bounded in size and time, strict JSON, with errors that name the field.

Exists so that handlers only see validated requests. Errors quote nothing of a body but names of
fields, and nothing is logged.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

_Form = TypeVar("_Form", bound=BaseModel)

# Enough for the largest allowed number of texts of the largest allowed length, in ASCII.
BODY_BYTES_MAX = 2**20
# Read and discarded of a larger body: a client reads the answer only after it has sent its body.
DISCARDED_BYTES_MAX = 4 * 2**20
BODY_TIMEOUT_S = 5.0
# Longest location in an error message: names of fields come from the client.
_PLACE_CHARACTERS_MAX = 100


class RefusedError(Exception):
    """A request is answered with an error; `reason` is one line for the client."""

    def __init__(self, status: int, reason: str) -> None:
        """Answer with this HTTP status."""
        super().__init__(reason)
        self.status = status
        self.reason = reason


async def json_body(request: web.Request) -> Any:
    """The parsed body of a request.

    Raises:
        RefusedError: it is not declared as JSON, is too large, takes too long, or is not JSON.
    """
    return _parsed(await _body(request))


async def _body(request: web.Request) -> bytes:
    if request.content_type != "application/json":
        raise RefusedError(415, "send JSON, with Content-Type: application/json")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise RefusedError(415, "send the body without Content-Encoding")
    body, size = bytearray(), 0
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.content.iter_any():
                size += len(chunk)
                if size <= BODY_BYTES_MAX:
                    body += chunk
                elif size > DISCARDED_BYTES_MAX:
                    break
    except TimeoutError:
        raise RefusedError(408, f"the body took over {BODY_TIMEOUT_S:.0f} s") from None
    except ConnectionError:  # nobody reads the answer, but it is not a failure of the service
        raise RefusedError(400, "the connection was closed before the end of the body") from None
    if size > BODY_BYTES_MAX:
        raise RefusedError(413, f"over {BODY_BYTES_MAX} bytes; send fewer texts at once")
    return bytes(body)


def _parsed(body: bytes) -> Any:
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        # The error gives kind and position without quoting the body: not JSON, nested too deep, or
        # half of a surrogate pair.
        raise RefusedError(400, f"the body is not JSON: {error}") from None


def validated(model: type[_Form], asked: Any) -> _Form:
    """A parsed body as an instance of `model`.

    Raises:
        RefusedError: it does not match the model; names the first field that does not.
    """
    try:
        return model.model_validate(asked)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        reason = first["msg"].removeprefix("Value error, ")
        raise RefusedError(422, f"{_place(first['loc'])}: {reason}") from None


def _place(location: Sequence[int | str]) -> str:
    """Like `inputs[3]`. For `inputs`, the second part of a location is only the union's branch."""
    head, *rest = location or ("the body",)
    if head == "inputs":
        rest = rest[1:]
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest]
    return f"{head}{''.join(parts)}"[:_PLACE_CHARACTERS_MAX]
