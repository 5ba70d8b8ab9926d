"""How much to send at a time, and how long to wait, while brokers throttle by a quota.

A broker that throttles has taken the records already; then it reads nothing more from the
connection for the time that it says. Exists because a transaction with records that wait there
outlasts its timeout and is aborted, and its next attempt likewise, for ever. So the wait is to be
before a transaction, and a transaction is to end before the next wait.

A quota that is set or lowered while much is published has the first answer say minutes or hours:
the rate so far in relation to the quota, times the seconds over which rates are measured. By then
that rate has long passed, and so may have the quota, which a connection that is not read cannot
tell. So after NEW_CONNECTION_S a producer is given up for another one, which sends a little; if
that is throttled for as long, it waits as brokers say. Nothing may enter that sends, or that knows
the client.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import structlog

from service.errors import RetriableError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from service.records import Outgoing

log = structlog.get_logger(__name__)

# Below the 100 MiB at which brokers close the connection instead of answering. Smaller sizes are
# for the topic to refuse.
REQUEST_BYTES_MAX = 64 * 2**20
# Records of one batch save round trips. A topic's limit is for the whole batch; this is below any
# usual one. A larger record is a batch of its own.
BATCH_BYTES_MAX = 64 * 2**10
# Where a publish is a transaction, a batch may be as large as what topics take that have no limit
# of their own, 1 MiB, allows with room for estimates. Once a topic refuses one, all are small.
LARGE_BATCH_BYTES_MAX = 512 * 2**10
# The most that a record takes beside its key, value and headers, with its batch's header.
RECORD_OVERHEAD_BYTES = 100
HEADER_OVERHEAD_BYTES = 10

# Where brokers throttle, as much is sent at a time as they throttle for this long. It is far below
# the shortest transaction timeout, so that a request which has to wait once still ends in time.
AIM_S = 1.0
# After this long a producer is given up for a new connection. It is longer than the 11 s over which
# brokers measure rates, unless quota.window.num and quota.window.size.seconds are set.
NEW_CONNECTION_S = 15.0
# Longer times are cut to this.
THROTTLE_MAX_S = 600.0
# How late whoever waits for throttling to end notices that its epoch has ended.
LOOK_S = 0.2
# Throttling is logged again after a pause of this length.
QUIET_S = 60.0
REMEDY = (
    "raise the quota producer_byte_rate (or request_percentage) of this user or of the client id "
    "sentiment-stream; until then the stream is as slow as the quota"
)


def _now() -> float:
    # The clock of time.monotonic, which the simulation's event loop replaces.
    return asyncio.get_running_loop().time()


class Throttling:
    """How long quotas have held a process's producers back, and what one leaves to the next."""

    def __init__(self) -> None:
        """Begin with none."""
        self.total_s = 0.0
        # Whether the last producer was given up, and brokers have not throttled for less since.
        self.given_up = False
        # Most bytes that the next producer is to send at first: less where one was given up.
        self.first_bytes_max = REQUEST_BYTES_MAX
        self._until = float("-inf")

    def note(self, throttle_s: float, now: float) -> None:
        """Note that a broker throttles from now on for this long; overlapping times count once."""
        if now > self._until + QUIET_S:
            log.warning(
                "brokers throttle publishing", throttle_s=round(throttle_s, 3), remedy=REMEDY
            )
        # Unless the last producer was given up, nobody waits for longer.
        end = now + (throttle_s if self.given_up else min(throttle_s, NEW_CONNECTION_S))
        self.total_s += max(0.0, end - max(now, self._until))
        self._until = max(self._until, end)


class Pace:
    """How much one producer is to send at a time, learned from what brokers answer to it."""

    def __init__(self, throttling: Throttling, batch_bytes_max: int = BATCH_BYTES_MAX) -> None:
        """Begin without a limit but that of a request."""
        self._throttling = throttling
        self._batch_bytes_max = batch_bytes_max
        self._until = self._patient_until = float("-inf")
        self._bytes_max = throttling.first_bytes_max
        throttling.first_bytes_max = REQUEST_BYTES_MAX

    def note(self, throttle_s: float) -> None:
        """Note the throttle time of an answer that has just come; it may be 0."""
        throttle_s = min(throttle_s, THROTTLE_MAX_S)
        if throttle_s > 0:
            now = _now()
            self._throttling.note(throttle_s, now)
            self._until = max(self._until, now + throttle_s)
            self._patient_until = now + NEW_CONNECTION_S

    def throttled_s(self) -> float:
        """How long a broker still throttles the producer: what it sends waits there; 0 if none."""
        return max(0.0, self._until - _now())

    async def wait(self, ended: Callable[[], bool]) -> bool:
        """Wait until no broker throttles the producer; to be called with no transaction open.

        Returns False after NEW_CONNECTION_S if one still does, and the producer is to be given up
        for another one; not twice in a row.

        Raises:
            RetriableError: the epoch has `ended` meanwhile.
        """
        while throttled_s := self.throttled_s():
            if _now() >= self._patient_until and not self._throttling.given_up:
                self._throttling.given_up = True
                self._throttling.first_bytes_max = self._bytes_max
                return False
            await asyncio.sleep(min(throttled_s, LOOK_S))
            if ended():
                raise RetriableError("interrupted while brokers throttle publishing")
        return True

    def learn(self, sent_bytes: int) -> None:
        """Send less next time if what was just sent is throttled for long, and more if not."""
        throttled_s = self.throttled_s()
        if throttled_s <= NEW_CONNECTION_S:
            self._throttling.given_up = False
        if throttled_s > AIM_S:
            self._bytes_max = int(sent_bytes * AIM_S / throttled_s)
        else:
            self._bytes_max = min(REQUEST_BYTES_MAX, 2 * self._bytes_max + 1)

    def portion(
        self, outgoing: Sequence[Outgoing], place: Callable[[Outgoing], Hashable]
    ) -> Sequence[Outgoing]:
        """The first messages, of which no `place` to send to gets more than one batch.

        So they are one request to each broker, and none waits for another to be throttled. Of two
        batches to a place the second may also be accepted although the first is refused, which
        would change the order of their records.
        """
        total, sizes = 0, Counter[Any]()
        for count, message in enumerate(outgoing):
            size, to = bytes_of(message), place(message)
            total += size
            sizes[to] += size
            if count and (sizes[to] > self._batch_bytes_max or total > self._bytes_max):
                return outgoing[:count]
        return outgoing


def bytes_of(message: Outgoing) -> int:
    """The most bytes that a message takes in a batch."""
    headers = sum(
        HEADER_OVERHEAD_BYTES + len(name.encode()) + len(value or b"")
        for name, value in message.headers
    )
    return RECORD_OVERHEAD_BYTES + len(message.key or b"") + len(message.value or b"") + headers
