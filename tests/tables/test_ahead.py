"""Reading ahead: rows come as soon as they are read, few are held, errors are in their place."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from service.errors import InputError
from service.tables import ahead
from service.tables.ahead import in_chunks
from service.tables.rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_the_first_rows_come_at_once() -> None:
    """While the source of the next ones, like a pipe, has nothing yet."""
    more = threading.Event()

    def rows() -> Iterator[Row]:
        yield Row(1)
        assert more.wait(60)
        yield Row(2)

    chunks = in_chunks(rows(), 256)
    assert [Row(1)] == next(chunks)
    more.set()
    assert [[Row(2)]] == list(chunks)


@pytest.mark.parametrize(("size", "held_max"), [(1, 8), (ahead.BYTES_AHEAD_MAX // 2, 2)])
def test_few_rows_are_held(size: int, held_max: int) -> None:
    """By their number, and by their bytes."""
    read = 0
    full = threading.Event()

    def rows() -> Iterator[Row]:
        nonlocal read
        for number in range(40):
            read += 1
            if read > held_max:
                full.set()
            yield Row(number, size=size)

    chunks = in_chunks(rows(), 4)
    found = next(chunks)
    assert full.wait(60)
    # What was taken, what is held, and the row that waits for room.
    assert read <= len(found) + held_max + 1
    for chunk in chunks:
        assert len(chunk) <= 4
        found += chunk
    assert list(range(40)) == [row.line for row in found]


def test_an_error_comes_behind_the_rows_before_it() -> None:
    """So these are scored and written."""

    def rows() -> Iterator[Row]:
        yield Row(1)
        raise InputError("f:2: is broken")

    chunks = in_chunks(rows(), 4)
    assert [Row(1)] == next(chunks)
    with pytest.raises(InputError, match="f:2"):
        next(chunks)


def test_a_reader_ends_with_whoever_reads() -> None:
    """It does not wait for room for ever."""
    ended = threading.Event()

    def rows() -> Iterator[Row]:
        try:
            for number in range(1000):
                yield Row(number)
        finally:
            ended.set()

    chunks = in_chunks(rows(), 2)
    next(chunks)
    chunks.close()  # type: ignore[attr-defined] # a generator
    assert ended.wait(60)
