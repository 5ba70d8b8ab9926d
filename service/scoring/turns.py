"""The queue of the inference thread: batches of the stream first, then HTTP requests.

Exists so that requests never take the stream's place in the queue: one request waits in a place of
its own, and runs only when no batch of the stream waits. Knows nothing of models.
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
    """Something to compute with the engine, and the future that gets its result."""

    run: Callable[[Engine], Any]
    future: Future[Any]


class Turns:
    """Work that waits for the thread. Only that thread calls `take`; any may call the others."""

    def __init__(self, stream_max: int) -> None:
        """Allow `stream_max` batches of the stream and one request to wait."""
        self._stream_max = stream_max
        self._stream: deque[Work] = deque()
        self._request: Work | None = None
        self._ended = False
        self._changed = threading.Condition()

    def put(self, work: Work) -> None:
        """Add a batch of the stream; it may replace a cancelled one.

        Raises:
            queue.Full: `stream_max` batches wait already.
            ModelError: the thread has ended.
        """
        with self._changed:
            while self._stream and self._stream[0].future.cancelled():
                self._stream.popleft()
            self._check_room(full=len(self._stream) >= self._stream_max)
            self._stream.append(work)
            self._changed.notify()

    def put_request(self, work: Work) -> None:
        """Add a request; it may replace a cancelled one.

        Raises:
            queue.Full: another request waits already.
            ModelError: the thread has ended.
        """
        with self._changed:
            self._check_room(
                full=self._request is not None and not self._request.future.cancelled()
            )
            self._request = work
            self._changed.notify()

    def take(self) -> Work | None:
        """Wait for the oldest batch of the stream, or else the request; None after `end`.

        Work that is taken can no longer be cancelled.
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
        """Accept no more work, and fail all that waits; may be called twice."""
        with self._changed:
            self._ended = True
            waiting = [*self._stream, *([self._request] if self._request is not None else [])]
            self._stream.clear()
            self._request = None
            self._changed.notify()
        for work in waiting:
            if work.future.set_running_or_notify_cancel():
                work.future.set_exception(_thread_has_ended())

    def _next(self) -> Work | None:
        if self._stream:
            return self._stream.popleft()
        work, self._request = self._request, None
        return work

    def _check_room(self, *, full: bool) -> None:
        if self._ended:
            raise _thread_has_ended()
        if full:
            raise queue.Full


def _thread_has_ended() -> ModelError:
    return ModelError("the inference thread has ended; restart the service")
