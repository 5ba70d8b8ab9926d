"""A fake engine that fails as the test says, and documents for it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from service.records import Document, Message, ModelInfo, Reason, Rejected, TextStats, Verdict
from service.scoring.batch import BatchScorer
from service.scoring.readings import LogitsReader
from tools.values import record

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

POISON = 13
WARM_UP = ([1, 2],)
STATS = TextStats(2, truncated=False, windows=1, unknown_share=0)


class ScriptedEngine:
    """Says of each sequence what its second id is; fails on poison, and as the test says."""

    info = ModelInfo("m", "r", "e", "float32", "cpu", ("negative", "positive"))

    def __init__(self) -> None:
        """Work."""
        self.error: BaseException | None = None
        self.memory_tokens = 10**6
        self.sizes: list[int] = []
        self.threads: set[str] = set()
        self.busy = threading.Event()
        self.free = threading.Event()
        self.free.set()

    def logits(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """See `ports.Engine`."""
        self.threads.add(threading.current_thread().name)
        self.sizes.append(len(sequences))
        self.busy.set()
        assert self.free.wait(10)
        if self.error is not None:
            raise self.error
        if any(POISON in ids for ids in sequences):
            raise ValueError("poison")
        if sum(map(len, sequences)) > self.memory_tokens:
            raise MemoryError
        scores = [ids[1] / 1000 for ids in sequences]
        return np.log(np.array([(1 - score, score) for score in scores], np.float32))


def document(number: int, *, poison: bool = False, tokens: int = 2) -> Document:
    """A document whose score tells its number."""
    ids = [POISON if poison else 1, number + 20] + [1] * (tokens - 2)
    return Document(Message(record(number), "", {}), (ids,), STATS)


def documents(count: int, poisonous: Collection[int] = ()) -> list[Document]:
    """Documents, some of which no engine survives."""
    return [document(number, poison=number in poisonous) for number in range(count)]


def assert_outcomes(
    outcomes: Sequence[Verdict | Rejected], count: int, poisonous: Collection[int] = ()
) -> None:
    """One for each document, in order, each its own; the poisonous are rejected."""
    assert list(range(count)) == [o.record.offset for o in outcomes]
    for number, outcome in enumerate(outcomes):
        if number in poisonous:
            assert isinstance(outcome, Rejected)
            assert (Reason.ENGINE_ERROR, "score") == (outcome.reason, outcome.stage)
        else:
            assert isinstance(outcome, Verdict)
            assert pytest.approx((number + 20) / 1000) == outcome.reading.scores["positive"]


def scorer(reader: LogitsReader | None = None, repeats_max: int = 0) -> BatchScorer:
    """As the service has it for the scripted engine."""
    return BatchScorer(WARM_UP, reader or LogitsReader(), repeats_max)
