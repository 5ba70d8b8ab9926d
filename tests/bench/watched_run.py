"""`sentiment-stream run` as it is shipped, with its asyncio tasks counted from inside.

    python tests/bench/watched_run.py tasks.jsonl

No figure outside of a process says how many tasks its event loop has. Appends a line a second to
the file named, about the tasks that were there a second before: those that send one batch come and
go. Settings come from the environment, as for the command. Nothing else may enter: what is watched
must be what is shipped.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
import weakref
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service import app
from service.cli import main

if TYPE_CHECKING:
    from service.kafka.backfill import Span
    from service.settings import Settings

INTERVAL_S = 1.0

run_service = app.run_service


async def count_tasks(file: Path) -> None:
    """Append the number of lasting tasks, this one left out, and what they run, until cancelled."""
    before: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
    with file.open("a", buffering=1) as output:
        while True:
            now = weakref.WeakSet(asyncio.all_tasks() - {asyncio.current_task()})
            lasting = [task for task in now if task in before]
            kinds = Counter(getattr(task.get_coro(), "__qualname__", "?") for task in lasting)
            line = {"at": time.monotonic(), "tasks": len(lasting), "kinds": kinds}
            output.write(json.dumps(line) + "\n")
            before = now
            del lasting
            await asyncio.sleep(INTERVAL_S)


async def watched(settings: Settings, span: Span | None = None) -> dict[str, Any] | None:
    """Run the service, with the count beside it."""
    counting = asyncio.create_task(count_tasks(Path(sys.argv[1])))
    try:
        return await run_service(settings, span)
    finally:
        counting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await counting


if __name__ == "__main__":
    # The command looks this name up when it runs.
    app.run_service = watched
    main(["run"])
