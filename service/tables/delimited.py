"""Reads CSV and TSV row by row: the first line names the columns.

In CSV a cell may be quoted and have lines of its own; a TSV has no quotes, as published data sets
write it. A cell that is not UTF-8 is an error of its row. Nothing may enter that knows what a
column means, except that the delimiter of a CSV is the one that shows the column of the text.
"""

from __future__ import annotations

import csv
from itertools import chain
from typing import TYPE_CHECKING

from service.errors import InputError
from service.records import Reason
from service.tables.rows import COLUMNS_MAX, ROW_BYTES_MAX, WRONG_CELLS, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from service.tables.rows import Column

# In the order in which they are tried; the comma is also taken if none shows the text.
_DELIMITERS = (",", ";", "\t", "|")
# How `surrogateescape` decodes bytes that are not UTF-8.
_FIRST_ESCAPE, _LAST_ESCAPE = "\udc80", "\udcff"


class Delimited:
    """The columns and rows of a CSV or TSV."""

    def __init__(self, name: str, lines: Iterable[bytes], column: Column, *, is_tsv: bool) -> None:
        """Read the header; `column` is one that it has to name.

        Raises:
            InputError: there is no header, or it cannot be used.
        """
        self._name = name
        self._lines = iter(lines)
        self._column = column
        # A setting of the whole process; nothing else in it reads CSV at the same time.
        csv.field_size_limit(ROW_BYTES_MAX)
        first = next(self._lines, b"")
        if not first:
            raise InputError(f"{name}: is empty; give a file with rows")
        if not first.strip():
            raise InputError(f"{name}: has no first line that names its columns; add one")
        self._line = 0
        self._row_bytes = 0
        self._is_tsv = is_tsv
        delimiter = "\t" if is_tsv else self._delimiter(_text(first))
        decoded = self._decoded(chain([first], self._lines))
        if is_tsv:
            self._reader: Iterator[list[str]] = _cells(decoded)
        else:
            self._reader = csv.reader(decoded, delimiter=delimiter, strict=True)
        header = self._next()
        self.columns = tuple(cell.strip() for cell in header or ())
        self._check_header()

    def rows(self) -> Iterator[Row]:
        """The rows behind the header; empty lines are none.

        Raises:
            InputError: a quote is not closed, or a row is too large.
        """
        names = self.columns
        while True:
            line, self._row_bytes = self._line + 1, 0
            cells = self._next()
            if cells is None:
                return
            if not cells or (cells == [""] and len(names) > 1):
                continue
            if len(cells) != len(names):
                printable = [_printable(cell) for cell in cells]
                document = dict(zip(names, printable, strict=False))
                beyond = tuple(printable[len(names) :])
                yield Row(line, document, WRONG_CELLS, self._row_bytes, beyond=beyond)
            elif any(map(_is_broken, cells)):
                document = dict(zip(names, map(_printable, cells), strict=True))
                yield Row(line, document, Reason.NOT_UTF8, self._row_bytes)
            else:
                yield Row(line, dict(zip(names, cells, strict=True)), None, self._row_bytes)

    def _next(self) -> list[str] | None:
        begins = self._line + 1
        try:
            return next(self._reader, None)
        except csv.Error as error:
            remedy = "close its quotes, and double those within"
            if "new-line character" in str(error):
                error = csv.Error("a line ends with a carriage return alone")
                remedy = "convert its line ends to line feeds"
            raise InputError(
                f"{self._name}:{begins}: the row that begins here is no CSV ({error}); {remedy}"
            ) from None

    def _decoded(self, lines: Iterable[bytes]) -> Iterator[str]:
        begins = 1
        for line in lines:
            begins = begins if self._row_bytes else self._line + 1
            self._line += 1
            self._row_bytes += len(line)
            if self._row_bytes > ROW_BYTES_MAX:
                raise InputError(
                    f"{self._name}:{begins}: the row that begins here is over {ROW_BYTES_MAX} "
                    "bytes; close its quotes, or cut it"
                )
            yield _text(line)

    def _delimiter(self, header: str) -> str:
        for delimiter in _DELIMITERS:
            if self._column.is_in(_split(header, delimiter)):
                return delimiter
        return ","

    def _check_header(self) -> None:
        if any(map(_is_broken, self.columns)):
            raise InputError(f"{self._name}:1: is not UTF-8; convert the file to UTF-8")
        twice = next((n for n in self.columns if self.columns.count(n) > 1), None)
        if len(self.columns) > COLUMNS_MAX:
            raise InputError(f"{self._name}:1: names over {COLUMNS_MAX} columns; give fewer")
        if twice is not None:
            raise InputError(f"{self._name}:1: names the column {twice!r} twice; rename one")


def _text(line: bytes) -> str:
    return line.decode(errors="surrogateescape")


def _cells(lines: Iterable[str]) -> Iterator[list[str]]:
    """The cells of a TSV, where a `"` is text."""
    for line in lines:
        bare = line.removesuffix("\n").removesuffix("\r")
        yield bare.split("\t") if bare else []


def _split(header: str, delimiter: str) -> Sequence[str]:
    try:
        cells = next(csv.reader([header], delimiter=delimiter), [])
    except csv.Error:
        return []
    return [cell.strip() for cell in cells]


def _is_broken(cell: str) -> bool:
    return not cell.isascii() and any(_FIRST_ESCAPE <= c <= _LAST_ESCAPE for c in cell)


def _printable(cell: str) -> str:
    return cell.encode(errors="surrogateescape").decode(errors="replace")
