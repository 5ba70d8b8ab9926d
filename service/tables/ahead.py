"""Reads rows on a thread of its own, ahead of whoever uses them.

Exists so that reading goes on while the model computes, and so that rows of a pipe are used as soon
as they are there. Nothing may enter that knows rows other than by their size.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Enough for a run of the model while the next rows are read, and little beside the model.
BYTES_AHEAD_MAX = 16 * 2**20


class _Sized(Protocol):
    @property
    def size(self) -> int: ...


Sized = TypeVar("Sized", bound=_Sized)


def in_chunks(rows: Iterable[Sized], rows_max: int) -> Iterator[list[Sized]]:
    """The rows that are there, at least one and at most `rows_max`; waits only if there is none.

    At most twice as many rows are held, and BYTES_AHEAD_MAX of them, but for the last one.

    Raises:
        Exception: what `rows` raises, behind the rows before it.
    """
    reader = _Reader(rows, 2 * rows_max)
    threading.Thread(target=reader.run, name="read-ahead", daemon=True).start()
    try:
        while chunk := reader.take(rows_max):
            yield chunk
    finally:
        reader.stop()


class _Reader(Generic[Sized]):
    def __init__(self, rows: Iterable[Sized], rows_max: int) -> None:
        self._rows = rows
        self._rows_max = rows_max
        self._changed = threading.Condition()
        self._held: deque[Sized] = deque()
        self._bytes = 0
        self._ended = False
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            for row in self._rows:
                if not self._put(row):
                    return
        except BaseException as error:  # noqa: BLE001 - it is raised again where rows are taken
            self._error = error
        finally:
            self.stop()

    def _put(self, row: Sized) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._ended or not self._is_full())
            if self._ended:
                return False
            self._held.append(row)
            self._bytes += row.size
            self._changed.notify_all()
        return True

    def _is_full(self) -> bool:
        return len(self._held) >= self._rows_max or self._bytes >= BYTES_AHEAD_MAX

    def take(self, rows_max: int) -> list[Sized]:
        with self._changed:
            self._changed.wait_for(lambda: self._held or self._ended)
            taken = [self._held.popleft() for _ in range(min(rows_max, len(self._held)))]
            self._bytes -= sum(row.size for row in taken)
            self._changed.notify_all()
            if not taken and self._error is not None:
                raise self._error
            return taken

    def stop(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()
