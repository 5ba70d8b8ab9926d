"""The best batching of a peer, and whether its scores are right.

Exists so that nobody is compared at his second best, or with wrong scores. Knows no library.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from service.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from service.checkpoint.files import Checkpoint
    from service.text.encoder import TextEncoder

    # The logits of one batch, (texts, labels); called from several threads at a time.
    Score = Callable[[Sequence[Sequence[int]]], NDArray[np.float32]]

# What the search tries: batches computed at a time, each with its share of the threads, and texts
# in a batch.
STREAMS = (1, 2)
SIZES = (8, 16, 32, 64)
SEARCH_TEXTS = 128
# Each way is timed so often, and its best time counts.
TIMES = 2
# The largest share of the variance of logits that may differ from ours in float32. Right engines
# had 2e-11 in float32 and 0.0001 to 0.012 in int8, whatever the weights; wrong ones have 1 or more.
OFF_MAX = {"float32": 1e-4, "int8": 0.1}


class Trial(NamedTuple):
    """What peers are tried on; `expected` are our logits of `sequences` in float32."""

    checkpoint: Checkpoint
    encoder: TextEncoder
    threads: int
    sequences: list[list[int]]
    expected: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Peer:
    """A loaded peer with the batching that is best for it; calling it scores texts."""

    encoder: TextEncoder
    score: Score
    pool: ThreadPoolExecutor
    streams: int
    size: int
    difference_p99: float = 0.0

    def __call__(self, texts: Sequence[str]) -> None:
        """Score all texts."""
        self.logits(self.encoder.sequences(texts))

    def logits(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """The logits in the order of the sequences; batches are made of the sorted ones."""
        # Longest first, so that what is computed at a time ends at about the same time.
        order = sorted(range(len(sequences)), key=lambda i: -len(sequences[i]))
        parts = [order[first : first + self.size] for first in range(0, len(order), self.size)]
        batches = [[sequences[i] for i in part] for part in parts]
        found = np.concatenate(list(self.pool.map(self.score, batches)))
        logits = np.empty_like(found)
        logits[order] = found
        return logits

    def figures(self) -> dict[str, float]:
        """What the search has found."""
        return {
            "batch_texts": self.size,
            "at_a_time": self.streams,
            "difference_p99": round(self.difference_p99, 5),
        }


def at_its_best(load: Callable[[int], Score], trial: Trial, precision: str) -> Peer:
    """The quickest way of a peer to run that gives the right scores.

    `load` gives the peer for a number of batches computed at a time.

    Raises:
        ModelError: no way gives them.
    """
    best: tuple[float, Peer] | None = None
    sequences, expected = trial.sequences[:SEARCH_TEXTS], trial.expected[:SEARCH_TEXTS]
    worst = 0.0
    for streams in sorted({min(count, trial.threads) for count in STREAMS}):
        # Kept, because what a library holds for a thread would be made anew for each call.
        score, pool = load(streams), ThreadPoolExecutor(streams)
        for size in SIZES:
            peer = Peer(trial.encoder, score, pool, streams, size)
            # This is the warm-up too.
            logits = peer.logits(sequences)
            off = unexplained(logits, expected)
            # Not a number is wrong too.
            if not off <= OFF_MAX[precision]:
                worst = max(worst, off)
                continue
            seconds = min(_seconds(peer, sequences) for _ in range(TIMES))
            if best is None or seconds < best[0]:
                gap = difference_p99(logits, expected)
                best = (seconds, replace(peer, difference_p99=gap))
    if best is None:
        raise ModelError(f"its scores are wrong: {worst:.3g} of the logits' variance differs")
    return best[1]


def _seconds(peer: Peer, sequences: list[list[int]]) -> float:
    started = time.perf_counter()
    peer.logits(sequences)
    return time.perf_counter() - started


def unexplained(logits: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    """The share of the variance of the expected logits that these miss; 1 for constant ones.

    Unlike a difference in probability it tells right from wrong even where weights are random, and
    all texts have nearly the same scores.
    """
    spread = np.square(expected - expected.mean(axis=0)).sum()
    return float(np.square(logits - expected).sum() / max(spread, 1e-30))


def difference_p99(logits: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    """What 99 % of texts differ by at most in probability."""
    one, other = (np.exp(x - x.max(axis=1, keepdims=True)) for x in (logits, expected))
    gaps = one / one.sum(axis=1, keepdims=True) - other / other.sum(axis=1, keepdims=True)
    return float(np.quantile(np.abs(gaps).max(axis=1), 0.99))
