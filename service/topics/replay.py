"""Sends dead letters back to the topics they came from: `sentiment-stream replay`.

For letters whose cause is fixed: a setting of the producer or the service, or the model. Nothing is
sent unless asked for, and no letter more than `REPLAYS_MAX` times. How letters are read and sent in
transactions is up to `kafka.once.letters`.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from service.kafka.once.letters import Letters
from service.records import Outgoing, Partition
from service.terminal import Table, progress_bar
from service.wire import as_produced
from service.wire.letters import CONNECT_PREFIX, LETTER_NAMES, OWN_PREFIX

if TYPE_CHECKING:
    from rich.console import Console

    from service.records import Record
    from service.settings import KafkaSettings

# The header that counts how often a message was sent back. The service copies it to the next dead
# letter like any header of the producer.
COUNTER = "sentiment.replays"
REPLAYS_MAX = 3
# Looking for a topic that is not there takes ten seconds, in which a person wants to be told.
SILENT_S = 3.0


@dataclass(frozen=True, slots=True)
class Selection:
    """Which letters to send back: those that meet every condition; times in ms since 1970."""

    reasons: frozenset[str] = frozenset()
    since_ms: int | None = None
    until_ms: int | None = None
    partition: int | None = None
    first_offset: int | None = None
    last_offset: int | None = None

    def digest(self) -> str:
        """An id of this selection, so that a replay can go on where an earlier one ended."""
        reasons = sorted(self.reasons)
        rest = (self.since_ms, self.until_ms, self.partition, self.first_offset, self.last_offset)
        return hashlib.sha256(repr((reasons, rest)).encode()).hexdigest()[:12]

    def takes(self, letter: Record, origin: Partition, offset: int, reason: str) -> bool:
        """Whether a letter is selected.

        The time is the letter's own; partition and offset are those of the input message.
        """
        return (
            (not self.reasons or reason in self.reasons)
            and (self.since_ms is None or letter.timestamp_ms >= self.since_ms)
            and (self.until_ms is None or letter.timestamp_ms < self.until_ms)
            and (self.partition is None or origin.number == self.partition)
            and (self.first_offset is None or offset >= self.first_offset)
            and (self.last_offset is None or offset <= self.last_offset)
        )


class Replayed(NamedTuple):
    """How many letters met which fate, and how many offsets earlier replays have done before."""

    fates: Counter[str]
    passed: int


def sent_back(
    letter: Record, topics: tuple[str, ...], selection: Selection
) -> tuple[Outgoing | None, str]:
    """The message to send back for a letter, or None, and a few words on which and why."""
    headers = dict(letter.headers)
    try:
        topic = (headers[f"{CONNECT_PREFIX}topic"] or b"").decode()
        origin = Partition(topic, int(headers[f"{CONNECT_PREFIX}partition"] or b""))
        offset = int(headers[f"{CONNECT_PREFIX}offset"] or b"")
        reason = (headers[f"{OWN_PREFIX}reason"] or b"").decode()
        replays = int(headers.get(COUNTER) or b"0")
    except (KeyError, ValueError):
        return None, "not a letter of this service"
    if not selection.takes(letter, origin, offset, reason):
        return None, "not selected"
    if topic not in topics:
        return None, "from another topic"
    if f"{OWN_PREFIX}value.bytes" in headers:
        return None, "cut, cannot be restored"
    if replays >= REPLAYS_MAX:
        return None, f"sent back {REPLAYS_MAX} times already"
    kept = tuple(
        (name, value)
        for name, value in as_produced(letter.headers)
        if name != COUNTER and name not in LETTER_NAMES
    )
    counted = (*kept, (COUNTER, str(replays + 1).encode()))
    message = Outgoing(topic, letter.key, letter.value, counted, origin, offset)
    return message, f"sent back: {reason}"


async def replay(
    settings: KafkaSettings, selection: Selection, console: Console, *, send: bool
) -> Replayed:
    """Read the dead letters once and send the selected ones back; without `send` only count.

    Raises:
        RetriableError: interrupted; the next replay goes on from there.
        BrokerError: waiting does not help.
    """
    fates: Counter[str] = Counter()
    async with AsyncExitStack() as stack:
        letters = await _opened(settings, selection, console, stack)
        with progress_bar(console) as progress:
            task = progress.add_task("replay" if send else "dry run", total=letters.total)
            async for records in letters.read():
                decided = [sent_back(r, settings.input_topics, selection) for r in records]
                if send and records:
                    await letters.send([o for o, _ in decided if o is not None], records)
                fates.update(fate for _, fate in decided)
                progress.advance(task, len(records))
        return Replayed(fates, letters.passed)


async def _opened(
    settings: KafkaSettings, selection: Selection, console: Console, stack: AsyncExitStack
) -> Letters:
    waiting = asyncio.get_running_loop().call_later(
        SILENT_S,
        console.print,
        f"still waiting for {settings.bootstrap_servers}: looking for the topic "
        f"{settings.dead_letter_topic}",
    )
    try:
        return await stack.enter_async_context(Letters(settings, selection.digest()))
    finally:
        waiting.cancel()


def fates_table(fates: Counter[str], *, send: bool) -> Table:
    """How many letters met which fate, or would."""
    table = Table("", ">letters", "sent" if send else "would be")
    for fate, count in fates.most_common():
        table.add_row(str(count), fate)
    return table
