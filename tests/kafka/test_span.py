"""Where a backfill begins and ends: the flags, and the offsets that follow from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from service.errors import InputError
from service.kafka.backfill.span import Bound, Limits, Span
from service.records import Partition

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aiokafka import TopicPartition

NOW_MS = 1_796_083_200_000  # 2026-12-01T00:00Z
DAY_MS = 86_400_000
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


async def test_what_is_left_is_what_the_group_has_not_committed() -> None:
    """A partition without an offset is all left, unless there is nothing in it."""
    found = await limits(Span())

    assert {A: 100, B: 10} == found.left({})
    assert {A: 90, B: 10} == found.left({A: 60})
    assert {} == found.left({A: 150, B: 12})
