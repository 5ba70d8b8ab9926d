"""An event loop whose time is virtual, on which whole processes can be frozen and killed.

Time jumps to the next timer when nothing is left to do, so an hour costs as much as what happens
in it. Each callback belongs to the process in whose context it was made; those of a frozen process
wait until it thaws, as after SIGSTOP, and those of a killed one for ever.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

PROCESS: contextvars.ContextVar[Process] = contextvars.ContextVar("process")

# At the end of a run, for what is cancelled to close what it has open.
SHUTDOWN_S = 600.0


class NothingLeftError(Exception):
    """Every task waits for another one: without a timer nothing will ever happen again."""


class Process:
    """One simulated process: tasks that share a fate."""

    def __init__(self, name: str) -> None:
        """Run."""
        self.name = name
        self.running = True
        self.killed = False
        self.waiting: list[asyncio.Handle] = []
        self._context = contextvars.copy_context()
        self._context.run(PROCESS.set, self)
        self._loop = virtual_loop()
        self._loop.processes.append(self)

    def task(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine, and all that it starts, in this process."""
        return self._context.run(lambda: self._loop.create_task(coroutine, name=self.name))

    def freeze(self) -> None:
        """Let nothing of it run, its timers included."""
        self.running = False

    def kill(self) -> None:
        """Let nothing of it ever run again."""
        self.running = False
        self.killed = True

    def thaw(self) -> None:
        """Let it go on where it was; what was due meanwhile is due now."""
        self.running = True
        waiting, self.waiting = self.waiting, []
        self._loop.resume(waiting)


def current_process() -> Process | None:
    """The process that the running callback belongs to; None for the world outside."""
    return PROCESS.get(None)


class _Task(asyncio.Task[Any]):
    """Hashes by its number: sets of tasks then have one order, whatever their addresses are."""

    def __init__(self, number: int, *arguments: Any, **more: Any) -> None:
        self._number = number
        super().__init__(*arguments, **more)

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs callbacks in the order in which they become due."""

    def __init__(self) -> None:
        """Begin at time 0, with no process."""
        super().__init__()
        self.processes: list[Process] = []
        self._now = 0.0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._timers_made = 0
        # Held, since nobody else may hold those of a killed process, which never end.
        self._tasks: list[_Task] = []
        self.set_task_factory(self._new_task)  # type: ignore[arg-type] # made of keywords

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def call_at(  # type: ignore[override] # says less of the arguments
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """See asyncio; what is due at the same time runs in the order of the calls."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._timers_made += 1
        heapq.heappush(self._timers, (when, self._timers_made, timer))
        return timer

    def resume(self, handles: list[asyncio.Handle]) -> None:
        """Run what a frozen process had to leave."""
        self._ready.extend(handles)  # type: ignore[attr-defined] # asyncio's own queue

    def run(self, main: Coroutine[Any, Any, Any]) -> Any:
        """Run to the end, then close down whatever processes are left."""
        try:
            return self.run_until_complete(main)
        finally:
            self.run_until_complete(self._shut_down())
            self.close()

    async def _shut_down(self) -> None:
        this = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not this and not task.done()]
        for process in self.processes:
            process.thaw()
        for task in tasks:
            task.cancel()
        if tasks:
            _, left = await asyncio.wait(tasks, timeout=SHUTDOWN_S)
            assert not left, f"left after the end: {left}"

    def _run_once(self) -> None:
        ready = self._ready  # type: ignore[attr-defined] # asyncio's own queue
        timers = self._timers
        if not ready:
            while timers and timers[0][2].cancelled():
                heapq.heappop(timers)
            if not timers:
                raise NothingLeftError
            self._now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= self._now:
            ready.append(heapq.heappop(timers)[2])
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle._cancelled:
                continue
            process = handle._context.get(PROCESS)
            if process is None or process.running:
                handle._run()
            else:
                process.waiting.append(handle)

    def _process_events(self, event_list: object) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody waits in a system call."""

    def _new_task(
        self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **more: Any
    ) -> _Task:
        task = _Task(len(self._tasks), coroutine, loop=loop, **more)
        self._tasks.append(task)
        return task


def virtual_loop() -> VirtualLoop:
    """The running loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop
