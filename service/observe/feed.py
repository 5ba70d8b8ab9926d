"""What the live page is told of: outcomes as they are published, sampled and counted to a bound.

Pure: time is an argument, and nothing here waits. However many outcomes come, a beat keeps a few
of them and a second a handful of counters: the stream pays two microseconds for each, and no more.
Knows no HTTP, no metrics and no text beyond the little that is shown.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from service.records import Rejected, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from service.records import Outcome

# How often the page gets something new: smooth to the eye, and two small writes a second.
BEAT_S = 0.5
_BEATS_PER_S = round(1 / BEAT_S)
# Of one beat: ten lines a second are more than anybody reads, and letters are read more closely.
MESSAGES_MAX = 5
LETTERS_MAX = 2
# What a page that is opened or falls behind gets at once: about a screen of each.
RECENT_MESSAGES_MAX = 40
RECENT_LETTERS_MAX = 12
# Two minutes of charts.
SECONDS_MAX = 120
# A model has few labels; were it thousands, the rest would be counted together.
LABELS_MAX = 32
OTHER_LABELS = "other labels"
# Three lines of the page; a long review is not carried to every viewer.
TEXT_CHARACTERS_MAX = 320
NAME_CHARACTERS_MAX = 40
# Bounds of latency in milliseconds, each 15 % above the one before: 1 ms to a minute and a half.
LATENCY_MS: tuple[float, ...] = tuple(1.15**power for power in range(83))
# What stands for all latencies between two bounds: 7 % either way.
_MIDDLE_MS = [round(bound / 1.15**0.5, 2) for bound in (*LATENCY_MS, 1.15 ** len(LATENCY_MS))]

_Json = dict[str, Any]


class Seen(NamedTuple):
    """An outcome as it was published: its number, Unix seconds, and milliseconds since its poll."""

    number: int
    outcome: Outcome
    at: float
    latency_ms: float


@dataclass(slots=True)
class Sample:
    """A few of all that was added since the last `take`, each with the same chance (reservoir)."""

    limit: int
    chance: Callable[[], float]
    kept: list[Seen] = field(default_factory=list)
    count: int = 0

    def add(self, seen: Seen) -> None:
        """Keep it, or not, in the place of another."""
        self.count += 1
        if self.count <= self.limit:
            self.kept.append(seen)
        elif (place := int(self.chance() * self.count)) < self.limit:
            self.kept[place] = seen

    def take(self) -> list[Seen]:
        """What was kept, in the order of its coming; begins anew."""
        kept, self.kept, self.count = sorted(self.kept), [], 0
        return kept


@dataclass(slots=True)
class Second:
    """Counts of one second: by label, by reason, by latency, and batches by size.

    `unsure` are those with a label of which the model was not confident, `late` those beyond the
    budget.
    """

    at: int
    labels: dict[str, int] = field(default_factory=dict)
    unsure: int = 0
    letters: dict[str, int] = field(default_factory=dict)
    latency: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_MS) + 1))
    late: int = 0
    batches: dict[str, int] = field(default_factory=dict)

    def shown(self) -> _Json:
        """As it is sent."""
        return {
            "at": self.at,
            "labels": self.labels,
            "unsure": self.unsure,
            "letters": self.letters,
            "latency": [
                [_MIDDLE_MS[place], count] for place, count in enumerate(self.latency) if count
            ],
            "late": self.late,
            "batches": self.batches,
        }


class Feed:
    """Collects what is published; `take` gives what is new, `snapshot` all that is remembered.

    Time is in seconds: `now` since 1970, `now_monotonic` of the clock that `polled_at` is read of.
    Texts leave it only where `include_text` says that events hold them too; `budget_ms` is what an
    outcome is late beyond.
    """

    def __init__(self, budget_ms: float, include_text: bool) -> None:
        """Begin empty."""
        self.include_text = include_text
        self.budget_ms = budget_ms
        chance = random.Random(0).random  # noqa: S311 - which ones are shown is no secret
        self._messages = Sample(MESSAGES_MAX, chance)
        self._letters = Sample(LETTERS_MAX, chance)
        self._recent: dict[str, deque[_Json]] = {
            "messages": deque(maxlen=RECENT_MESSAGES_MAX),
            "letters": deque(maxlen=RECENT_LETTERS_MAX),
            "seconds": deque(maxlen=SECONDS_MAX),
        }
        self._new = {name: deque[_Json](maxlen=known.maxlen) for name, known in
                     self._recent.items()}  # fmt: skip
        self._labels: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._batches: Counter[str] = Counter()
        self._number = 0
        self._beat = 0
        self._second = Second(0)

    def published(self, outcome: Outcome, now: float, now_monotonic: float) -> None:
        """Take in one, published at this time."""
        beat = int(now_monotonic * _BEATS_PER_S)
        if beat != self._beat:
            self._begin(beat)
        second = self._second
        latency_ms = (now_monotonic - outcome.record.polled_at) * 1000
        second.latency[bisect_left(LATENCY_MS, latency_ms)] += 1
        second.late += latency_ms > self.budget_ms
        self._number += 1
        seen = Seen(self._number, outcome, now, latency_ms)
        if isinstance(outcome, Rejected):
            second.letters[outcome.reason] = second.letters.get(outcome.reason, 0) + 1
            self._letters.add(seen)
            return
        # Passed on unscored, it has no label and nothing to be confident of.
        reading = outcome.reading if isinstance(outcome, Verdict) else None
        label = reading.label if reading is not None else ""
        if label not in second.labels and len(second.labels) >= LABELS_MAX:
            label = OTHER_LABELS
        second.labels[label] = second.labels.get(label, 0) + 1
        second.unsure += reading is not None and not reading.confident
        self._messages.add(seen)

    def batches(self, counts: Mapping[str, int], now_monotonic: float) -> None:
        """Take in how many batches there were so far, by size: a closed set of names."""
        more = Counter(counts) - self._batches
        if more:
            self._begin(int(now_monotonic * _BEATS_PER_S))
            known = self._second.batches
            self._second.batches = dict(more + Counter(known))
            self._batches = Counter(counts)

    def take(self, now_monotonic: float) -> _Json:
        """What is new since the last `take`: messages, letters, and seconds that are over."""
        self._begin(int(now_monotonic * _BEATS_PER_S))
        new = {name: list(fresh) for name, fresh in self._new.items()}
        for fresh in self._new.values():
            fresh.clear()
        return new

    def snapshot(self) -> _Json:
        """All that is remembered up to the last `take`, and what was counted since the start."""
        return {name: list(known) for name, known in self._recent.items()}

    def totals(self) -> _Json:
        """What was counted since the start, up to the last second that is over."""
        return {"labels": dict(self._labels), "letters": dict(self._reasons)}

    def _begin(self, beat: int) -> None:
        """End the beat before, where another has begun: once for many outcomes."""
        if beat == self._beat:
            return
        self._beat = beat
        for seen in self._messages.take():
            self._add("messages", message(seen, include_text=self.include_text))
        for seen in self._letters.take():
            self._add("letters", letter(seen))
        second, at = self._second, beat // _BEATS_PER_S
        if at != second.at:
            if second.labels or second.letters or second.batches:
                self._count(second)
                self._add("seconds", second.shown())
            self._second = Second(at)

    def _count(self, second: Second) -> None:
        for label, count in second.labels.items():
            known = label in self._labels or len(self._labels) < LABELS_MAX
            self._labels[label if known else OTHER_LABELS] += count
        self._reasons.update(second.letters)

    def _add(self, name: str, shown: _Json) -> None:
        self._recent[name].append(shown)
        self._new[name].append(shown)


def message(seen: Seen, *, include_text: bool) -> _Json:
    """A scored message as it is sent: short, and without its text where that may not travel."""
    outcome = seen.outcome
    assert not isinstance(outcome, Rejected)  # noqa: S101 - for the type checker
    reading = outcome.reading if isinstance(outcome, Verdict) else None
    text = outcome.message.text
    return {
        **_common(seen),
        "label": reading.label if reading is not None else None,
        "score": reading.score if reading is not None else None,
        "confident": reading.confident if reading is not None else None,
        "language": outcome.language,
        "source": _name(outcome.message.fields.get("source")),
        "text": _cut(text, TEXT_CHARACTERS_MAX) if include_text else None,
    }


def letter(seen: Seen) -> _Json:
    """A dead letter as it is sent; its detail never holds text of the message."""
    rejected = seen.outcome
    assert isinstance(rejected, Rejected)  # noqa: S101 - for the type checker
    return {
        **_common(seen),
        "reason": rejected.reason,
        "stage": rejected.stage,
        "detail": _cut(rejected.detail, TEXT_CHARACTERS_MAX),
    }


def _common(seen: Seen) -> _Json:
    record = seen.outcome.record
    return {
        "number": seen.number,
        "at": round(seen.at * 1000),
        "latency_ms": round(seen.latency_ms, 1),
        "topic": record.partition.topic,
        "partition": record.partition.number,
        "offset": record.offset,
    }


def _name(value: object) -> str | None:
    """A producer's `source`, where it is a plain name: whatever else it may send is not shown."""
    return _cut(value, NAME_CHARACTERS_MAX) if isinstance(value, str) else None


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"
