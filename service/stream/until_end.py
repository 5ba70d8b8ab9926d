"""Ends the stream once its group has committed everything up to the ends of a backfill.

Exists so that a replica looks at the whole group, and not at what it has done itself: a partition
of another that dies may still come to it, and what others have done is not waited for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from service.errors import RetriableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.ports import Clock, EndingSession
    from service.progress import Reached

log = structlog.get_logger(__name__)

# How late the end is noticed: one small request of each replica.
LOOK_EVERY_S = 1.0


@dataclass
class UntilEnd:
    """Looks how far the group is, and tells `tell` each time."""

    session: EndingSession
    clock: Clock
    tell: Callable[[Reached], None]
    is_done: bool = False

    async def run(self, stop: Callable[[], None]) -> None:
        """Call `stop` once nothing is left, and return.

        Raises:
            BrokerError: the ends cannot be reached any more.
        """
        while True:
            try:
                reached = await self.session.reached()
            except RetriableError:
                # Of a cluster that is away: whoever polls waits for it too, and says so.
                await self.clock.sleep(LOOK_EVERY_S)
                continue
            self.tell(reached)
            if not reached.left:
                break
            await self.clock.sleep(LOOK_EVERY_S)
        log.info("everything up to the ends is committed")
        self.is_done = True
        stop()
