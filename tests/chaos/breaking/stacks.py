"""What a service process is waiting for, written to its log on SIGUSR1.

Exists for the one thing that logs cannot tell: where a process that says nothing any more stands.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def write_on_signal() -> None:
    """Install the handler; called on the main thread, which runs the event loop."""
    signal.signal(signal.SIGUSR1, lambda *_: _write())


def _write() -> None:
    lines = []
    for name, frame in sys._current_frames().items():
        lines += [f"--- thread {name}", *traceback.format_stack(frame)]
    for task in asyncio.all_tasks():
        lines += [f"--- task {task.get_name()}", *_waits(task.get_coro())]
    sys.stderr.write("\n".join(lines) + "\n")
    sys.stderr.flush()


def _waits(waiting: Any) -> Iterator[str]:
    """The awaits of a task from its outermost to what it waits for."""
    while waiting is not None:
        frame = getattr(waiting, "cr_frame", None) or getattr(waiting, "gi_frame", None)
        if frame is None:
            yield f"    {waiting!r}"[:300]
            return
        yield f"    {frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_name}"
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "gi_yieldfrom", None)
