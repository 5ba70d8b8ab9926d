"""The judge: what was put in and what came out, to what is lost, doubled, or out of order. Pure.

Knows nothing of faults and forgives nothing for them; what was deleted unread is accounted for in
`accounts`. An input's one outcome is an event or a dead letter, and none where it is to be skipped;
whose outcome a record is, says its origin, the input's partition and offset, with its id: a topic
that was made anew has each offset again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from chaos.messages import EVENT, SKIPPED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

# Enough to find one in the logs.
EXAMPLES_MAX = 5


class Place(NamedTuple):
    """Where a record lies."""

    partition: int
    offset: int


class Key(NamedTuple):
    """Which input: where it lies, and who it says it is."""

    place: Place
    id: str


class Input(NamedTuple):
    """A record of the input topic; `expected` is "event", "skipped" or a dead letter's reason.

    `era` counts how often the topic was made anew before.
    """

    place: Place
    id: str
    key: bytes | None
    expected: str
    era: int = 0

    @property
    def identity(self) -> Key:
        """Which one it is."""
        return Key(self.place, self.id)


class Outcome(NamedTuple):
    """A record of the output or the dead-letter topic.

    `became` is "event" or the dead letter's reason; a dead letter has no event id and no engine.
    """

    topic: str
    place: Place
    id: str
    origin: Place
    became: str
    event_id: str | None
    engine: str | None

    @property
    def identity(self) -> Key:
        """Whose outcome it is."""
        return Key(self.origin, self.id)


@dataclass
class Findings:
    """Counts by kind, with the first examples of each."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, kind: str, example: str) -> None:
        """Count one."""
        self.counts[kind] += 1
        if len(self.examples[kind]) < EXAMPLES_MAX:
            self.examples[kind].append(example)

    def merge(self, other: Findings) -> None:
        """Take in what another one found."""
        self.counts += other.counts
        for kind, examples in other.examples.items():
            self.examples[kind] = [*self.examples[kind], *examples][:EXAMPLES_MAX]

    def wrong(self, *, exactly_once: bool) -> list[str]:
        """What may not be, in lines; at least once, repeats are allowed.

        An input stored twice is the load's doing, whose producer repeats a batch over brokers that
        are killed: its copies are two inputs, and each is held to one outcome.
        """
        allowed = {"stored twice"} | (set() if exactly_once else {"doubled"})
        return [
            f"{count} {kind}, first: {'; '.join(self.examples[kind])}"
            for kind, count in sorted(self.counts.items())
            if kind not in allowed
        ]


def judge(
    inputs: Sequence[Input],
    outcomes: Mapping[tuple[str, int], Sequence[Outcome]],
    gone: Collection[Key] = frozenset(),
) -> Findings:
    """Hold all outcomes, in the order of each topic's partitions, against all inputs.

    Those that are `gone` were deleted unread, or their outcome was, and need to have none.
    Kinds found: lost, doubled, out of order, other event id (a repeat under another one), wrong
    outcome (of another kind than due), not put in (of no known input), stored twice (an input).
    """
    findings = Findings()
    due = {one.identity: one for one in inputs}
    for identity, count in Counter(one.id for one in inputs).items():
        if count > 1:
            findings.add("stored twice", identity)
    seen: dict[Key, Outcome] = {}
    for records in outcomes.values():
        for outcome in records:
            _judge_one(due, seen, outcome, findings)
    for key, one in due.items():
        if key not in seen and key not in gone and one.expected != SKIPPED:
            findings.add("lost", f"{one.id} of {named(one.place)}, due as {one.expected}")
    _judge_order(due, outcomes, findings)
    return findings


def _judge_one(
    due: Mapping[Key, Input], seen: dict[Key, Outcome], outcome: Outcome, findings: Findings
) -> None:
    one = due.get(outcome.identity)
    where = f"{outcome.id} of {named(outcome.origin)} at {outcome.topic}/{named(outcome.place)}"
    if one is None:
        findings.add("not put in", where)
        return
    if one.expected != outcome.became:
        findings.add("wrong outcome", f"{where}: {outcome.became} and not {one.expected}")
    first = seen.get(outcome.identity)
    if first is None:
        seen[outcome.identity] = outcome
        return
    findings.add("doubled", f"{where} and at {first.topic}/{named(first.place)}")
    if first.event_id != outcome.event_id:
        findings.add("other event id", f"{where}: {outcome.event_id} and {first.event_id}")


def _judge_order(
    due: Mapping[Key, Input],
    outcomes: Mapping[tuple[str, int], Iterable[Outcome]],
    findings: Findings,
) -> None:
    """Within one input partition, the first outcomes of a key keep its order, in one partition.

    What a topic had before it was made anew comes before what it has since.
    """
    latest: dict[tuple[str, int, bytes | None], tuple[int, int, int]] = {}
    counted: set[Key] = set()
    for (topic, number), records in outcomes.items():
        for outcome in records:
            one = due.get(outcome.identity)
            if one is None or outcome.identity in counted:
                continue
            counted.add(outcome.identity)
            line = (topic, outcome.origin.partition, one.key)
            at = (one.era, outcome.origin.offset)
            place, *before = latest.get(line, (number, -1, -1))
            if place != number or tuple(before) > at:
                behind = f"{outcome.id} of {named(outcome.origin)} behind offset {before[-1]}"
                findings.add("out of order", f"{behind} at {topic}/{named(outcome.place)}")
            latest[line] = (number, *at)


def differences(
    early: Mapping[tuple[str, int], Sequence[Outcome]],
    late: Mapping[tuple[str, int], Sequence[Outcome]],
) -> list[str]:
    """Where a reader during the faults got something else than a reader after them."""
    wrong = []
    for partition in sorted(early.keys() | late.keys()):
        one, other = early.get(partition, ()), late.get(partition, ())
        if list(one) != list(other):
            pairs = zip(one, other, strict=False)
            at = next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
            found = [records[at] if at < len(records) else None for records in (one, other)]
            wrong.append(f"{partition}: {len(one)} and {len(other)} read, first other: {found}")
    return wrong


def missing(
    part: Mapping[tuple[str, int], Iterable[Outcome]],
    whole: Mapping[tuple[str, int], Iterable[Outcome]],
) -> list[str]:
    """What one reader got and another, who must have got all of that and maybe more, did not."""
    return [
        f"{partition}: {one.id} at offset {one.place.offset}"
        for partition, records in part.items()
        for one in sorted(set(records) - set(whole.get(partition, ())))
    ][:EXAMPLES_MAX]


def counted(outcomes: Mapping[tuple[str, int], Sequence[Outcome]]) -> tuple[int, int]:
    """How many events and how many dead letters these are."""
    events = sum(one.became == EVENT for records in outcomes.values() for one in records)
    return events, sum(map(len, outcomes.values())) - events


def named(place: Place) -> str:
    """A place in a line of findings."""
    return f"{place.partition}:{place.offset}"
