"""Where a backfill begins and ends: the flags, and the offsets that follow from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from structlog.testing import capture_logs

from service.errors import InputError
from service.kafka.backfill import BackfillSession
from service.kafka.backfill.span import Bound, Limits, Span
from service.records import Partition
from service.settings import KafkaSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aiokafka import TopicPartition

NOW_MS = 1_796_083_200_000  # 2026-12-01T00:00Z
DAY_MS = 86_400_000
AT_OR_AFTER, TO_THE_END = "the first record at or after", "up to the end that it has at the start"
GOES_ON = "the group goes on behind what another replica, or an earlier run, has committed"
BEFORE = "the group goes on behind what it has committed, which lies before --from"
NOTHING = "nothing is left: the group has committed everything up to the ends"
A, B, C = (Partition("in", number) for number in range(3))


class _At(NamedTuple):
    offset: int
    timestamp: int


class Logs:
    """Stands for a consumer; a record an hour in each log, and the last one at NOW_MS."""

    def __init__(self, beginnings: Mapping[Partition, int], ends: Mapping[Partition, int]) -> None:
        """By partition."""
        self._beginnings, self._ends = beginnings, ends

    def partitions_for_topic(self, topic: str) -> set[int]:
        """See aiokafka."""
        return {p.number for p in self._ends if p.topic == topic}

    async def beginning_offsets(self, places: Iterable[TopicPartition]) -> dict[Any, int]:
        """See aiokafka."""
        return {p: self._beginnings[Partition(*p)] for p in places}

    async def end_offsets(self, places: Iterable[TopicPartition]) -> dict[Any, int]:
        """See aiokafka."""
        return {p: self._ends[Partition(*p)] for p in places}

    async def offsets_for_times(self, times: Mapping[TopicPartition, int]) -> dict[Any, Any]:
        """See aiokafka: the first record at or after each time, None where there is none."""
        found: dict[Any, Any] = {}
        for place, time_ms in times.items():
            end = self._ends[Partition(*place)]
            offset = end - 1 - (NOW_MS - time_ms) // (DAY_MS // 24)
            first = max(offset, self._beginnings[Partition(*place)])
            found[place] = _At(first, 0) if offset < end and first < end else None
        return found


async def limits(span: Span) -> Limits:
    """Those of logs with 100 and 10 records that have not expired, and of an empty one."""
    consumer: Any = Logs({A: 50, B: 0, C: 7}, {A: 150, B: 10, C: 7})
    return await span.limits(consumer, ["in"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", Bound(0, is_time=False)),
        ("1500", Bound(1500, is_time=False)),
        ("2026-12-01T00:00Z", Bound(NOW_MS, is_time=True)),
        ("2026-12-01", Bound(NOW_MS, is_time=True)),
        ("2026-12-01T01:00+01:00", Bound(NOW_MS, is_time=True)),
        (" 2026-12-01 00:00:00.5 ", Bound(NOW_MS + 500, is_time=True)),
    ],
)
def test_a_place_is_a_time_or_an_offset(text: str, expected: Bound) -> None:
    """A time without a zone is UTC."""
    assert expected == Bound.of("--from", text)


@pytest.mark.parametrize("text", ["", "-1", "yesterday", "1969-12-31", "1e3", "٣", str(2**63)])
def test_what_is_no_place_is_refused(text: str) -> None:
    """In one line that says what is."""
    with pytest.raises(InputError, match="give earliest, a time like 2026-11-01T00:00Z, or an off"):
        Span.of(text, None, NOW_MS)
    with pytest.raises(InputError, match="give a time like"):
        Span.of(None, text, NOW_MS)


@pytest.mark.parametrize("flag", ["--from", "--to"])
def test_a_time_in_digits_is_refused(flag: str) -> None:
    """They would be an offset behind all records; the message has the time as it is written."""
    with pytest.raises(InputError, match=f"{flag} '{NOW_MS}' .* a time like 2026-12-01T00:00:00Z,"):
        Bound.of(flag, str(NOW_MS))

    assert Bound(99_999_999_999, is_time=False) == Bound.of(flag, "99999999999")


@pytest.mark.parametrize("text", ["9" * 18, "9" * 5000])
def test_digits_that_are_no_time_either_are_refused(text: str) -> None:
    """Microseconds, say; and more than Python reads."""
    with pytest.raises(InputError, match="give a time like 2026-11-01T00:00Z, or"):
        Bound.of("--to", text)


def test_a_day_that_does_not_exist_is_named() -> None:
    """It looks like a time."""
    with pytest.raises(InputError, match=r"'2026-11-31' is no place in a topic \(.*day.*\); give"):
        Bound.of("--to", "2026-11-31")


@pytest.mark.parametrize(
    ("start", "end", "understood"),
    [
        (None, None, f"the first record {TO_THE_END}"),
        ("5", "2026-11-02 01:00+01:00", f"offset 5 up to {AT_OR_AFTER} 2026-11-02T00:00:00Z, with"),
        ("2026-11-02T00:00:00.25", None, f"{AT_OR_AFTER} 2026-11-02T00:00:00.250000Z {TO_THE_END}"),
    ],
)
def test_a_span_says_how_it_was_understood(
    start: str | None, end: str | None, understood: str
) -> None:
    """In one line, with times as they may be given."""
    assert str(Span.of(start, end, NOW_MS)).startswith(f"each partition from {understood}")


def test_a_beginning_that_lies_ahead_is_refused() -> None:
    """Nothing would be read."""
    with pytest.raises(InputError, match="--from 2026-12-01T00:01Z lies ahead; give"):
        Span.of("2026-12-01T00:01Z", None, NOW_MS)


def test_an_end_that_lies_ahead_is_refused() -> None:
    """Nobody waits for it."""
    with pytest.raises(InputError, match="lies ahead; leave it out"):
        Span.of(None, "2026-12-01T00:01Z", NOW_MS)

    assert Span(None, Bound(NOW_MS, is_time=True)) == Span.of("earliest", "2026-12-01", NOW_MS)


@pytest.mark.parametrize(
    ("start", "end"), [("5", "5"), ("6", "5"), ("2026-11-02", "2026-11-02"), ("2026-11", "2026-11")]
)
def test_nothing_between_two_places_is_refused(start: str, end: str) -> None:
    """An offset and a time cannot be compared."""
    with pytest.raises(InputError):
        Span.of(start, end, NOW_MS)

    assert Span.of("5", "2026-11-02", NOW_MS).start == Bound(5, is_time=False)


async def test_all_that_there_is_without_flags() -> None:
    """From the first record that has not expired to the end."""
    found = await limits(Span())

    assert {A: 50, B: 0, C: 7} == found.first
    assert {A: 150, B: 10, C: 7} == found.last
    assert found.total == 110


async def test_offsets_count_in_every_partition_and_stay_in_its_log() -> None:
    """What is before its beginning or behind its end is not there to be read."""
    found = await limits(Span(Bound(8, is_time=False), Bound(60, is_time=False)))

    assert {A: 50, B: 8, C: 7} == found.first
    assert {A: 60, B: 10, C: 7} == found.last


async def test_times_are_the_first_records_at_or_after_them() -> None:
    """A partition without one is read to its end, or not at all."""
    day = Span(Bound(NOW_MS - DAY_MS, is_time=True), Bound(NOW_MS - DAY_MS // 2, is_time=True))

    found = await limits(day)

    assert {A: 125, B: 0, C: 7} == found.first
    assert {A: 137, B: 0, C: 7} == found.last
    late = await limits(Span(Bound(NOW_MS + 1, is_time=True)))
    assert late.first == late.last
    assert late.total == 0


@pytest.mark.parametrize(
    ("start", "end", "doubts"),
    [
        (None, None, []),
        ("5", "150", []),
        (None, "151", ["--to 151 lies behind the ends of all partitions, of which"]),
        ("2026", None, ["--from 2026 lies behind the ends of all", "no record lies between"]),
        ("150", None, ["no record lies between --from 150 and the end"]),
        (None, "0", ["no record lies between the beginning and --to 0"]),
        ("149", "2026-11-20", ["no record lies between --from 149 and --to 2026-11-20T00:00:00Z"]),
    ],
)
async def test_what_nobody_may_have_meant_is_said(
    start: str | None, end: str | None, doubts: list[str]
) -> None:
    """Digits behind all ends, and nothing to read though there are records."""
    span = Span.of(start, end, NOW_MS)

    found = span.doubts(await limits(span))

    assert len(doubts) == len(found)
    for doubt, line in zip(doubts, found, strict=True):
        assert doubt in line


async def test_nothing_is_said_of_topics_without_records() -> None:
    """They have none, wherever it begins."""
    span = Span(Bound(2026, is_time=False))
    consumer: Any = Logs({C: 7}, {C: 7})

    assert [] == span.doubts(await span.limits(consumer, ["in"]))


async def test_what_is_left_is_what_the_group_has_not_committed() -> None:
    """A partition without an offset is all left, unless there is nothing in it."""
    found = await limits(Span())

    assert {A: 100, B: 10} == found.left({})
    assert {A: 90, B: 10} == found.left({A: 60})
    assert {} == found.left({A: 150, B: 12})


@pytest.mark.parametrize(
    ("start", "committed", "said"),
    [
        (0, {}, None),
        (0, {0: 8}, ("info", GOES_ON, "--from 0", 1)),
        (None, {0: 8, 1: 5}, ("info", GOES_ON, None, 2)),
        (None, {2: 3}, None),
        (12, {0: 12, 1: 5}, ("info", GOES_ON, "--from 12", 1)),
        (12, {0: 8, 1: 5}, ("warning", BEFORE, "--from 12", 1)),
        (30, {0: 8, 1: 5}, ("warning", BEFORE, "--from 30", 1)),
        (None, {0: 20, 1: 5}, ("warning", NOTHING, None, 2)),
        (12, {0: 20, 1: 5}, ("warning", NOTHING, "--from 12", 1)),
    ],
)
def test_it_says_what_the_group_has_committed(
    start: int | None, committed: dict[int, int], said: tuple[str, str, str | None, int] | None
) -> None:
    """A warning where nothing is left, or where it begins before --from; others are as usual."""
    span = Span(None if start is None else Bound(start, is_time=False))
    session = BackfillSession(KafkaSettings(), 8, "exactly_once", span)
    ends = {Partition("in", number): end for number, end in enumerate((20, 5, 3))}
    # The third is one whose records have expired.
    firsts = {p: min(end, start or 0) if end > 3 else end for p, end in ends.items()}

    with capture_logs() as logs:
        session._say_committed(
            Limits(firsts, ends), {Partition("in", n): at for n, at in committed.items()}
        )

    names = "log_level", "event", "not_applied", "partitions"
    assert [tuple(line.get(name) for name in names) for line in logs] == ([said] if said else [])
