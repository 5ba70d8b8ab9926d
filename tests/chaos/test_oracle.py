"""The judge itself: it finds what is wrong, and nothing in what is right. No Kafka."""

from __future__ import annotations

import random
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from chaos.messages import EVENT, POISONS, SKIPPED, Author
from chaos.oracle import Input, Outcome, Place, differences, judge, missing

KEYS = (b"a", b"b", None)
Outcomes = dict[tuple[str, int], list[Outcome]]


def inputs_of(*counts: int) -> list[Input]:
    """So many inputs in each partition, with keys in turn."""
    return [
        Input(Place(number, offset), f"p/{number}/{offset}", KEYS[offset % len(KEYS)], EVENT)
        for number, count in enumerate(counts)
        for offset in range(count)
    ]


def published(inputs: list[Input]) -> Outcomes:
    """What a service without fault makes of them: one partition for each key."""
    found: Outcomes = defaultdict(list)
    for one in inputs:
        number = KEYS.index(one.key)
        place = Place(number, 2 * len(found["out", number]))
        found["out", number].append(
            Outcome("out", place, one.id, one.place, one.expected, f"id of {one.id}", "e")
        )
    return dict(found)


def found_in(inputs: list[Input], outcomes: Outcomes) -> dict[str, int]:
    """Counts of what the judge finds."""
    return dict(judge(inputs, outcomes).counts)


@given(st.lists(st.integers(0, 9), max_size=4))
def test_nothing_is_found_in_what_is_right(counts: list[int]) -> None:
    """Whatever the numbers of partitions and records."""
    inputs = inputs_of(*counts)

    assert {} == found_in(inputs, published(inputs))


@given(st.integers(0, 19), st.data())
def test_each_kind_of_wrong_is_found(victim: int, data: st.DataObject) -> None:
    """One record is lost, doubled, or comes out as something else."""
    inputs = inputs_of(10, 10)
    outcomes = published(inputs)
    lane = outcomes["out", KEYS.index(inputs[victim].key)]
    at = next(n for n, one in enumerate(lane) if one.origin == inputs[victim].place)
    match data.draw(st.sampled_from(("lost", "doubled", "other", "kind", "foreign"))):
        case "lost":
            del lane[at]
            expected = {"lost": 1}
        case "doubled":
            lane.append(lane[at])
            expected = {"doubled": 1}
        case "other":
            lane.append(lane[at]._replace(event_id="another"))
            expected = {"doubled": 1, "other event id": 1}
        case "kind":
            lane[at] = lane[at]._replace(became="not_json")
            expected = {"wrong outcome": 1}
        case _:
            lane.append(lane[at]._replace(origin=Place(7, 7)))
            expected = {"not put in": 1}

    assert expected == found_in(inputs, outcomes)


def test_a_skipped_input_has_no_outcome() -> None:
    """It is not lost without one, and any that it has is wrong."""
    inputs = inputs_of(2)
    inputs.append(Input(Place(0, 2), "p/0/2", None, SKIPPED))
    outcomes = published(inputs[:2])
    assert {} == found_in(inputs, outcomes)

    place = Place(2, 0)
    outcomes["out", 2] = [Outcome("out", place, "p/0/2", inputs[2].place, EVENT, "id", "e")]
    assert {"wrong outcome": 1} == found_in(inputs, outcomes)


def test_order_is_held_within_key_and_input_partition_only() -> None:
    """Two of one key swapped are found; of two keys, or of two input partitions, they are not."""
    inputs = inputs_of(4, 4)
    ours = published(inputs)
    lane = ours["out", 0]  # offsets 0 and 3 of both partitions
    assert [(0, 0), (0, 3), (1, 0), (1, 3)] == [one.origin for one in lane]

    assert {} == found_in(inputs, ours | {("out", 0): [lane[2], lane[0], lane[3], lane[1]]})
    assert {"out of order": 1} == found_in(inputs, ours | {("out", 0): [*lane[1::-1], *lane[2:]]})


def test_a_key_in_two_partitions_is_out_of_order() -> None:
    """Nobody could read it in order then."""
    inputs = inputs_of(4)
    outcomes = published(inputs)
    moved = outcomes["out", 0].pop()
    outcomes["out", 5] = [moved]

    assert {"out of order": 1} == found_in(inputs, outcomes)


def test_a_repeat_is_not_out_of_order() -> None:
    """Only first outcomes count: a repeat comes late by its nature."""
    inputs = inputs_of(9)
    outcomes = published(inputs)
    outcomes["out", 0] += outcomes["out", 0]
    findings = judge(inputs, outcomes)

    assert {"doubled": 3} == findings.counts
    assert [] == findings.wrong(exactly_once=False)
    assert 1 == len(findings.wrong(exactly_once=True))


def test_an_input_stored_twice_is_told() -> None:
    """That would be the load's fault, and must not count for the service."""
    inputs = [*inputs_of(2), Input(Place(0, 2), "p/0/1", b"b", EVENT)]

    assert {"stored twice": 1, "lost": 1} == found_in(inputs, published(inputs[:2]))
    both = judge(inputs, published(inputs))
    assert ({"stored twice": 1}, []) == (both.counts, both.wrong(exactly_once=True))


def test_readers_are_compared_record_by_record() -> None:
    """What differs, and what one has and the other has not, is named."""
    whole = published(inputs_of(3))
    part = whole | {("out", 1): []}

    assert [] == differences(whole, whole)
    assert [] == missing(part, whole)
    assert 1 == len(differences(part, whole))
    assert ["('out', 1): p/0/1 at offset 0"] == missing(whole, part)


def test_authors_number_each_key() -> None:
    """The same seed gives the same records; each id is there once, and all kinds come."""
    author, again = (Author("p", random.Random(1)) for _ in range(2))
    chosen = [author.next(3) for _ in range(4000)]

    assert chosen == [again.next(3) for _ in range(4000)]
    assert 4000 == len({one.id for one in chosen})
    expected = {(dict(one.message.headers)["chaos.expected"] or b"").decode() for one in chosen}
    assert {EVENT, SKIPPED, "event_too_large", *POISONS} == expected
