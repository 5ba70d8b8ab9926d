"""Where a backfill begins and ends: as a person names it, and as offsets of each partition.

Exists so that both are decided once, when a replica starts, and cannot move any more. Nothing may
enter that joins a group, reads records or commits.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from aiokafka import TopicPartition

from service.errors import InputError, first_line
from service.records import Partition

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from aiokafka import AIOKafkaConsumer

EARLIEST = "earliest"
# Digits from here on are no offset, which no partition gets to, but a time in ms: 1973 or later.
OFFSETS_MAX = 10**11
_1970 = datetime(1970, 1, 1, tzinfo=UTC)


def time_ms(text: str) -> int:
    """A time in ISO 8601, in ms since 1970; UTC without a zone.

    Raises:
        ValueError, OverflowError: it is none.
    """
    time = datetime.fromisoformat(text.strip())
    return int(time.replace(tzinfo=time.tzinfo or UTC).timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Bound:
    """An offset in every partition, or the first record at or after a time (ms since 1970)."""

    value: int
    is_time: bool

    @classmethod
    def of(cls, flag: str, text: str) -> Self:
        """Read `1500` or `2026-11-01T00:00Z`; a time without a zone is UTC.

        Raises:
            InputError: it is neither.
        """
        text = text.strip()
        if text.isascii() and text.isdigit():
            # Not thousands of digits, which Python does not read.
            number = int(text[:20])
            if number < OFFSETS_MAX:
                return cls(number, is_time=False)
            raise _no_place(flag, text, " (digits are an offset)", cls(number, is_time=True))
        try:
            at_ms = time_ms(text)
        except (ValueError, OverflowError) as error:
            # Of a time that cannot be, like the 31st of November, and not of what is none.
            why = "" if str(error).startswith("Invalid") else f" ({first_line(error)})"
            raise _no_place(flag, text, why) from None
        if at_ms < 0:
            raise _no_place(flag, text)
        return cls(at_ms, is_time=True)

    def __str__(self) -> str:
        """As it may be given."""
        if not self.is_time:
            return str(self.value)
        return (_1970 + timedelta(milliseconds=self.value)).isoformat().replace("+00:00", "Z")

    @property
    def place(self) -> str:
        """What it is in a partition."""
        return f"the first record at or after {self}" if self.is_time else f"offset {self}"


def _no_place(flag: str, text: str, why: str = "", like: Bound | None = None) -> InputError:
    example = "2026-11-01T00:00Z"
    with suppress(OverflowError):  # digits of no time either
        example = str(like or example)
    words = f"{EARLIEST}, " if flag == "--from" else ""
    return InputError(
        f"{flag} {text[:100]!r} is no place in a topic{why}; give {words}a time like {example}, "
        "or an offset like 1500"
    )


@dataclass(frozen=True, slots=True)
class Span:
    """What a backfill reads: from `start` on, up to and without `end`.

    Without a start it is the first record there is, without an end what is there when it starts.
    """

    start: Bound | None = None
    end: Bound | None = None

    @classmethod
    def of(cls, start: str | None, end: str | None, now_ms: float) -> Self:
        """Read the flags `--from` and `--to`.

        Raises:
            InputError: they are no places, nothing can lie between them, or one lies ahead.
        """
        first = None if start is None or start == EARLIEST else Bound.of("--from", start)
        last = None if end is None else Bound.of("--to", end)
        if first is not None and first.is_time and first.value > now_ms:
            raise InputError(f"--from {start} lies ahead; give a time of records that are there")
        if last is not None and last.is_time and last.value > now_ms:
            raise InputError(
                f"--to {end} lies ahead; leave it out to read up to what is there at the start"
            )
        if (
            first is not None
            and last is not None
            and first.is_time == last.is_time
            and first.value >= last.value
        ):
            raise InputError(f"--from {start} is not before --to {end}; change one of them")
        return cls(first, last)

    def __str__(self) -> str:
        """How it was understood."""
        start, end = "the first record", "the end that it has at the start"
        if self.start is not None:
            start = self.start.place
        if self.end is not None:
            end = f"{self.end.place}, without it"
        return f"each partition from {start} up to {end}"

    def doubts(self, limits: Limits) -> list[str]:
        """What nobody may have meant, a line each; none about topics without records."""
        ends = [end for beginning, end in limits.there.values() if beginning < end]
        if not ends:
            return []
        found = [
            f"{flag} {bound} lies behind the ends of all partitions, of which the last is "
            f"{max(ends)}; digits are an offset, and a time is written like 2026-11-01T00:00Z"
            for flag, bound in (("--from", self.start), ("--to", self.end))
            if bound is not None and not bound.is_time and bound.value > max(ends)
        ]
        if not limits.total:
            start = "the beginning" if self.start is None else f"--from {self.start}"
            end = "the end" if self.end is None else f"--to {self.end}"
            found.append(f"no record lies between {start} and {end}")
        return found

    async def limits(self, consumer: AIOKafkaConsumer, topics: Collection[str]) -> Limits:
        """The offsets of each partition as of now; `consumer` reads committed records only.

        What an open transaction of a producer holds back lies behind the ends.

        Raises:
            KafkaError: the brokers cannot be reached or refuse.
        """
        places = [
            TopicPartition(topic, number)
            for topic in topics
            for number in sorted(consumer.partitions_for_topic(topic) or ())
        ]
        if not places:
            return Limits()
        beginnings = await consumer.beginning_offsets(places)
        # Asked after the beginnings, which move too, the ends cannot lie before them.
        ends = await consumer.end_offsets(places)
        firsts = beginnings if self.start is None else await _of(self.start, consumer, places)
        lasts = ends if self.end is None else await _of(self.end, consumer, places)
        first, last, there = {}, {}, {}
        for place in places:
            partition, end = Partition(*place), ends[place]
            # No record at or after a time: the end.
            first[partition] = min(max(firsts.get(place, end), beginnings[place]), end)
            last[partition] = max(min(lasts.get(place, end), end), first[partition])
            there[partition] = beginnings[place], end
        return Limits(first, last, there)


async def _of(
    bound: Bound, consumer: AIOKafkaConsumer, places: Collection[TopicPartition]
) -> dict[TopicPartition, int]:
    """The offset of a bound in each partition that has one."""
    if not bound.is_time:
        return dict.fromkeys(places, bound.value)
    found = await consumer.offsets_for_times(dict.fromkeys(places, bound.value))
    return {place: int(at.offset) for place, at in found.items() if at is not None}


@dataclass(frozen=True, slots=True)
class Limits:
    """By partition, the first offset to read and the one behind the last.

    A partition that was added since has neither: nothing of it is read.
    """

    first: Mapping[Partition, int] = field(default_factory=dict)
    last: Mapping[Partition, int] = field(default_factory=dict)
    # Where the log began and ended.
    there: Mapping[Partition, tuple[int, int]] = field(default_factory=dict)

    def left(self, committed: Mapping[Partition, int]) -> dict[Partition, int]:
        """How many offsets the group has still to commit, in each partition that is not done."""
        left = {p: end - committed.get(p, self.first[p]) for p, end in self.last.items()}
        return {partition: count for partition, count in left.items() if count > 0}

    @property
    def total(self) -> int:
        """How many offsets there are between the limits; some may hold no record."""
        return sum(end - self.first[partition] for partition, end in self.last.items())
