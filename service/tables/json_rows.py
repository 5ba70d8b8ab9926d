"""Reads JSON Lines, and a JSON array or objects in a row, element by element.

Exists because a file of JSON may be larger than memory: the parts are found by their brackets, and
only one is parsed at a time, by the strict rules of the stream. Nothing may enter that knows
columns.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from service.errors import InputError
from service.records import Reason
from service.tables.rows import ROW_BYTES_MAX, Row
from service.wire.documents.json_values import RejectError, parsed, utf8

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# The key of a request of the published endpoint: one object with a list of texts.
REQUEST_KEY = "input_data"

_OUTSIDE = re.compile(rb'["\[\]{},]')
_INSIDE = re.compile(rb'[\\"]')
_SPACE = b" \t\r\n"
_SPACES = re.compile(rb"[ \t\r\n]*")


def json_lines(name: str, lines: Iterable[bytes]) -> Iterator[Row]:
    """A row for each line that is not empty; one that is no JSON is an error of that row.

    Raises:
        InputError: the file is a JSON array.
    """
    is_first = True
    for number, line in enumerate(lines, 1):
        bare = line.strip(_SPACE)
        if not bare:
            continue
        if is_first and bare[:1] == b"[":
            raise InputError(
                f"{name}: is a JSON array, not JSON Lines; give --format json, or name it .json"
            )
        is_first = False
        yield _row(number, bare)


def json_elements(name: str, chunks: Iterable[bytes]) -> Iterator[Row]:
    """A row for each element of an array, or for each of several objects behind each other.

    One object with the key `input_data` is a request of the published endpoint: its list has the
    rows, and their `line` is their number in it.

    Raises:
        InputError: it is empty, the brackets do not match, or there is no array and no object.
    """
    parts = _Parts(name, chunks)
    for line, part in parts:
        row = _row(line, part)
        if not parts.is_array and isinstance(row.columns.get(REQUEST_KEY), list):
            yield from _requested(row.columns[REQUEST_KEY])
        else:
            yield row


def _requested(elements: list[Any]) -> Iterator[Row]:
    for number, element in enumerate(elements, 1):
        yield Row(number, element, None, 0)


def _row(line: int, value: bytes) -> Row:
    if len(value) > ROW_BYTES_MAX:
        return Row(line, None, Reason.TEXT_TOO_LARGE, len(value))
    try:
        return Row(line, parsed(value, utf8(value)), None, len(value))
    except RejectError as error:
        return Row(line, None, error.reason, len(value))


class _Parts:
    """Iterates over the line and the bytes of each element or object."""

    def __init__(self, name: str, chunks: Iterable[bytes]) -> None:
        self._name = name
        self._chunks = iter(chunks)
        self._buffer = bytearray()
        self._line = 1
        self.is_array = False

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        self._skip_space()
        first = bytes(self._buffer[:1])
        if not first:
            raise InputError(f"{self._name}: is empty; give a file with rows")
        if first not in (b"[", b"{"):
            raise InputError(
                f"{self._name}: is neither a JSON array nor an object; "
                "give --format jsonl, csv, tsv or text, or name it so"
            )
        self.is_array = first == b"["
        if not self.is_array:
            while self._buffer:
                if self._buffer[:1] != b"{":
                    raise self._broken("an object is due")
                yield self._part(self._object_end)
                self._skip_space()
            return
        self._drop(1)
        yield from self._elements()

    def _elements(self) -> Iterator[tuple[int, bytes]]:
        self._skip_space()
        closing = self._buffer[:1]
        if closing == b"]":
            self._drop(1)
        while closing != b"]":
            self._skip_space()
            line, part = self._part(self._element_end)
            closing = self._buffer[:1]
            if not part.strip(_SPACE):
                raise self._broken("an element is missing")
            yield line, part.strip(_SPACE)
            self._drop(1)
        self._skip_space()
        if self._buffer:
            raise self._broken("there is more behind the array")

    def _part(self, end_of: Any) -> tuple[int, bytes]:
        """The next part; `end_of` is given what is behind a token, and whether it ends there."""
        line = self._line
        depth, at, in_string = 0, 0, False
        while True:
            found = (_INSIDE if in_string else _OUTSIDE).search(self._buffer, at)
            if found is None:
                at = len(self._buffer)
                self._more(line)
                continue
            token, at = found[0], found.end()
            if in_string:
                if token == b"\\":
                    while at >= len(self._buffer):
                        self._more(line)
                    at += 1
                else:
                    in_string = False
                continue
            if token == b'"':
                in_string = True
                continue
            depth += (token in (b"[", b"{")) - (token in (b"]", b"}"))
            end = end_of(token, depth, found)
            if end is not None:
                part = bytes(self._buffer[:end])
                self._drop(end)
                return line, part

    def _object_end(self, _: bytes, depth: int, found: re.Match[bytes]) -> int | None:
        return found.end() if depth == 0 else None

    def _element_end(self, token: bytes, depth: int, found: re.Match[bytes]) -> int | None:
        if depth < 0 and token == b"}":
            raise self._broken("a bracket is closed that was not opened")
        return found.start() if depth < 0 or (depth == 0 and token == b",") else None

    def _skip_space(self) -> None:
        while True:
            spaces = _SPACES.match(self._buffer)
            self._drop(spaces.end() if spaces else 0)
            if self._buffer or not self._fill():
                return

    def _drop(self, count: int) -> None:
        self._line += self._buffer.count(b"\n", 0, count)
        del self._buffer[:count]

    def _more(self, line: int) -> None:
        if len(self._buffer) > ROW_BYTES_MAX:
            raise InputError(
                f"{self._name}:{line}: what begins here is over {ROW_BYTES_MAX} bytes; "
                "close its quotes and brackets"
            )
        if not self._fill():
            raise InputError(
                f"{self._name}:{line}: what begins here does not end; give the whole file"
            )

    def _fill(self) -> bool:
        chunk = next(self._chunks, b"")
        self._buffer += chunk
        return bool(chunk)

    def _broken(self, why: str) -> InputError:
        return InputError(f"{self._name}:{self._line}: is no JSON ({why}); correct it there")
