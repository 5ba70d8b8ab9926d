"""Reads a Parquet file row by row; comes with the extra `tables`.

Exists so that a file of any size is read in batches of a few hundred rows. Each row knows its
batch, from which a Parquet file is written without a change of types. Nothing may enter that knows
what a column means.
"""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import math
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from service.errors import InputError
from service.records import Reason
from service.tables.rows import COLUMNS_MAX, Row

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

# As many as are scored at a time, unless they are large.
_BATCH_ROWS = 256
_BATCH_BYTES = 8 * 2**20
# Read ahead of each column; without it a column of a whole row group would be in memory.
_BUFFER_BYTES = 256 * 2**10


class ParquetRows:
    """The columns and rows of a Parquet file; `count` is the number of rows."""

    def __init__(self, name: str, wanted: Collection[str] | None) -> None:
        """Open a file; of its rows only the `wanted` columns are made values, all if None.

        Raises:
            InputError: it is no Parquet file that can be read.
        """
        self._name = name
        self._wanted = wanted
        try:
            self._file = pq.ParquetFile(name, buffer_size=_BUFFER_BYTES, pre_buffer=False)
        except FileNotFoundError as error:
            raise InputError(f"{name}: cannot be read ({error.strerror}); give a file") from None
        except (pa.ArrowException, OSError, ValueError):
            raise InputError(
                f"{name}: is no Parquet file, or is cut short; give the whole file, or its --format"
            ) from None
        self.schema: Any = self._file.schema_arrow
        self.columns: tuple[str, ...] = tuple(self.schema.names)
        self.count: int = self._file.metadata.num_rows
        if len(set(self.columns)) < len(self.columns):
            raise InputError(f"{name}: has two columns of one name; rename one")
        if len(self.columns) > COLUMNS_MAX:
            raise InputError(f"{name}: has over {COLUMNS_MAX} columns; give fewer")

    def rows(self, skip: int = 0) -> Iterator[Row]:
        """The rows behind the first `skip`; numbers count from 1.

        Raises:
            InputError: the file is broken.
        """
        number = 0
        for batch in self._batches():
            if number + batch.num_rows > skip:
                rest = batch.slice(max(0, skip - number))
                yield from self._of_batch(rest, number + batch.num_rows - rest.num_rows)
            number += batch.num_rows

    def _batches(self) -> Iterator[Any]:
        metadata = self._file.metadata
        size = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
        rows = _BATCH_BYTES * max(1, self.count) // max(1, size)
        batches = self._file.iter_batches(min(_BATCH_ROWS, max(1, rows)), use_threads=False)
        try:
            yield from batches
        except (pa.ArrowException, OSError) as error:
            detail = str(error).partition("\n")[0][:200]
            raise InputError(f"{self._name}: is broken ({detail}); write it anew") from None

    def _of_batch(self, batch: Any, before: int) -> Iterator[Row]:
        names = [n for n in self.columns if self._wanted is None or n in self._wanted]
        columns = [values_of(batch.column(name)) for name in names]
        size = batch.nbytes // max(1, batch.num_rows)
        for index in range(batch.num_rows):
            cells = [column[index] for column in columns]
            is_broken = any(isinstance(cell, _NotUtf8) for cell in cells)
            document = dict(zip(names, cells, strict=True))
            reason = Reason.NOT_UTF8 if is_broken else None
            yield Row(before + index + 1, document, reason, size, (batch, index))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _NotUtf8(str):
    """A string whose bytes were not UTF-8, with replacements for them."""

    __slots__ = ()


def values_of(column: Any) -> list[Any]:
    """The values of a column as JSON has them."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_temporal(kind) or pa.types.is_decimal(kind):
        return list(column.cast(pa.string()).to_pylist())
    try:
        values = column.to_pylist()
    except UnicodeDecodeError:
        return [_string(scalar) for scalar in column]
    if pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return list(values)
    return [plain(value) for value in values]


def _string(scalar: Any) -> Any:
    try:
        return plain(scalar.as_py())
    except UnicodeDecodeError:
        buffer = getattr(scalar, "as_buffer", None)
        return _NotUtf8(buffer().to_pybytes().decode(errors="replace") if buffer else "")


def plain(value: Any) -> Any:
    """The value as JSON has it; bytes that are no text as base64, what is not finite as None."""
    match value:
        case bytes():
            found: Any = _decoded(value)
        case float():
            found = value if math.isfinite(value) else None
        case dict():
            found = {str(name): plain(one) for name, one in value.items()}
        case list() | tuple():
            found = [plain(one) for one in value]
        case dt.datetime() | dt.date() | dt.time():
            found = value.isoformat()
        case decimal.Decimal() | dt.timedelta():
            found = str(value)
        case _:
            found = value
    return found


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()
