"""Two models' events on the same messages, side by side: `sentiment-stream compare`.

Exists so that a candidate can be tried on live messages by a release of its own, and be judged
before it replaces what runs. Joins events by the message that they are of; reads, and writes
nothing. Bounded memory, however long the topics are. Models may have different labels: what is
compared is their polarity (see `poles`), which a model with a neutral label has too.
"""

from __future__ import annotations

import heapq
import json
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.text import Text

from service.errors import RetriableError
from service.kafka.once.outputs import Outputs
from service.scoring.poles import meaning, negative, polarity, pole, positive
from service.terminal import Table, labelled, percent, printable, progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from service.records import Record
    from service.settings import KafkaSettings

# Events that wait for their other half, a few hundred bytes each, with their texts a kilobyte.
WAITING_MAX = 100_000
# Reads in a row that brought nothing, before it is said that the brokers have no more to give.
IDLE_READS_MAX = 20
# Quantiles of shifts are exact to the width of a bin.
SHIFT_BINS = 1000
# Models that a side is told to have: a few updates, not whatever a strange topic holds.
MODELS_MAX = 16
TEXT_CHARACTERS_MAX = 200

Origin = tuple[str, int, int]


class Half(NamedTuple):
    """What one model said of a message; `score` is its polarity from 0 to 1, `pole` the label's."""

    label: str
    pole: int
    score: float
    source_id: Any
    text: str | None


class Shift(NamedTuple):
    """Both halves, in the order of the size of the shift; `number` is no two's."""

    size: float
    number: int
    origin: Origin
    base: Half
    candidate: Half


@dataclass(slots=True)
class Side:
    """One topic: its events whose other half has not come yet, and counts."""

    topic: str
    waiting: OrderedDict[Origin, Half] = field(default_factory=OrderedDict)
    models: Counter[str] = field(default_factory=Counter)
    events: int = 0
    repeats: int = 0
    unreadable: int = 0
    unjoined: int = 0


class Comparison:
    """Joins events as they come; give it those of both sides in about the same pace."""

    def __init__(
        self, topics: tuple[str, str], examples: int, waiting_max: int = WAITING_MAX
    ) -> None:
        """Keep so many examples of the largest shifts, and so many events that wait."""
        self.sides = (Side(topics[0]), Side(topics[1]))
        self.joined = 0
        self._waiting_max = waiting_max
        self._agreeing = 0
        self._opposite = 0
        self._labels: Counter[tuple[str, str]] = Counter()
        self._shifts = [0] * (SHIFT_BINS + 1)
        self._shift_sum = 0.0
        self._examples_max = examples
        self._flipped: list[Shift] = []
        self._shifted: list[Shift] = []

    def behind(self) -> int:
        """The side (0 or 1) to read next, so that few events wait."""
        return int(len(self.sides[0].waiting) > len(self.sides[1].waiting))

    def add(self, number: int, value: bytes | None) -> None:
        """Take an event of side 0 or 1."""
        side, other = self.sides[number], self.sides[1 - number]
        event = _parsed(value)
        if event is None:
            side.unreadable += 1
            return
        origin, half, model = event
        side.events += 1
        if model in side.models or len(side.models) < MODELS_MAX:
            side.models[model] += 1
        if origin in side.waiting:
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

        `agreement` is the share of one label, however the two models write it; `pole_flips` the
        share that one model calls positive and the other negative. A `shift` is that of the
        polarity, and `scores` of examples are polarities: half of 1 + P(positive) - P(negative).
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
            "origin": dict(zip(("topic", "partition", "offset"), shift.origin, strict=True)),
            "source_id": shift.base.source_id,
            "text": shift.base.text or shift.candidate.text,
            "labels": [shift.base.label, shift.candidate.label],
            "scores": [shift.base.score, shift.candidate.score],
        }
        for shift in sorted(heap, reverse=True)
    ]


def _parsed(value: bytes | None) -> tuple[Origin, Half, str] | None:
    """None for what is no scored event; of any version of the contract the same fields are read."""
    try:
        event = json.loads(value or b"")
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
        place = (str(origin["topic"]), int(origin["partition"]), int(origin["offset"]))
        return place, half, f"{model['name']} {model['revision']} {model['precision']}"
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


async def compare(
    settings: KafkaSettings, topics: tuple[str, str], examples: int, console: Console
) -> dict[str, Any]:
    """Read two output topics to their ends of now; `console` shows the progress.

    Raises:
        RetriableError: the brokers do not answer, or give no more before the end.
        BrokerError: waiting does not help, or there is no such topic.
    """
    comparison = Comparison(topics, examples)
    async with Outputs(settings, topics) as outputs:
        with progress_bar(console) as progress:
            task = progress.add_task("compare", total=outputs.total)
            idle = 0
            while any(map(outputs.has_more, topics)):
                if idle >= IDLE_READS_MAX:
                    raise RetriableError(
                        f"{' and '.join(topics)}: no event came for {idle} reads, and not all are "
                        "read; see whether the brokers are well, and compare again"
                    )
                number = comparison.behind()
                if not outputs.has_more(topics[number]):
                    number = 1 - number
                records: Sequence[Record] = await outputs.read(topics[number])
                idle = 0 if records else idle + 1
                for record in records:
                    comparison.add(number, record.value)
                progress.advance(task, len(records))
    return comparison.figures()


def print_comparison(figures: dict[str, Any], console: Console) -> None:
    """Show the figures to a person."""
    topics = [side["topic"] for side in figures["sides"]]
    table = Table(
        f"{figures['joined']} messages scored by both", "", *(f">{topic}" for topic in topics)
    )
    for name in ("events", "without_other_half", "repeats", "unreadable"):
        table.add_row(name.replace("_", " "), *(str(side[name]) for side in figures["sides"]))
    table.add_row("models", *("\n".join(side["models"]) for side in figures["sides"]))
    console.print(table)
    shift = figures["shift"]
    console.print(
        f"the same label for {percent(figures['agreement'], 2)}, opposite poles for "
        f"{percent(figures['pole_flips'], 2)}; polarities (0 negative, 1 positive) shift by "
        f"{shift['mean']:+.4f} in the mean, by {shift['mean_absolute']:.4f} either way, for 95 % "
        f"by at most {shift['p95']:.3f}, for 99 % {shift['p99']:.3f}"
    )
    table = Table("labels by both", *topics, ">messages", ">share")
    for pair in figures["labels"]:
        share = percent(pair["count"] / figures["joined"], 2)
        table.add_row(labelled(pair["from"]), labelled(pair["to"]), str(pair["count"]), share)
    console.print(table)
    table = Table(
        "the largest shifts, flipped ones first", "message", "id", "labels", "polarities", "text"
    )
    for example in (*figures["flipped_examples"], *figures["shifted_examples"]):
        origin = example["origin"]
        table.add_row(
            f"{origin['topic']}/{origin['partition']}/{origin['offset']}",
            printable(example["source_id"]),
            Text(" → ").join(map(labelled, example["labels"])),
            " → ".join(f"{score:.3f}" for score in example["scores"]),
            printable(example["text"] or ""),
        )
    console.print(table)
