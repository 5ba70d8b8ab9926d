"""Bodies of requests: bounded in size and time, strict JSON, and errors that name the place.

Exists so that what answers a request sees only what has the form that it asks for. Nothing of a
body is quoted beyond the names of its fields, and nothing is logged.
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

# Room for as many texts as may be, each as long as may be, in plain letters.
BODY_BYTES_MAX = 2**20
# What is read of a larger one, and thrown away: a client that still sends does not hear the answer.
DISCARDED_BYTES_MAX = 4 * 2**20
BODY_TIMEOUT_S = 5.0
# A place in a request is said up to here: its names may be anybody's.
_PLACE_CHARACTERS_MAX = 100


class RefusedError(Exception):
    """What the client is told; `reason` is one line."""

    def __init__(self, status: int, reason: str) -> None:
        """Answer with this status."""
        super().__init__(reason)
        self.status = status
        self.reason = reason


async def json_body(request: web.Request) -> Any:
    """What a request says in JSON.

    Raises:
        RefusedError: it says nothing of JSON, is too large, takes too long, or is no JSON.
    """
    return _parsed(await _body(request))


async def _body(request: web.Request) -> bytes:
    if request.content_type != "application/json":
        raise RefusedError(415, "say Content-Type: application/json, and send that")
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
    except ConnectionError:  # nobody hears it, but it is no fault of the service
        raise RefusedError(400, "the connection was closed before the end of the body") from None
    if size > BODY_BYTES_MAX:
        raise RefusedError(413, f"over {BODY_BYTES_MAX} bytes; send fewer texts at once")
    return bytes(body)


def _parsed(body: bytes) -> Any:
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        # Says what and where, and quotes nothing: not JSON, nested too deep, half a surrogate pair.
        raise RefusedError(400, f"the body is not JSON that can be read: {error}") from None


def validated(model: type[_Form], asked: Any) -> _Form:
    """What was asked, as its form.

    Raises:
        RefusedError: it has another form; the first place at which it has is named.
    """
    try:
        return model.model_validate(asked)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        reason = first["msg"].removeprefix("Value error, ")
        raise RefusedError(422, f"{_place(first['loc'])}: {reason}") from None


def _place(location: Sequence[int | str]) -> str:
    """Like `inputs[3]`; the second of a place in `inputs` only says which form was taken."""
    head, *rest = location or ("the body",)
    if head == "inputs":
        rest = rest[1:]
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest]
    return f"{head}{''.join(parts)}"[:_PLACE_CHARACTERS_MAX]
