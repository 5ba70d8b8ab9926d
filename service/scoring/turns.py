"""Whose turn it is on the inference thread: a batch of the stream, or one thing from aside.

Exists so that what comes from aside can never be in the stream's way: it has one place of its own,
and its turn is when no batch of the stream waits. Knows nothing of models.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from service.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from service.ports import Engine


class Work(NamedTuple):
    """Something to do with the engine, and where the outcome goes."""

    run: Callable[[Engine], Any]
    future: Future[Any]


class Turns:
    """What waits for the thread, which alone calls `take`; all else may come from anywhere."""

    def __init__(self, stream_max: int) -> None:
        """Let so many batches of the stream wait, and one thing from aside."""
        self._stream_max = stream_max
        self._stream: deque[Work] = deque()
        self._aside: Work | None = None
        self._ended = False
        self._changed = threading.Condition()

    def put(self, work: Work) -> None:
        """Let a batch of the stream wait, in place of one that nobody waits for any more.

        Raises:
            queue.Full: as many wait as may.
            ModelError: the thread has ended.
        """
        with self._changed:
            while self._stream and self._stream[0].future.cancelled():
                self._stream.popleft()
            self._check_room(full=len(self._stream) >= self._stream_max)
            self._stream.append(work)
            self._changed.notify()

    def put_aside(self, work: Work) -> None:
        """Let something from aside wait, in place of what nobody waits for any more.

        Raises:
            queue.Full: something waits already.
            ModelError: the thread has ended.
        """
        with self._changed:
            self._check_room(full=self._aside is not None and not self._aside.future.cancelled())
            self._aside = work
            self._changed.notify()

    def take(self) -> Work | None:
        """Wait for the next; the oldest batch of the stream, else what is aside. None at the end.

        What is taken can no longer be cancelled.
        """
        with self._changed:
            while not self._ended:
                work = self._next()
                if work is None:
                    self._changed.wait()
                elif work.future.set_running_or_notify_cancel():
                    return work
        return None

    def end(self) -> None:
        """Take no more; what still waits is told so. May be called twice."""
        with self._changed:
            self._ended = True
            waiting = [*self._stream, *([self._aside] if self._aside is not None else [])]
            self._stream.clear()
            self._aside = None
            self._changed.notify()
        for work in waiting:
            if work.future.set_running_or_notify_cancel():
                work.future.set_exception(_thread_has_ended())

    def _next(self) -> Work | None:
        if self._stream:
            return self._stream.popleft()
        work, self._aside = self._aside, None
        return work

    def _check_room(self, *, full: bool) -> None:
        if self._ended:
            raise _thread_has_ended()
        if full:
            raise queue.Full


def _thread_has_ended() -> ModelError:
    return ModelError("the inference thread has ended; restart the service")
