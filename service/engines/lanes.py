"""Runs parts of a batch in parallel on daemon threads.

Exists because the threads of one run wait for each other at the end of every operator: with two
runs, one computes while the other waits. The threads are daemons, because one that hangs in a model
must not keep the process alive. Knows nothing of models.
"""

from __future__ import annotations

from concurrent.futures import Future, wait
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Lane:
    """One thread that runs submitted work in order."""

    def __init__(self) -> None:
        """Start the thread."""
        # Holds at most one item, because the caller waits for its result.
        self._work: SimpleQueue[tuple[Callable[[], None], Future[None]] | None] = SimpleQueue()
        Thread(target=self._run, name="inference-lane", daemon=True).start()

    def submit(self, work: Callable[[], None]) -> Future[None]:
        """Queue work; the future completes with it, or with its exception."""
        future: Future[None] = Future()
        self._work.put((work, future))
        return future

    def close(self) -> None:
        """Let the thread end after what is queued."""
        self._work.put(None)

    def _run(self) -> None:
        while (queued := self._work.get()) is not None:
            work, future = queued
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - raised again in the waiting thread
                future.set_exception(error)
            else:
                future.set_result(None)
            # An idle lane must not hold the arrays of its last batch in memory.
            del queued, work, future


def balanced_parts(sizes: Sequence[int], count: int) -> list[list[int]]:
    """Divide items into 1 to `count` parts whose sizes have about the same sum.

    Each item, largest first, goes to the part with the smallest sum so far. The largest sum is at
    most 4/3 of the optimum (R. L. Graham, "Bounds on multiprocessing timing anomalies", 1969).

    Returns:
        The indices of the items of each part. There is one empty part if there are no items.
    """
    parts: list[list[int]] = [[] for _ in range(max(1, min(count, len(sizes))))]
    sums = [0] * len(parts)
    for index in sorted(range(len(sizes)), key=lambda i: sizes[i], reverse=True):
        smallest = sums.index(min(sums))
        parts[smallest].append(index)
        sums[smallest] += sizes[index]
    return parts


def run_in_parallel(lanes: Sequence[Lane], works: Sequence[Callable[[], None]]) -> None:
    """Run the first work on this thread and each other one on a lane; return when all have ended.

    Raises:
        Exception: the first exception, in the order of `works`.
    """
    futures = [lane.submit(work) for lane, work in zip(lanes, works[1:], strict=False)]
    try:
        works[0]()
    finally:
        wait(futures)
    for future in futures:
        future.result()
