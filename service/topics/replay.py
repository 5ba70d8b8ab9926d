"""Sends dead letters back to the topics they came from: `sentiment-stream replay`.

For letters whose cause is mended: a producer's setting, the service's, the model. Nothing is sent
unless asked for; a letter that came back too often stays where it is.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.kafka.once.letters import Letters
from service.records import Outgoing, Partition
from service.terminal import Table, progress_bar
from service.wire import as_produced
from service.wire.contracts import CONNECT_PREFIX, OWN_PREFIX

if TYPE_CHECKING:
    from rich.console import Console

    from service.records import Record
    from service.settings import KafkaSettings

# Counts how often a message was sent back; kept by the service like any header of the producer.
COUNTER = "sentiment.replays"
REPLAYS_MAX = 3


@dataclass(frozen=True, slots=True)
class Selection:
    """Which letters to send back: all that match every given condition. Times in ms since 1970."""

    reasons: frozenset[str] = frozenset()
    since_ms: int | None = None
    until_ms: int | None = None
    partition: int | None = None
    first_offset: int | None = None
    last_offset: int | None = None

    def digest(self) -> str:
        """The same for the same selection, so that its replay can go on where it ended."""
        reasons = sorted(self.reasons)
        rest = (self.since_ms, self.until_ms, self.partition, self.first_offset, self.last_offset)
        return hashlib.sha256(repr((reasons, rest)).encode()).hexdigest()[:12]

    def takes(self, letter: Record, origin: Partition, offset: int, reason: str) -> bool:
        """Whether a letter is selected; time is the letter's own, the rest that of its message."""
        return (
            (not self.reasons or reason in self.reasons)
            and (self.since_ms is None or letter.timestamp_ms >= self.since_ms)
            and (self.until_ms is None or letter.timestamp_ms < self.until_ms)
            and (self.partition is None or origin.number == self.partition)
            and (self.first_offset is None or offset >= self.first_offset)
            and (self.last_offset is None or offset <= self.last_offset)
        )


def sent_back(
    letter: Record, topics: tuple[str, ...], selection: Selection
) -> tuple[Outgoing | None, str]:
    """What to send for a letter, if anything, and in one word or two what becomes of it."""
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
        if name != COUNTER and not name.startswith((CONNECT_PREFIX, OWN_PREFIX))
    )
    counted = (*kept, (COUNTER, str(replays + 1).encode()))
    return Outgoing(topic, letter.key, letter.value, counted, origin), f"sent back: {reason}"


async def replay(
    settings: KafkaSettings, selection: Selection, console: Console, *, send: bool
) -> Counter[str]:
    """Go through the dead letters once; without `send` only count what would become of them.

    Raises:
        RetriableError: interrupted; the next replay goes on from there.
        BrokerError: waiting does not help.
    """
    fates: Counter[str] = Counter()
    async with Letters(settings, selection.digest()) as letters:
        with progress_bar(console) as progress:
            task = progress.add_task("replay" if send else "dry run", total=letters.total)
            async for records in letters.read():
                decided = [sent_back(r, settings.input_topics, selection) for r in records]
                if send and records:
                    await letters.send([o for o, _ in decided if o is not None], records)
                fates.update(fate for _, fate in decided)
                progress.advance(task, len(records))
    return fates


def fates_table(fates: Counter[str], *, send: bool) -> Table:
    """What became of the letters, or would."""
    table = Table("", ">letters", "sent" if send else "would be")
    for fate, count in fates.most_common():
        table.add_row(str(count), fate)
    return table
