"""The judge of what was deleted: whose outcome may be missing, and what the service must have said.

The harness deletes records that nobody has read, or topics that outcomes lie in, and notes which.
Only those may be missing, and of those that expired, the service must have said exactly which and
how many. Pure; knows nothing of brokers or logs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from chaos.messages import SKIPPED
from chaos.oracle import Findings, named

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from chaos.oracle import Input, Key, Outcome


class Claim(NamedTuple):
    """What a line of the service's log says of expired records: from `start` up to `first`."""

    partition: int
    start: int
    first: int
    lost: int


@dataclass(frozen=True)
class Expired:
    """Records deleted from the beginnings of partitions, which now begin at `firsts`.

    `counted` is what the service's metric has of each partition for it.
    """

    inputs: Sequence[Input]
    firsts: Mapping[int, int]
    counted: Mapping[int, int]


@dataclass(frozen=True)
class Remade:
    """All records of an input topic that was deleted, and what the group had committed then."""

    inputs: Sequence[Input]
    committed: Mapping[int, int]


@dataclass
class Ledger:
    """All that was deleted in a phase; `outcomes` are those whose outcome may be gone with it."""

    expired: list[Expired] = field(default_factory=list)
    remade: list[Remade] = field(default_factory=list)
    outcomes: set[Key] = field(default_factory=set)

    @property
    def inputs(self) -> list[Input]:
        """Records that nobody can read any more."""
        parts = [part.inputs for part in self.expired] + [part.inputs for part in self.remade]
        return [one for part in parts for one in part]


def account(
    ledger: Ledger, claims: Collection[Claim], seen: Collection[Key], *, exactly_once: bool
) -> tuple[set[Key], Findings]:
    """Which inputs may be without an outcome, and what is wrong with what the service said of them.

    `seen` are the inputs with an outcome. Kinds found: lost unsaid (expired, and in no line of the
    log), said and not lost, said otherwise (not as many as were deleted there), said of nothing
    (nothing was deleted there), counted otherwise (by the metric than by the log).
    """
    findings = Findings()
    gone = set(ledger.outcomes)
    left = list(claims)
    for expired in ledger.expired:
        mine = [one for one in left if expired.firsts.get(one.partition) == one.first]
        left = [one for one in left if one not in mine]
        gone |= _expired(expired, mine, seen, gone, findings, exactly_once=exactly_once)
    for one in left:
        findings.add("said of nothing", str(one))
    for remade in ledger.remade:
        gone |= _unread(remade, seen)
    return gone, findings


def _expired(
    expired: Expired,
    claims: Sequence[Claim],
    seen: Collection[Key],
    before: Collection[Key],
    findings: Findings,
    *,
    exactly_once: bool,
) -> set[Key]:
    said: dict[int, int] = defaultdict(int)
    for claim in claims:
        said[claim.partition] += claim.lost
        offsets = {one.place.offset for one in expired.inputs if _within(one, claim)}
        if not claim.lost == claim.first - claim.start == len(offsets):
            findings.add("said otherwise", f"{claim}, {len(offsets)} deleted there")
    for number in expired.firsts:
        if said[number] != expired.counted.get(number, 0):
            both = f"{said[number]} and {expired.counted.get(number, 0)}"
            findings.add("counted otherwise", f"partition {number}: {both}")
    # An input whose outcome went with its topic, before it expired, was read: nothing is due.
    had_one = {*seen, *before}
    gone = set()
    for one in expired.inputs:
        claimed = any(_within(one, claim) for claim in claims)
        if claimed and one.identity not in seen:
            gone.add(one.identity)
        elif claimed and exactly_once:
            # At least once its event may be out before its offset is committed.
            findings.add("said and not lost", f"{one.id} of {named(one.place)}")
        elif not claimed and one.identity not in had_one and one.expected != SKIPPED:
            findings.add("lost unsaid", f"{one.id} of {named(one.place)}")
            gone.add(one.identity)
    return gone


def _within(one: Input, claim: Claim) -> bool:
    return one.place.partition == claim.partition and claim.start <= one.place.offset < claim.first


def _unread(remade: Remade, seen: Collection[Key]) -> set[Key]:
    """Those behind the last record with an outcome and behind what was committed."""
    last = dict(remade.committed)
    for one in remade.inputs:
        if one.identity in seen:
            number = one.place.partition
            last[number] = max(last.get(number, 0), one.place.offset + 1)
    return {
        one.identity
        for one in remade.inputs
        if one.place.offset >= last.get(one.place.partition, 0)
    }


def starved(
    events: Sequence[tuple[int, Outcome]], busy: int, put_in: Mapping[str, int], overtaken_max: int
) -> tuple[int, Findings]:
    """Whether records of other partitions had to wait for the backlog of the partition `busy`.

    `events` come with the time of their writing, `put_in` has that of records' being put in, by
    id. Between the two, no more than `overtaken_max` of the backlog may be written. Gives the most
    that there were, too.
    """
    findings, most = Findings(), 0
    backlog = sorted(at for at, one in events if one.origin.partition == busy)
    for at, one in events:
        if one.origin.partition == busy or one.id not in put_in:
            continue
        overtaken = bisect_left(backlog, at) - bisect_left(backlog, put_in[one.id])
        most = max(most, overtaken)
        if overtaken > overtaken_max:
            where = f"{one.id} of {named(one.origin)}"
            findings.add("starved", f"{where}: {overtaken} of the backlog came first")
    return most, findings
