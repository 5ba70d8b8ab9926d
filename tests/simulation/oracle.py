"""The judge: what a reader of committed records must have got of what was put in. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from service.records import Partition
    from tools.kafka.stored import Stored

# Input partition's number and offset of a record, and the index of a message in it.
Place = tuple[int, int]
Origin = tuple[int, int, int]


def origin_of(record: Stored) -> Origin:
    """Where the message of an event or a dead letter was."""
    number, offset, index = map(int, (record.headers[0][1] or b"").split())
    return number, offset, index


def judged(
    expected: set[Origin],
    outputs: Mapping[Partition, Sequence[Stored]],
    expired: Container[Place],
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
    lost = sorted(origin for origin in expected - set(counts) if origin[:2] not in expired)
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
        places: dict[int, list[Place]] = defaultdict(list)
        for record in records:
            number, *place = origin_of(record)
            places[number].append((place[0], place[1]))
        for number, found in places.items():
            if found != sorted(found):
                wrong.append(f"out of order in {partition}, from input partition {number}")
    return wrong


def transaction_wrong(
    start: int,
    end: int,
    number: int,
    records: Sequence[Stored],
    inputs: Sequence[Place],
    expired: Container[Place],
) -> str | None:
    """Why a transaction may not move the offset of an input partition from `start` to `end`.

    `inputs` are the offsets and indexes of all messages there that have an output; `records` what
    the transaction publishes; what has `expired` may be missing.
    """
    if end <= start:
        return f"partition {number} is committed back from {start} to {end}"
    origins = map(origin_of, records)
    found = sorted((offset, index) for source, offset, index in origins if source == number)
    due = [
        (offset, index)
        for offset, index in inputs
        if start <= offset < end and ((number, offset) not in expired or (offset, index) in found)
    ]
    if due != found:
        return f"partition {number} is committed from {start} to {end} with outcomes of {found}"
    return None
