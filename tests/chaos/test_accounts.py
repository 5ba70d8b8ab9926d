"""The judge of what was deleted: it finds each wrong account, none in right ones. No Kafka."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chaos.accounts import Claim, Expired, Ledger, Remade, account, starved
from chaos.messages import EVENT, SKIPPED
from chaos.oracle import Input, Outcome, Place, judge

if TYPE_CHECKING:
    from chaos.oracle import Key

FIRST = 10


def inputs_of(partition: int, count: int, era: int = 0) -> list[Input]:
    """So many inputs of a partition; each era has ids of its own."""
    return [
        Input(Place(partition, offset), f"{era}/{partition}/{offset}", b"k", EVENT, era)
        for offset in range(count)
    ]


def outcome(one: Input) -> Outcome:
    """The event that an input is to become."""
    return Outcome("out", Place(0, 0), one.id, one.place, one.expected, f"id of {one.id}", "e")


def found(
    ledger: Ledger, claims: list[Claim], seen: set[Key], *, exactly_once: bool = True
) -> dict[str, int]:
    """Counts of what the account finds."""
    return dict(account(ledger, claims, seen, exactly_once=exactly_once)[1].counts)


@pytest.fixture
def inputs() -> list[Input]:
    """Ten deleted records, of which the last six were not read; one of these is a tombstone."""
    return [
        one._replace(expected=SKIPPED) if n == 8 else one
        for n, one in enumerate(inputs_of(1, FIRST))
    ]


@pytest.fixture
def ledger(inputs: list[Input]) -> Ledger:
    """Of these records, with the metric right."""
    return Ledger(expired=[Expired(inputs, {1: FIRST}, {1: 6})])


@pytest.fixture
def seen(inputs: list[Input]) -> set[Key]:
    """The first four were read."""
    return {one.identity for one in inputs[:4]}


RIGHT = Claim(1, 4, FIRST, 6)


def test_what_expired_is_gone_if_it_was_said(
    ledger: Ledger, inputs: list[Input], seen: set[Key]
) -> None:
    """Those and no others; the judge then finds nothing lost."""
    gone, findings = account(ledger, [RIGHT], seen, exactly_once=True)

    assert {one.identity for one in inputs[4:]} == gone
    assert {} == findings.counts
    assert {} == judge(inputs, {("out", 0): [outcome(one) for one in inputs[:4]]}, gone).counts
    gone.remove(inputs[-1].identity)
    lost = judge(inputs, {("out", 0): [outcome(one) for one in inputs[:4]]}, gone).counts
    assert {"lost": 1} == lost


def test_what_expired_without_a_word_is_found(ledger: Ledger, seen: set[Key]) -> None:
    """Each record that has an outcome due, and the metric that tells more than the log."""
    assert {"lost unsaid": 5, "counted otherwise": 1} == found(ledger, [], seen)


def test_an_outcome_that_is_gone_with_its_topic_is_no_loss(
    ledger: Ledger, inputs: list[Input], seen: set[Key]
) -> None:
    """Its input was read, and expired later. Where that was not read after all, it is told."""
    ledger.outcomes = {inputs[3].identity}
    assert {} == found(ledger, [RIGHT], seen - ledger.outcomes)
    assert {"lost unsaid": 1} == found(ledger, [RIGHT], seen - {inputs[2].identity})

    ledger.outcomes = {inputs[4].identity}
    assert {} == found(ledger, [RIGHT], seen)


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (RIGHT._replace(lost=5), {"said otherwise": 1, "counted otherwise": 1}),
        (Claim(1, 5, FIRST, 5), {"lost unsaid": 1, "counted otherwise": 1}),
        (Claim(1, 3, FIRST, 7), {"said and not lost": 1, "counted otherwise": 1}),
        (Claim(2, 4, FIRST, 6), {"said of nothing": 1, "lost unsaid": 5, "counted otherwise": 1}),
    ],
)
def test_a_wrong_word_is_found(
    ledger: Ledger, seen: set[Key], claim: Claim, expected: dict[str, int]
) -> None:
    """Another number, too few, too many, another partition."""
    assert expected == found(ledger, [claim], seen)


def test_a_loss_told_twice_is_found(ledger: Ledger, seen: set[Key]) -> None:
    """By the log alone, as by two replicas of which one has ended."""
    assert {"counted otherwise": 1} == found(ledger, [RIGHT, RIGHT], seen)


def test_at_least_once_an_event_may_be_out_of_what_is_told_as_lost(
    ledger: Ledger, inputs: list[Input]
) -> None:
    """Its offset may not have been committed; exactly once, that is wrong."""
    seen = {one.identity for one in inputs[:5]}

    assert {"said and not lost": 1} == found(ledger, [RIGHT], seen)
    assert {} == found(ledger, [RIGHT], seen, exactly_once=False)


def test_of_a_topic_made_anew_only_the_unread_end_is_gone() -> None:
    """Not what lies before something that was read, nor before what was committed."""
    inputs = inputs_of(0, 6) + inputs_of(1, 6)
    seen = {one.identity for one in inputs if one.place in ((0, 0), (0, 2))}
    ledger = Ledger(remade=[Remade(inputs, {1: 4})])

    gone, findings = account(ledger, [], seen, exactly_once=True)

    assert {} == findings.counts
    assert {(0, 3), (0, 4), (0, 5), (1, 4), (1, 5)} == {one.place for one in gone}


def test_a_topic_made_anew_has_its_offsets_again() -> None:
    """Of both eras each record has its own outcome, in order; one that is missing is found."""
    old, new = inputs_of(0, 3), inputs_of(0, 4, era=1)
    lane = [outcome(one) for one in (*old, *new)]

    assert {} == judge([*old, *new], {("out", 0): lane}).counts
    assert {"lost": 1} == judge([*old, *new], {("out", 0): [*lane[:3], *lane[4:]]}).counts
    assert {"doubled": 1} == judge([*old, *new], {("out", 0): [*lane, lane[0]]}).counts
    late = [*lane[:2], *lane[3:], lane[2]]
    assert {"out of order": 1} == judge([*old, *new], {("out", 0): late}).counts


def test_outcomes_in_a_deleted_topic_may_be_missing() -> None:
    """Those that nobody could read any more, and no others."""
    inputs = inputs_of(0, 3)
    gone, _ = account(Ledger(outcomes={inputs[1].identity}), [], set(), exactly_once=True)

    assert {} == judge(inputs, {("out", 0): [outcome(inputs[0]), outcome(inputs[2])]}, gone).counts
    assert {"lost": 1} == judge(inputs, {("out", 0): [outcome(inputs[0])]}, gone).counts


def test_records_that_wait_for_a_backlog_are_found() -> None:
    """By how many of it were written between their own putting in and writing."""
    busy = [(10 * n, outcome(one)) for n, one in enumerate(inputs_of(0, 9))]
    one, two = (outcome(live) for live in inputs_of(1, 2))
    put_in = {one.id: 15, two.id: 35}

    most, findings = starved([*busy, (35, one), (45, two)], 0, put_in, 2)
    assert (2, {}) == (most, findings.counts)

    most, findings = starved([*busy, (90, one), (95, two)], 0, put_in, 2)
    assert (7, {"starved": 2}) == (most, findings.counts)


def test_only_records_that_were_watched_can_have_waited() -> None:
    """And none of the backlog itself."""
    busy = [(10 * n, outcome(one)) for n, one in enumerate(inputs_of(0, 9))]
    [live] = map(outcome, inputs_of(1, 1))

    assert 0 == starved([*busy, (95, live)], 0, {busy[-1][1].id: 0}, 2)[0]
