"""How far each partition is published, and the epoch that guards every publish."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.progress import Progress, next_offsets
from service.records import Partition
from tools.values import record

A, B = Partition("in", 0), Partition("in", 1)


def positioned(starts: dict[Partition, int]) -> Progress:
    """Progress of an owner of these partitions."""
    progress = Progress()
    progress.interrupt()
    progress.position(starts)
    return progress


def test_nothing_is_owned_at_first() -> None:
    """The first epoch has begun, and no partition is positioned."""
    progress = Progress()

    assert 0 == progress.epoch
    assert not progress.positioned
    assert frozenset() == progress.partitions
    assert progress.next_offset(A) is None


def test_positioned_partitions_are_owned() -> None:
    """And no others."""
    progress = positioned({A: 5, B: 0})

    assert progress.positioned
    assert {A, B} == progress.partitions
    assert (5, 0) == (progress.next_offset(A), progress.next_offset(B))

    progress.interrupt()
    progress.position({B: 3})

    assert {B} == progress.partitions
    assert progress.next_offset(A) is None


def test_an_interruption_keeps_the_offsets() -> None:
    """The new epoch must be positioned again, and can start from the published offsets."""
    progress = positioned({A: 5})
    epoch = progress.epoch

    assert epoch + 1 == progress.interrupt() == progress.epoch

    assert not progress.positioned
    assert 5 == progress.next_offset(A)


def test_a_revocation_forgets_the_offsets() -> None:
    """Another member may publish from here on, so they are out of date."""
    progress = positioned({A: 5})
    epoch = progress.epoch

    assert epoch + 1 == progress.revoke()

    assert not progress.positioned
    assert frozenset() == progress.partitions
    assert progress.next_offset(A) is None


def test_starts_are_copied() -> None:
    """The caller may go on using its own dictionary."""
    starts = {A: 5}
    progress = positioned(starts)
    starts[A] = 7

    assert 5 == progress.next_offset(A)


def test_going_back_raises() -> None:
    """It is a bug in the caller."""
    with pytest.raises(AssertionError):
        positioned({A: 5}).advance({A: 4})


def test_a_revoked_partition_stays_unowned() -> None:
    """A publish may end after its partition was revoked."""
    progress = positioned({A: 5})
    progress.advance({A: 6, B: 1})
    progress.revoke()
    progress.advance({A: 7})

    assert [progress.next_offset(A), progress.next_offset(B)] == [None, None]


@given(st.lists(st.integers(0, 50), max_size=20), st.integers(0, 10))
def test_advancing_goes_to_the_last_offset(steps: list[int], start: int) -> None:
    """Offsets may have gaps (transaction markers, compaction) and may repeat."""
    progress = positioned({A: start, B: 3})
    offset = start
    for step in steps:
        offset += step
        progress.advance({A: offset})

    assert offset == progress.next_offset(A)
    assert 3 == progress.next_offset(B)
    assert progress.positioned


@given(st.lists(st.sampled_from(["interrupt", "revoke", "position"]), max_size=30))
def test_epochs_never_come_back(steps: list[str]) -> None:
    """Each interruption gives a new epoch, and only positioning makes it positioned."""
    progress = Progress()
    seen = {progress.epoch}
    for step in steps:
        if step == "position":
            progress.position({A: 0})
            assert progress.positioned
            continue
        epoch = getattr(progress, step)()
        assert epoch not in seen
        assert not progress.positioned
        seen.add(epoch)


@given(st.lists(st.tuples(st.sampled_from([A, B]), st.integers(0, 5)), max_size=30))
def test_next_offsets_follow_the_last_record(steps: list[tuple[Partition, int]]) -> None:
    """One for each partition that occurs: the offset after its last record."""
    offsets = {A: -1, B: -1}
    read = []
    for partition, step in steps:
        offsets[partition] += step + 1
        read.append(record(offsets[partition], number=partition.number))

    expected = {partition: offsets[partition] + 1 for partition, _ in steps}
    assert expected == next_offsets(read)
