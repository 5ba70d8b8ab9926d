"""Writes rows and what was found for them as JSON Lines or CSV, and goes on behind what is there.

Exists so that a run that was killed loses and doubles no row: each row is written once, in order,
so the number of whole rows in the file is the number of rows to pass over. Nothing may enter that
knows what was found.
"""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from service.errors import InputError
from service.tables.rows import ROW_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from service.tables.rows import Row

# What a row has beside the columns of a table that is written, as one JSON object.
OTHER_FIELDS = "other_fields"


class Field(NamedTuple):
    """A column that is added to a table: its name, and `int`, `float`, `bool` or `str`."""

    name: str
    kind: str


class Written(NamedTuple):
    """A row and what is added to its columns, by name."""

    row: Row
    added: dict[str, Any]


class Writer(Protocol):
    """Writes rows in order; `count` of them were there before, the last from line `last_line`."""

    count: int
    last_line: int | None

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
        self.last_line: int | None = None
        if existing(path, resume=resume):
            self._read(path, line)
        self._file = path.open("ab", buffering=0)

    def _read(self, path: Path, line: str) -> None:
        last, end = b"", 0
        with path.open("rb") as file:
            for one in file:
                if not one.endswith(b"\n"):
                    break
                last, end = one, end + len(one)
                self.count += 1
        if self.count:
            try:
                self.last_line = json.loads(last)[line]
            except (ValueError, KeyError, TypeError):
                raise other_content(path) from None
        _cut(path, end)

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
        self.last_line: int | None = None
        self._columns = None if columns is None else list(columns)
        self._fields = [field.name for field in fields]
        self._has_header = existing(path, resume=resume) and self._read(path)
        self._file = path.open("ab", buffering=0)

    def _read(self, path: Path) -> bool:
        header: list[str] = []
        last: list[str] = []
        for cells, end in _whole_rows(path):
            if header:
                last = cells
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
        if last:
            try:
                self.last_line = int(last[len(self._columns)])
            except (ValueError, IndexError):
                raise other_content(path) from None
        _cut(path, whole)
        return True

    def write(self, rows: Sequence[Written]) -> None:
        """See `Writer`."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if self._columns is None:
            self._columns = columns_of(rows)
        if not self._has_header:
            writer.writerow([*self._columns, *self._fields])
            self._has_header = True
        for written in rows:
            document = flat(written.row.columns, self._columns)
            cells = [document.get(name) for name in self._columns]
            cells += [written.added.get(name) for name in self._fields]
            writer.writerow(map(as_text, cells))
        write_all(self._file, text.getvalue().encode(errors="replace"))

    def close(self, *, is_whole: bool) -> None:
        """See `Writer`."""
        if is_whole:
            self.write([])
        self._file.close()


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
