"""The data of the live page: published outcomes, sampled and counted in bounded memory.

Pure: time is an argument, and nothing here waits. At any rate of outcomes, each beat (half a
second) keeps a sample of a few and each second a few counters, so that an outcome costs the stream
about two microseconds. No HTTP and no metrics here, and of a text only the beginning that the page
shows.
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

    from service.records import Published

# How often the page is updated: smooth to the eye, at two small writes a second.
BEAT_S = 0.5
_BEATS_PER_S = round(1 / BEAT_S)
# Kept of one beat. Ten messages a second are more than anybody reads; dead letters are fewer,
# since people read them more closely.
MESSAGES_MAX = 5
LETTERS_MAX = 2
# Sent at once to a page that is opened or has fallen behind: about a screen of each.
RECENT_MESSAGES_MAX = 40
RECENT_LETTERS_MAX = 12
# Length of the charts: two minutes.
SECONDS_MAX = 120
# A model has few labels. If it has more than this, the rest is counted as OTHER_LABELS.
LABELS_MAX = 32
OTHER_LABELS = "other labels"
# About three lines of the page. A long review is not sent to every viewer.
TEXT_CHARACTERS_MAX = 320
NAME_CHARACTERS_MAX = 40
# Bucket bounds of latencies in milliseconds, each 15 % above the one before: 1 ms to 95 s.
LATENCY_MS: tuple[float, ...] = tuple(1.15**power for power in range(83))
# The value sent for all latencies of a bucket; off by 7 % at most.
_MIDDLE_MS = [round(bound / 1.15**0.5, 2) for bound in (*LATENCY_MS, 1.15 ** len(LATENCY_MS))]

_Json = dict[str, Any]


class Seen(NamedTuple):
    """A published outcome; `number` counts from 1, `at` is in Unix seconds."""

    number: int
    outcome: Published
    at: float
    latency_ms: float


@dataclass(slots=True)
class Sample:
    """A uniform random sample of what was added since the last `take` (reservoir sampling)."""

    limit: int
    chance: Callable[[], float]
    kept: list[Seen] = field(default_factory=list)
    count: int = 0

    def add(self, seen: Seen) -> None:
        """Keep it, possibly in place of another, or drop it."""
        self.count += 1
        if self.count <= self.limit:
            self.kept.append(seen)
        elif (place := int(self.chance() * self.count)) < self.limit:
            self.kept[place] = seen

    def take(self) -> list[Seen]:
        """Return the sample in the order of arrival, and start a new one."""
        kept, self.kept, self.count = sorted(self.kept), [], 0
        return kept


@dataclass(slots=True)
class Second:
    """Counts of one second: outcomes by label, reason and latency, and batches by size.

    `letters` are dead letters by reason. `unsure` counts outcomes of which the model was not
    confident, `late` those over the latency budget.
    """

    at: int
    labels: dict[str, int] = field(default_factory=dict)
    unsure: int = 0
    letters: dict[str, int] = field(default_factory=dict)
    latency: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_MS) + 1))
    late: int = 0
    batches: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> _Json:
        """The form in which it is sent to the page."""
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
    """Collects published outcomes; `take` returns what is new, `snapshot` all that is kept.

    Times are in seconds: `now` since 1970, `now_monotonic` on the clock of `Record.polled_at`.
    Texts are left out unless `include_text` is set, as in events. An outcome is late if its latency
    is over `budget_ms`.
    """

    def __init__(self, budget_ms: float, include_text: bool) -> None:
        """Start empty."""
        self.include_text = include_text
        self.budget_ms = budget_ms
        chance = random.Random(0).random  # noqa: S311 - a sample for display, not secrecy
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

    def published(self, outcome: Published, now: float, now_monotonic: float) -> None:
        """Count one outcome, published at this time, and maybe keep it for the sample."""
        beat = int(now_monotonic * _BEATS_PER_S)
        if beat != self._beat:
            self._close_beat(beat)
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
        # An unscored text has no label, and is not unsure.
        reading = outcome.reading if isinstance(outcome, Verdict) else None
        label = reading.label if reading is not None else ""
        if label not in second.labels and len(second.labels) >= LABELS_MAX:
            label = OTHER_LABELS
        second.labels[label] = second.labels.get(label, 0) + 1
        second.unsure += reading is not None and not reading.confident
        self._messages.add(seen)

    def batches(self, counts: Mapping[str, int], now_monotonic: float) -> None:
        """Set the number of batches since the start, by size, which has a closed set of names."""
        more = Counter(counts) - self._batches
        if more:
            self._close_beat(int(now_monotonic * _BEATS_PER_S))
            known = self._second.batches
            self._second.batches = dict(more + Counter(known))
            self._batches = Counter(counts)

    def take(self, now_monotonic: float) -> _Json:
        """Messages, dead letters and completed seconds since the last `take`."""
        self._close_beat(int(now_monotonic * _BEATS_PER_S))
        new = {name: list(fresh) for name, fresh in self._new.items()}
        for fresh in self._new.values():
            fresh.clear()
        return new

    def snapshot(self) -> _Json:
        """All recent messages, dead letters and seconds, up to the last `take`."""
        return {name: list(known) for name, known in self._recent.items()}

    def totals(self) -> _Json:
        """Counts since the start, up to the last completed second."""
        return {"labels": dict(self._labels), "letters": dict(self._reasons)}

    def _close_beat(self, beat: int) -> None:
        """Close the previous beat if a new one has begun."""
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
                self._add("seconds", second.as_json())
            self._second = Second(at)

    def _count(self, second: Second) -> None:
        for label, count in second.labels.items():
            known = label in self._labels or len(self._labels) < LABELS_MAX
            self._labels[label if known else OTHER_LABELS] += count
        self._reasons.update(second.letters)

    def _add(self, name: str, entry: _Json) -> None:
        self._recent[name].append(entry)
        self._new[name].append(entry)


def message(seen: Seen, *, include_text: bool) -> _Json:
    """The form in which a message is sent to the page: cut short, its text only if allowed."""
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
    """The form in which a dead letter is sent; its detail never holds text of the message."""
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
    """A producer's `source` if it is a string; any other value is not shown."""
    return _cut(value, NAME_CHARACTERS_MAX) if isinstance(value, str) else None


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"
