"""Writes a Parquet file, and goes on behind what is there; comes with the extra `tables`.

Exists because a Parquet file ends with its index: killed before, nothing of it can be read. So rows
go to a stream of Arrow's batches beside it first, `FILE.partial`, and from there to the file once
all are written. Columns of a Parquet input keep their types. Nothing may enter that knows what was
found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from service.errors import InputError
from service.tables.parquet_rows import values_of
from service.tables.writing import (
    TAIL_ROWS,
    as_text,
    columns_of,
    existing,
    flat,
    other_content,
    write_all,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from service.tables.writing import Field, Written

# A row group is a unit of reading; with texts, one of this many rows has some megabytes. It is in
# memory twice while it is written, as columns and as pages.
_GROUP_ROWS = 2**15
_GROUP_BYTES = 8 * 2**20
_KINDS = {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_(), "str": pa.string()}


class Parquet:
    """Parquet: the columns of the table, then what is added.

    The columns of an input that is no Parquet file are strings.
    """

    def __init__(
        self,
        path: Path,
        columns: Sequence[str] | None,
        fields: Sequence[Field],
        schema: Any,
        *,
        resume: bool,
    ) -> None:
        """Open the file; `schema` is that of a Parquet input, `columns` as for `writing.Csv`.

        Raises:
            InputError: as for `writing.Csv`.
        """
        self.count = 0
        self._tail: Any = None
        self._path = path
        self._partial = path.with_name(path.name + ".partial")
        self._fields = pa.schema([(field.name, _KINDS[field.kind]) for field in fields])
        self._is_native = schema is not None
        if schema is not None:
            self._schema = pa.schema([*map(_plain, schema), *self._fields], schema.metadata)
        elif columns is not None:
            self._schema = self._of_strings(columns)
        else:
            self._schema = None
        if existing(path, resume=resume) and not self._partial.exists():
            raise InputError(f"{path}: is complete; there is nothing to go on with")
        has_schema = existing(self._partial, resume=resume) and self._read()
        self._file = self._partial.open("ab", buffering=0)
        if self._schema is not None and not has_schema:
            self._begin()

    def _of_strings(self, columns: Sequence[str]) -> Any:
        return pa.schema([*((name, pa.string()) for name in columns), *self._fields])

    def _begin(self) -> None:
        write_all(self._file, self._schema.serialize().to_pybytes())

    def _read(self) -> bool:
        """Count what is whole in the partial file, and cut off the rest."""
        found = None
        end = 0
        for part, end in _parts(self._partial):  # noqa: B007 - the last end is used
            if isinstance(part, pa.Schema):
                found = part
                added = found.names[-len(self._fields) :]
                same = added == self._fields.names if self._schema is None else (
                    found.equals(self._schema)
                )  # fmt: skip
                if not same:
                    raise other_content(self._partial)
            elif part.num_rows:
                self.count += part.num_rows
                self._tail = part.slice(max(0, part.num_rows - TAIL_ROWS))
        with self._partial.open("r+b") as file:
            file.truncate(end)
        self._schema = found if found is not None else self._schema
        return found is not None

    def tail(self) -> list[dict[str, Any]]:
        """See `writing.Writer`; of the last batch alone."""
        return [] if self._tail is None else _named(self._tail)

    def as_read(self, rows: Sequence[Written]) -> list[dict[str, Any]]:
        """See `writing.Writer`."""
        return _named(self._batch(rows)) if rows else []

    def write(self, rows: Sequence[Written]) -> None:
        """See `writing.Writer`."""
        if not rows:
            return
        if self._schema is None:
            self._schema = self._of_strings(columns_of(rows))
            self._begin()
        write_all(self._file, self._batch(rows).serialize().to_pybytes())

    def _batch(self, rows: Sequence[Written]) -> Any:
        names = self._schema.names[: -len(self._fields)]
        added = pa.RecordBatch.from_pylist([written.added for written in rows], self._fields)
        columns = _native(rows, len(names)) if self._is_native else _strings(rows, names)
        return pa.RecordBatch.from_arrays([*columns, *added.columns], schema=self._schema)

    def close(self, *, is_whole: bool) -> None:
        """See `writing.Writer`; without all rows, the partial file stays."""
        self._file.close()
        if not is_whole:
            return
        if self._schema is None:
            self._schema = self._of_strings(())
        whole = self._path.with_name(self._path.name + ".writing")
        with pq.ParquetWriter(whole, self._schema) as writer:
            for group in _groups(self._partial):
                writer.write_table(pa.Table.from_batches(group, self._schema))
        whole.replace(self._path)
        self._partial.unlink()


def _named(batch: Any) -> list[dict[str, Any]]:
    """The rows of a batch; strings that are no UTF-8, and numbers that are none, are equal."""
    columns = [values_of(column) for column in batch.columns]
    return [
        dict(zip(batch.schema.names, cells, strict=True)) for cells in zip(*columns, strict=True)
    ]


def _plain(field: Any) -> Any:
    """The field without a dictionary, which a stream would have to hold before its batches."""
    kind = field.type
    return field.with_type(kind.value_type) if pa.types.is_dictionary(kind) else field


def _parts(path: Path) -> Iterator[tuple[Any, int]]:
    """The schema and the batches of a partial file that are whole, and where each ends."""
    with pa.OSFile(str(path)) as file:
        schema = None
        while True:
            try:
                message = pa.ipc.read_message(file)
                if schema is None:
                    part = schema = pa.ipc.read_schema(message)
                else:
                    part = pa.ipc.read_record_batch(message, schema)
            except (EOFError, pa.ArrowException, OSError):
                return
            yield part, file.tell()


def _groups(path: Path) -> Iterator[list[Any]]:
    group: list[Any] = []
    rows = size = 0
    for part, _ in _parts(path):
        if isinstance(part, pa.Schema):
            continue
        group.append(part)
        rows, size = rows + part.num_rows, size + part.nbytes
        if rows >= _GROUP_ROWS or size >= _GROUP_BYTES:
            yield group
            group, rows, size = [], 0, 0
    if group:
        yield group


def _native(rows: Sequence[Written], columns: int) -> list[Any]:
    """The columns of rows of a Parquet file, taken from its batches."""
    slices: list[Any] = []
    current, first, count = None, 0, 0
    for written in rows:
        batch, index = written.row.origin
        if batch is current and index == first + count:
            count += 1
            continue
        if current is not None:
            slices.append(current.slice(first, count))
        current, first, count = batch, index, 1
    if current is not None:
        slices.append(current.slice(first, count))
    return [_joined([one.column(index) for one in slices]) for index in range(columns)]


def _joined(arrays: list[Any]) -> Any:
    array = pa.concat_arrays(arrays)
    if pa.types.is_dictionary(array.type):
        return array.cast(array.type.value_type)
    return array


def _strings(rows: Sequence[Written], names: Sequence[str]) -> list[Any]:
    documents = [flat(written.row.columns, names) for written in rows]
    return [
        pa.array([as_text(document.get(name)) for document in documents], pa.string())
        for name in names
    ]
