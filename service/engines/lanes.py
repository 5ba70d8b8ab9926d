"""Running parts of a batch side by side, on daemon threads.

Exists because a run's threads wait for each other at the end of every operator: with two runs, the
one goes on where the other waits. Daemon threads, since one that hangs in a model must not keep the
process from ending. Knows nothing of models.
"""

from __future__ import annotations

from concurrent.futures import Future, wait
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Lane:
    """One thread that runs what it is given, in order."""

    def __init__(self) -> None:
        """Start the thread."""
        # Holds one at most: whoever submits waits for the result.
        self._work: SimpleQueue[tuple[Callable[[], None], Future[None]]] = SimpleQueue()
        Thread(target=self._run, name="inference-lane", daemon=True).start()

    def submit(self, work: Callable[[], None]) -> Future[None]:
        """Have it run; the future ends with it, or with what it raised."""
        future: Future[None] = Future()
        self._work.put((work, future))
        return future

    def _run(self) -> None:
        while True:
            work, future = self._work.get()
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - raised again by who waits
                future.set_exception(error)
            else:
                future.set_result(None)
            # While it waits, nothing of a batch is kept.
            del work, future


def shares(sizes: Sequence[int], count: int) -> list[list[int]]:
    """Indices of things of these sizes in at most `count` parts of about equal sums; at least one.

    The largest first, each to the part that is smallest so far: the largest part is at most 4/3 of
    the best there is (R. L. Graham, "Bounds on multiprocessing timing anomalies", 1969).
    """
    parts: list[list[int]] = [[] for _ in range(max(1, min(count, len(sizes))))]
    sums = [0] * len(parts)
    for index in sorted(range(len(sizes)), key=lambda i: sizes[i], reverse=True):
        smallest = sums.index(min(sums))
        parts[smallest].append(index)
        sums[smallest] += sizes[index]
    return parts


def side_by_side(lanes: Sequence[Lane], works: Sequence[Callable[[], None]]) -> None:
    """Run the first here and each other on a lane; returns when all have ended.

    Raises:
        Exception: the first that one of them raised.
    """
    futures = [lane.submit(work) for lane, work in zip(lanes, works[1:], strict=False)]
    try:
        works[0]()
    finally:
        wait(futures)
    for future in futures:
        future.result()
