"""The simulated model, and what stands on either side of it: texts that cost nothing to decode.

The service's own isolation of bad texts (`scoring.batch`) runs, without its thread: what it
takes is virtual time.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from service.records import (
    Document,
    Item,
    Message,
    ModelInfo,
    Outgoing,
    Reason,
    Rejected,
    Skipped,
    SkipReason,
    TextStats,
    Verdict,
)
from service.scoring.batch import BatchScorer
from service.scoring.inference import as_service_error
from service.scoring.readings import LogitsReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from service.records import Published, Record

Mode = Literal["good", "broken", "hanging", "slow", "short of memory"]

FIXED_S, PER_TOKEN_S = 0.004, 0.0005
# Beyond the rebalance timeout, within the stall timeout.
SLOW_S = 5.0
MEMORY_TOKENS = 24
POISON = 13
WARM_UP = ([1],)
# What an event of this kind of text has: more than its topic takes.
BIG_BYTES = 30_000
# A service either skips null values or makes them dead letters; here each record says which.
KIND_HEADER = "kind"
TOMBSTONE, SKIPPED = b"tombstone", b"skipped"
# A record of several messages, of which every fourth is skipped.
LIST = b"list"
ELEMENTS_MAX = 6
STATS = TextStats(1, truncated=False, windows=1, unknown_share=0)


class SimulatedModel:
    """One process's engine and scorer in one."""

    info = ModelInfo("m", "r", "e", "float32", "cpu", ("negative", "positive"))

    def __init__(self, point: Callable[[str, str], None]) -> None:
        """Work; `point` is told before and after a batch."""
        self.mode: Mode = "good"
        self.hit = 0
        self._point = point
        self._scorer = BatchScorer(WARM_UP, LogitsReader())

    async def score(self, documents: Sequence[Document]) -> list[Verdict | Rejected]:
        """See `ports.Scorer`."""
        self._point("score", "before")
        self.hit += self.mode != "good"
        if self.mode == "hanging":
            await asyncio.get_running_loop().create_future()
        tokens = sum(document.tokens for document in documents)
        slow_s = SLOW_S if self.mode == "slow" else 0
        await asyncio.sleep(FIXED_S + PER_TOKEN_S * tokens + slow_s)
        try:
            outcomes = self._scorer.score(self, documents)
        except Exception as error:
            raise as_service_error(error, "has stopped working") from error
        self._point("score", "after")
        return outcomes

    def logits(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """See `ports.Engine`."""
        if self.mode == "broken":
            raise RuntimeError("broken")
        if any(ids[0] == POISON for ids in sequences):
            raise ValueError("poison")
        if self.mode == "short of memory" and sum(map(len, sequences)) > MEMORY_TOKENS:
            raise MemoryError
        return np.zeros((len(sequences), 2), np.float32)


async def prepared(records: Sequence[Record]) -> list[Item]:
    """Stand for decoding and tokenizing; the kind of a text is its first word."""
    await asyncio.sleep(0)
    return [item for record in records for item in _items(record)]


def elements(value: bytes) -> tuple[int, ...]:
    """The indexes of a record's messages that have an output; index 0 is also a single message."""
    return tuple(index for index in range(_count(value)) if index % 4 != 3)


def _count(value: bytes) -> int:
    kind, _, number = value.partition(b" ")
    return 1 + int(number) % ELEMENTS_MAX if kind == LIST else 1


def _items(record: Record) -> list[Item]:
    if not (record.value or b"").startswith(LIST):
        return [_item(record)]
    last = _count(record.value or b"") - 1
    return [
        _element(replace(record, index=index, is_last=index == last)) for index in range(last + 1)
    ]


def _element(record: Record) -> Item:
    if (record.index or 0) % 4 == 3:
        return Skipped(record, SkipReason.VALUE)
    if (record.index or 0) % 4 == 2:
        return Rejected(record, Reason.TEXT_MISSING, "", "decode")
    return _item(record)


def _item(record: Record) -> Item:
    if record.value is None:
        if dict(record.headers)[KIND_HEADER] == SKIPPED:
            return Skipped(record, SkipReason.TOMBSTONE)
        return Rejected(record, Reason.TOMBSTONE, "", "decode")
    kind, _, number = record.value.partition(b" ")
    if kind == b"bad":
        return Rejected(record, Reason.NOT_JSON, "", "decode")
    ids = [POISON if kind == b"poison" else 1] * (1 + int(number) % 7)
    return Document(Message(record, "", {}), (ids,), STATS)


class SimulatedEncoder:
    """Stands for `codec.Encoder`: each outcome is its input's value, and says where it is from."""

    def encode(self, outcome: Published, now: float, now_monotonic: float) -> Outgoing:  # noqa: ARG002 - as the real one
        """An event or a dead letter."""
        record = outcome.record
        if isinstance(outcome, Rejected):
            return _letter(record)
        if (record.value or b"").startswith(b"big"):
            padded = (record.value or b"") + b" " * BIG_BYTES
            return Outgoing(
                "out",
                record.key,
                padded,
                _origin(record),
                record.partition,
                record.offset,
                lambda: _letter(record),
            )
        return Outgoing(
            "out", record.key, record.value, _origin(record), record.partition, record.offset
        )


def _letter(record: Record) -> Outgoing:
    return Outgoing(
        "dead", record.key, record.value, _origin(record), record.partition, record.offset
    )


def _origin(record: Record) -> tuple[tuple[str, bytes | None], ...]:
    place = (record.partition.number, record.offset, record.index or 0)
    return (("origin", b"%d %d %d" % place),)
