"""Opens a table of any form: by `--format`, else by its name, else by how it begins.

Exists so that all commands choose in the same way, and refuse the same files. Nothing may enter
that reads a row itself.
"""

from __future__ import annotations

from itertools import chain, islice
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, Self

from service.errors import InputError
from service.tables.delimited import Delimited
from service.tables.json_rows import json_elements, json_lines
from service.tables.rows import ROW_BYTES_MAX, Row
from service.tables.sources import PARQUET, STANDARD_INPUT, Source, lines

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from service.tables.rows import Column

# The forms, and the ends of names that stand for them.
FORMS: Final = ("text", "csv", "tsv", "jsonl", "json", "parquet")
SUFFIXES: Final = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".txt": "text",
}
COMPRESSIONS: Final = (".gz", ".zst")


def form_of(name: str) -> str | None:
    """The form that a file's name stands for, whatever it is compressed by; None if for none."""
    path = PurePath(name)
    if path.suffix.lower() in COMPRESSIONS:
        path = path.with_suffix("")
    return SUFFIXES.get(path.suffix.lower())


class Table:
    """An open table.

    Attributes:
        name: of the file, for messages.
        form: one of FORMS. The rows of `text` are lines: their document is bytes.
        columns: the names of the columns; empty for `text`, None if each row has its own.
        count: the number of rows, if that is known before they are read.
        schema: of a Parquet file, else None.
    """

    def __init__(
        self,
        place: str,
        form: str | None,
        column: Column,
        wanted: Collection[str] | None = None,
    ) -> None:
        """Open a path, or standard input for `-`.

        `column` is one that a table with a header has to name. Rows of a Parquet file have only the
        `wanted` columns as values, if these are given.

        Raises:
            InputError: it cannot be read, is of another kind, or has no such column.
        """
        self.columns: tuple[str, ...] | None = None
        self.count: int | None = None
        self.schema: Any = None
        self._parquet: Any = None
        self._number = 0
        self._source = Source(place)
        self.name = self._source.name
        try:
            self._open(place, form or form_of(place), column, wanted)
        except BaseException:
            self.close()
            raise

    def _open(
        self, place: str, form: str | None, column: Column, wanted: Collection[str] | None
    ) -> None:
        if form == "parquet" or (form is None and self._source.head.startswith(PARQUET)):
            is_empty = not self._source.head and place != STANDARD_INPUT
            self._source.close()
            self.form = "parquet"
            if is_empty:
                raise InputError(f"{self.name}: is empty; give a file with rows")
            self._open_parquet(place, column, wanted)
            return
        chunks = self._source.chunks()
        first = next(chunks, b"")
        self.form = form or ("json" if _looks_like_array(first) else "text")
        self._rows = self._rows_of(chain([first], chunks), column)

    def _open_parquet(self, place: str, column: Column, wanted: Collection[str] | None) -> None:
        from service.tables.parquet_rows import ParquetRows  # noqa: PLC0415 - an extra

        if place == STANDARD_INPUT:
            raise InputError("standard input: a Parquet file ends with its index; give a file")
        if PurePath(place).suffix.lower() in COMPRESSIONS:
            raise InputError(f"{place}: a Parquet file is compressed within; decompress this one")
        self._parquet = ParquetRows(place, wanted)
        self.schema, self.count = self._parquet.schema, self._parquet.count
        self.columns = self._parquet.columns
        column.check(self.name, self.columns or ())

    def _rows_of(self, chunks: Iterable[bytes], column: Column) -> Iterator[Row]:
        if self.form == "json":
            return json_elements(self.name, chunks)
        if self.form == "jsonl":
            return json_lines(self.name, lines(chunks))
        if self.form == "text":
            self.columns = ()
            return _lines(lines(chunks))
        table = Delimited(self.name, lines(chunks), column, is_tsv=self.form == "tsv")
        self.columns = table.columns
        column.check(self.name, table.columns)
        return table.rows()

    def rows(self, skip: int = 0) -> Iterator[Row]:
        """The rows behind the first `skip`; can be read once.

        Raises:
            InputError: the file is broken.
        """
        rows = self._parquet.rows(skip) if self._parquet else islice(self._rows, skip, None)
        for number, row in enumerate(rows, skip + 1):
            self._number = number
            yield row

    @property
    def done(self) -> float | None:
        """The share that is read, from 0 to 1; None if it is not known."""
        if self.count is not None:
            return self._number / max(1, self.count)
        return self._source.done

    def close(self) -> None:
        """Close the file."""
        if self._parquet is not None:
            self._parquet.close()
        self._source.close()

    def __enter__(self) -> Self:
        """Be open already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


def _lines(of: Iterable[bytes]) -> Iterator[Row]:
    for number, line in enumerate(of, 1):
        yield Row(number, line[: ROW_BYTES_MAX + 1].rstrip(b"\r\n"), None, len(line))


def _looks_like_array(head: bytes) -> bool:
    """Whether this begins an array of objects; a text may begin with a bracket too."""
    bare = head.lstrip()
    return bare[:1] == b"[" and bare[1:].lstrip()[:1] in (b"{", b"")


def output_form(name: str, forms: Collection[str]) -> str:
    """The form that a file to write is named for.

    Raises:
        InputError: it is named for none of these forms.
    """
    form = SUFFIXES.get(PurePath(name).suffix.lower())
    if form is None or form not in forms:
        ends = ", ".join(suffix for suffix, one in SUFFIXES.items() if one in forms)
        raise InputError(f"{name}: its name says no form to write; give one that ends in {ends}")
    return form
