"""Reads lines of text as the stream would read them as messages, for `score`.

Exists because a line may be a text, a message of JSON, or part of one request. The service's own
decoder decides what can be scored. Memory is bounded, but for a request. Tables with named columns
are in `service.tables`.
"""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from service.records import Message, Partition, Reason, Record, Rejected, Skipped
from service.settings.places import text_places
from service.wire import Decoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from service.records import Headers

# A request of the published endpoint is one object, so all of it is held in memory.
REQUEST_KEY = "input_data"
REQUEST_BYTES_MAX = 64 * 2**20

_NOWHERE = Partition("", 0)
_JSON = (("content-type", b"application/json"),)
_TEXT = (("content-type", b"text/plain"),)


class Line(NamedTuple):
    """A line, counted from 1, and its text or the reason why it has none."""

    number: int
    text: str
    reason: Reason | None


def decoder_of(text_bytes_max: int) -> Decoder:
    """What decides whether a line can be scored."""
    return Decoder("json", text_places("/text"), text_bytes_max)


def texts_of_lines(lines: Iterable[bytes], decoder: Decoder) -> Iterator[Line]:
    """A text of each line, several if it is a message with a list.

    If the whole input is a request of the published endpoint, `{"input_data": [...]}`, each of its
    elements counts as a line.
    """
    remaining = iter(lines)
    head = next(remaining, None)
    if head is None:
        return
    if head.lstrip().startswith(b"{") and (
        head.strip() == b"{" or f'"{REQUEST_KEY}"'.encode() in head
    ):
        held = list(_up_to(REQUEST_BYTES_MAX, chain([head], remaining)))
        elements = _elements(b"\n".join(held))
        if elements is not None:
            for number, element in enumerate(elements, 1):
                value = json.dumps({"text": element}).encode()
                yield from _numbered(number, _decode(value, _JSON, decoder))
            return
        remaining = chain(held, remaining)
    else:
        remaining = chain([head], remaining)
    for number, line in enumerate(remaining, 1):
        yield from _numbered(number, _decode_line(line.rstrip(b"\r\n"), decoder))


def text_of_argument(text: str, decoder: Decoder) -> Line:
    """A text of the command line, which is never taken for JSON; its number is 0."""
    # Restores bytes of the shell that are not UTF-8, so that the decoder rejects them.
    value = text.encode(errors="surrogateescape")
    [line] = _numbered(0, _decode(value, _TEXT, decoder))
    return line


def _numbered(number: int, decoded: Iterable[Message | Rejected]) -> Iterator[Line]:
    for one in decoded:
        if isinstance(one, Message):
            yield Line(number, one.text, None)
        else:
            yield Line(number, "", one.reason)


def _up_to(bytes_max: int, lines: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for line in lines:
        yield line
        size += len(line)
        if size > bytes_max:
            return


def _elements(value: bytes) -> list[Any] | None:
    try:
        request = json.loads(value)
    except (ValueError, RecursionError):
        return None
    elements = request.get(REQUEST_KEY) if isinstance(request, dict) else None
    return elements if isinstance(elements, list) else None


def _decode_line(line: bytes, decoder: Decoder) -> list[Message | Rejected]:
    if line.lstrip().startswith(b"{"):
        decoded = _decode(line, _JSON, decoder)
        if not any(isinstance(one, Rejected) and one.reason is Reason.NOT_JSON for one in decoded):
            return decoded
    return _decode(line, _TEXT, decoder)


def _decode(value: bytes, headers: Headers, decoder: Decoder) -> list[Message | Rejected]:
    """Messages of a line, several if it is an event whose data is a list; at least one."""
    return [
        Rejected(one.record, Reason.TEXT_MISSING, "the list is empty", "decode")
        if isinstance(one, Skipped)
        else one
        for one in decoder.decode(_record(value, headers))
    ]


def _record(value: bytes, headers: Headers) -> Record:
    """A record for the decoder; its coordinates mean nothing."""
    return Record(_NOWHERE, 0, 0, None, value, headers, 0, 0.0)
