"""Writes rows and what was found for them as JSON Lines or CSV, and goes on behind what is there.

Exists so that a run that was killed loses and doubles no row: each row is written once, in order,
so the number of whole rows in the file is the number of rows to pass over. Nothing may enter that
knows what was found.
"""

from __future__ import annotations

import csv
import io
import json
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from service.errors import InputError
from service.tables.rows import ROW_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from service.tables.rows import Row

# What a row has beside the columns of a table that is written, as one JSON object.
OTHER_FIELDS = "other_fields"
# How many of the last rows of a file are compared with the input before a run goes on: rows of
# another input may be alike in one, hardly in all. They are held, some kilobytes each.
TAIL_ROWS = 8


class Field(NamedTuple):
    """A column that is added to a table: its name, and `int`, `float`, `bool` or `str`."""

    name: str
    kind: str


class Written(NamedTuple):
    """A row and what is added to its columns, by name."""

    row: Row
    added: dict[str, Any]


class Writer(Protocol):
    """Writes rows in order; `count` of them were there before."""

    count: int

    def tail(self) -> list[dict[str, Any]]:
        """The last rows that were there, at most TAIL_ROWS, as they are read from the file.

        Raises:
            InputError: they have another form.
        """

    def as_read(self, rows: Sequence[Written]) -> list[dict[str, Any]]:
        """How `tail` would have these rows if they were in the file."""

    def write(self, rows: Sequence[Written]) -> None:
        """Write rows; they are in the file when this returns."""

    def close(self, *, is_whole: bool) -> None:
        """Close the file; it is complete if all rows are in it."""


class JsonLines:
    """JSON Lines: an object with the row's columns, then what is added."""

    def __init__(self, path: Path, line: str, *, resume: bool) -> None:
        """Open the file; `line` is the name of the field with the row's line.

        Raises:
            InputError: it exists and is not to be gone on with, or has another content.
        """
        self.count = 0
        self._path = path
        self._line = line
        self._tail: deque[bytes] = deque(maxlen=TAIL_ROWS)
        if existing(path, resume=resume):
            self._read(path)
        self._file = path.open("ab", buffering=0)

    def _read(self, path: Path) -> None:
        end = 0
        with path.open("rb") as file:
            for one in file:
                if not one.endswith(b"\n"):
                    break
                self._tail.append(one)
                end += len(one)
                self.count += 1
        self.tail()
        _cut(path, end)

    def tail(self) -> list[dict[str, Any]]:
        """See `Writer`."""
        try:
            rows = [json.loads(line) for line in self._tail]
        except ValueError:
            rows = [None]
        if not all(isinstance(row, dict) and self._line in row for row in rows):
            raise other_content(self._path)
        return rows

    def as_read(self, rows: Sequence[Written]) -> list[dict[str, Any]]:
        """See `Writer`."""
        return [json.loads(json_line(written).encode(errors="replace")) for written in rows]

    def write(self, rows: Sequence[Written]) -> None:
        """See `Writer`."""
        write_all(self._file, "".join(map(json_line, rows)).encode(errors="replace"))

    def close(self, *, is_whole: bool) -> None:  # noqa: ARG002 - it is readable at any time
        """See `Writer`."""
        self._file.close()


def json_line(written: Written) -> str:
    """A row as a line of JSON."""
    return json.dumps({**written.row.columns, **written.added}, ensure_ascii=False) + "\n"


class Csv:
    """CSV: the columns of the table, then what is added."""

    def __init__(
        self, path: Path, columns: Sequence[str] | None, fields: Sequence[Field], *, resume: bool
    ) -> None:
        """Open the file; without `columns`, those of the first rows become the columns.

        Raises:
            InputError: as for `JsonLines`.
        """
        self.count = 0
        self._path = path
        self._tail: deque[list[str]] = deque(maxlen=TAIL_ROWS)
        self._columns = None if columns is None else list(columns)
        self._fields = [field.name for field in fields]
        self._has_header = existing(path, resume=resume) and self._read(path)
        self._file = path.open("ab", buffering=0)

    def _read(self, path: Path) -> bool:
        header: list[str] = []
        for cells, end in _whole_rows(path):
            if header:
                self._tail.append(cells)
                self.count += 1
            else:
                header = cells
            whole = end
        if not header:
            _cut(path, 0)
            return False
        added = len(self._fields)
        if header[-added:] != self._fields or self._columns not in (None, header[:-added]):
            raise other_content(path)
        self._columns = header[:-added]
        _cut(path, whole)
        return True

    def tail(self) -> list[dict[str, Any]]:
        """See `Writer`."""
        return [self._named(cells) for cells in self._tail]

    def as_read(self, rows: Sequence[Written]) -> list[dict[str, Any]]:
        """See `Writer`."""
        text = self._text(rows).encode(errors="replace").decode()
        return [self._named(cells) for cells in csv.reader(io.StringIO(text, newline=""))]

    def _named(self, cells: Sequence[str]) -> dict[str, Any]:
        names = [*(self._columns or ()), *self._fields]
        if len(cells) != len(names):
            raise other_content(self._path)
        return dict(zip(names, cells, strict=True))

    def write(self, rows: Sequence[Written]) -> None:
        """See `Writer`."""
        text = ""
        if self._columns is None:
            self._columns = columns_of(rows)
        if not self._has_header:
            text = _csv_text([[*self._columns, *self._fields]])
            self._has_header = True
        write_all(self._file, (text + self._text(rows)).encode(errors="replace"))

    def _text(self, rows: Sequence[Written]) -> str:
        lines = []
        for written in rows:
            document = flat(written.row.columns, self._columns or ())
            cells = [document.get(name) for name in self._columns or ()]
            cells += [written.added.get(name) for name in self._fields]
            lines.append([as_text(cell) for cell in cells])
        return _csv_text(lines)

    def close(self, *, is_whole: bool) -> None:
        """See `Writer`."""
        if is_whole:
            self.write([])
        self._file.close()


def _csv_text(lines: Iterable[Sequence[str | None]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()


def columns_of(rows: Sequence[Written]) -> list[str]:
    """The columns of a table for rows that each have their own, with one for all others."""
    names = dict.fromkeys(name for written in rows for name in written.row.columns)
    return [*(name for name in names if name != OTHER_FIELDS), OTHER_FIELDS]


def flat(document: dict[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    """The document with what is in none of the columns in OTHER_FIELDS."""
    if document.keys() <= set(columns):
        return document
    named = {name for name in columns if name != OTHER_FIELDS}
    inside = {name: value for name, value in document.items() if name in named}
    others = {name: value for name, value in document.items() if name not in named}
    return {**inside, OTHER_FIELDS: others}


def as_text(value: Any) -> str | None:
    """A value as a cell of text: strings as they are, all else as JSON, nothing for null."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def existing(path: Path, *, resume: bool) -> bool:
    """Whether there is something to go on with.

    Raises:
        InputError: there is, and it is not to be gone on with.
    """
    if not path.exists():
        return False
    if not path.is_file():
        raise InputError(f"{path}: is no file; give a file to write")
    if not resume:
        raise InputError(
            f"{path}: exists; --resume goes on behind its last row, or remove it to begin anew"
        )
    return True


def other_content(path: Path) -> InputError:
    """The error for a file that another input or other options have written."""
    return InputError(
        f"{path}: was not written from this input with these options; give another --output"
    )


def write_all(file: BinaryIO | io.FileIO, data: bytes) -> None:
    """Write all of it, whatever one call of the system takes."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) or 0 :]


def _whole_rows(path: Path) -> Iterator[tuple[list[str], int]]:
    """The rows of a CSV that are whole, and where each ends in the file."""
    csv.field_size_limit(ROW_BYTES_MAX)
    end = 0

    def lines() -> Iterator[str]:
        nonlocal end
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    return
                end += len(line)
                yield line.decode(errors="replace")

    try:
        for cells in csv.reader(lines(), strict=True):
            yield cells, end
    except csv.Error:
        return  # the last row ends within quotes


def _cut(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)
