"""Joins the events of two models on the same messages, and counts where they differ.

Exists apart from `compare` so that it can be read and tested without Kafka. Its memory is bounded,
however many events there are. Models may have different labels: compared are their polarities (see
`poles`), which a model with a neutral label has too. Nothing may enter that reads or prints.
"""

from __future__ import annotations

import heapq
import json
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from service.scoring.poles import meaning, negative, polarity, pole, positive

if TYPE_CHECKING:
    from collections.abc import Iterable

# Events of a topic that wait for the other topic's event on their message: a few hundred bytes
# each, a kilobyte with their texts.
WAITING_MAX = 100_000
# The width of a bin bounds the error of the shifts' quantiles.
SHIFT_BINS = 1000
# Models counted per topic: enough for a few updates, bounded for a topic of other events.
MODELS_MAX = 16
TEXT_CHARACTERS_MAX = 200

# Joined messages that are remembered: what is published again by a producer that has failed comes
# within a few batches. Two hundred bytes each.
JOINED_MAX = 100_000

# Topic, partition and offset of an input message, its index if its record is a list, and its
# timestamp: a topic that is made anew has the same offsets again.
Origin = tuple[str, int, int, int | None, int | None]
_SHOWN = ("topic", "partition", "offset", "index")


class Half(NamedTuple):
    """One model's event on a message; `score` is the polarity from 0 to 1, `pole` the label's."""

    label: str
    pole: int
    score: float
    source_id: Any
    text: str | None


class Shift(NamedTuple):
    """Both models' events on a message; sorts by `size`, then by `number`, which is unique."""

    size: float
    number: int
    origin: Origin
    base: Half
    candidate: Half


@dataclass(slots=True)
class Side:
    """One topic: its events that wait for the other topic's, and counts."""

    topic: str
    waiting: OrderedDict[Origin, Half] = field(default_factory=OrderedDict)
    models: Counter[str] = field(default_factory=Counter)
    events: int = 0
    repeats: int = 0
    unreadable: int = 0
    unjoined: int = 0


class Comparison:
    """Joins events of two topics (sides 0 and 1), to be added at about the same pace."""

    def __init__(
        self, topics: tuple[str, str], examples: int, waiting_max: int = WAITING_MAX
    ) -> None:
        """Keep at most `examples` of the largest shifts, and `waiting_max` events per side."""
        self.sides = (Side(topics[0]), Side(topics[1]))
        self.joined = 0
        self._waiting_max = waiting_max
        self._known: OrderedDict[Origin, None] = OrderedDict()
        self._agreeing = 0
        self._opposite = 0
        self._labels: Counter[tuple[str, str]] = Counter()
        self._shifts = [0] * (SHIFT_BINS + 1)
        self._shift_sum = 0.0
        self._examples_max = examples
        self._flipped: list[Shift] = []
        self._shifted: list[Shift] = []

    def behind(self) -> int:
        """The side to read next, so that few events wait: the one with fewer that do."""
        return int(len(self.sides[0].waiting) > len(self.sides[1].waiting))

    def add(self, number: int, value: Any) -> None:
        """Add the value of an event of side 0 or 1: a document of JSON, or its bytes."""
        side, other = self.sides[number], self.sides[1 - number]
        event = _parsed(value)
        if event is None:
            side.unreadable += 1
            return
        origin, half, model = event
        side.events += 1
        if model in side.models or len(side.models) < MODELS_MAX:
            side.models[model] += 1
        if origin in side.waiting or origin in self._known:
            side.repeats += 1
            return
        found = other.waiting.pop(origin, None)
        if found is None:
            side.waiting[origin] = half
            if len(side.waiting) > self._waiting_max:
                side.waiting.popitem(last=False)
                side.unjoined += 1
            return
        halves = (half, found) if number == 0 else (found, half)
        self._join(origin, *halves)

    def _join(self, origin: Origin, base: Half, candidate: Half) -> None:
        shift = candidate.score - base.score
        self.joined += 1
        self._known[origin] = None
        if len(self._known) > JOINED_MAX:
            self._known.popitem(last=False)
        self._labels[base.label, candidate.label] += 1
        self._shift_sum += shift
        self._shifts[round(abs(shift) * SHIFT_BINS)] += 1
        example = Shift(abs(shift), self.joined, origin, base, candidate)
        if _same(base.label, candidate.label):
            self._agreeing += 1
            _keep(self._shifted, example, self._examples_max)
        else:
            self._opposite += base.pole * candidate.pole < 0
            _keep(self._flipped, example, self._examples_max)

    def figures(self) -> dict[str, Any]:
        """Counts, shares from 0 to 1, and examples with the largest shifts first.

        `agreement` is the share of messages with the same label, however the two models write it;
        `pole_flips` the share that is positive for one model and negative for the other. `shift` is
        the candidate's polarity minus the base's, and `scores` of examples are polarities: half of
        1 + P(positive) - P(negative).
        """
        joined = max(self.joined, 1)
        pairs = [
            {"from": base, "to": candidate, "count": count}
            for (base, candidate), count in self._labels.most_common()
        ]
        return {
            "joined": self.joined,
            "agreement": self._agreeing / joined,
            "pole_flips": self._opposite / joined,
            "labels": pairs,
            "flips": [pair for pair in pairs if not _same(str(pair["from"]), str(pair["to"]))],
            "shift": {
                "mean": self._shift_sum / joined,
                "mean_absolute": sum(n * c for n, c in enumerate(self._shifts))
                / SHIFT_BINS
                / joined,
                **{f"p{p}": self._quantile(p / 100) for p in (50, 95, 99, 100)},
            },
            "sides": [
                {
                    "topic": side.topic,
                    "events": side.events,
                    "models": dict(side.models.most_common()),
                    "without_other_half": len(side.waiting) + side.unjoined,
                    "given_up_waiting": side.unjoined,
                    "repeats": side.repeats,
                    "unreadable": side.unreadable,
                }
                for side in self.sides
            ],
            "flipped_examples": _examples(self._flipped),
            "shifted_examples": _examples(self._shifted),
        }

    def _quantile(self, share: float) -> float:
        due, seen = share * self.joined, 0
        for number, count in enumerate(self._shifts):
            seen += count
            if seen and seen >= due:
                return number / SHIFT_BINS
        return 0.0


def _same(base: str, candidate: str) -> bool:
    return meaning(base).lower() == meaning(candidate).lower()


def _keep(heap: list[Shift], example: Shift, count: int) -> None:
    if len(heap) < count:
        heapq.heappush(heap, example)
    elif heap:
        heapq.heappushpop(heap, example)


def _examples(heap: Iterable[Shift]) -> list[dict[str, Any]]:
    return [
        {
            "origin": dict(zip(_SHOWN, shift.origin, strict=False)),
            "source_id": shift.base.source_id,
            "text": shift.base.text or shift.candidate.text,
            "labels": [shift.base.label, shift.candidate.label],
            "scores": [shift.base.score, shift.candidate.score],
        }
        for shift in sorted(heap, reverse=True)
    ]


def _parsed(value: Any) -> tuple[Origin, Half, str] | None:
    """Origin, half and model of an event, of any version of the contract; None for other values."""
    try:
        event = json.loads(value or b"") if isinstance(value, bytes | None) else value
        origin, model = event["origin"], event["model"]
        scores, text = event["scores"], event.get("text")
        labels = list(scores)
        shares = (float(scores[labels[index(labels)]]) for index in (negative, positive))
        half = Half(
            str(event["label"]),
            pole(str(event["label"]), labels),
            min(max(polarity(*shares), 0.0), 1.0),
            event.get("source_id"),
            text[:TEXT_CHARACTERS_MAX] if isinstance(text, str) else None,
        )
        element, timestamp = origin.get("index"), origin.get("timestamp")
        place = (
            str(origin["topic"]),
            int(origin["partition"]),
            int(origin["offset"]),
            None if element is None else int(element),
            None if timestamp is None else int(timestamp),
        )
        return place, half, f"{model['name']} {model['revision']} {model['precision']}"
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
