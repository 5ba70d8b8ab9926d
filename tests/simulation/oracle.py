"""The judge: what a reader of committed records must have got of what was put in. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from service.records import Partition
    from tools.kafka.stored import Stored

Origin = tuple[int, int]


def origin_of(record: Stored) -> Origin:
    """Input partition's number and offset of an event or a dead letter."""
    number, offset = (record.headers[0][1] or b"").split()
    return int(number), int(offset)


def judged(
    expected: set[Origin],
    outputs: Mapping[Partition, Sequence[Stored]],
    expired: Container[Origin],
    *,
    exactly_once: bool,
) -> list[str]:
    """All that is wrong: lost, doubled, out of order within an input and an output partition.

    `expected` are the inputs that have an output: all but those that the service skips, and those
    `expired` may have none.
    At least once, a repeat is no fault, and neither is its place.
    """
    wrong = []
    counts = Counter(origin_of(record) for records in outputs.values() for record in records)
    lost = sorted(origin for origin in expected - set(counts) if origin not in expired)
    if lost:
        wrong.append(f"{len(lost)} lost, first {lost[0]}")
    unknown = sorted(set(counts) - expected)
    if unknown:
        wrong.append(f"{len(unknown)} were never put in, or to be skipped, first {unknown[0]}")
    if not exactly_once:
        return wrong
    doubled = sorted(origin for origin, count in counts.items() if count > 1)
    if doubled:
        wrong.append(f"{len(doubled)} doubled, first {doubled[0]}")
    for partition, records in outputs.items():
        offsets: dict[int, list[int]] = defaultdict(list)
        for record in records:
            number, offset = origin_of(record)
            offsets[number].append(offset)
        for number, found in offsets.items():
            if found != sorted(found):
                wrong.append(f"out of order in {partition}, from input partition {number}")
    return wrong


def transaction_wrong(
    start: int,
    end: int,
    number: int,
    records: Sequence[Stored],
    inputs: Sequence[int],
    expired: Container[Origin],
) -> str | None:
    """Why a transaction may not move the offset of an input partition from `start` to `end`.

    `inputs` are all offsets with a record there that has an output; `records` what the transaction
    publishes; what has `expired` may be missing.
    """
    if end <= start:
        return f"partition {number} is committed back from {start} to {end}"
    found = sorted(offset for source, offset in map(origin_of, records) if source == number)
    due = [
        offset
        for offset in inputs
        if start <= offset < end and ((number, offset) not in expired or offset in found)
    ]
    if due != found:
        return f"partition {number} is committed from {start} to {end} with outcomes of {found}"
    return None
