"""Scores batches on an engine: skips repeats, isolates bad texts, keeps within memory.

Exists apart from the inference thread, so that it can be read and tested without one: the engine
is an argument. Its only state is the readings of recent texts, and how many tokens fit into the
engine's memory.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from service.records import Reason, Rejected, Verdict
from service.scoring.joining import joined
from service.scoring.repeats import Repeats

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from service.ports import Engine
    from service.records import Document, Encoded, Reading
    from service.scoring.readings import LogitsReader

# Most tokens of a batch: halved at every out-of-memory error, down to about one long text.
TOKENS_UNBOUNDED = 1 << 30
TOKENS_MIN = 512
# The bound grows by this factor with each batch that fits, since the memory may be free again.
TOKENS_GROWTH = 1.01


class BatchScorer:
    """Scores documents on an engine; used from one thread only."""

    def __init__(
        self, known_good: Sequence[Sequence[int]], reader: LogitsReader, repeats_max: int = 0
    ) -> None:
        """`known_good` are token sequences that every model can score.

        The readings of at most `repeats_max` texts are cached, so that repeats are not computed.
        """
        self._known_good = known_good
        self._reader = reader
        self._repeats = Repeats(repeats_max)
        self._tokens_max = TOKENS_UNBOUNDED

    def score(self, engine: Engine, documents: Sequence[Document]) -> list[Verdict | Rejected]:
        """One outcome for each document, in the same order.

        Raises the engine's own error if it fails on known good texts too: then it is broken.
        """
        return self._repeats.score(documents, partial(self.computed, engine))

    def computed(self, engine: Engine, documents: Sequence[Document]) -> list[Verdict | Rejected]:
        """As `score`, without the cache.

        If the engine fails on a batch, its halves are scored separately, and so on recursively.
        This ends with batches that fit into memory, and with single texts that are bad.
        """
        tokens = sum(document.tokens for document in documents)
        # Earlier batches of this size did not fit into memory, so it is not tried again.
        if tokens > self._tokens_max and len(documents) > 1:
            return self._halves(engine, documents)
        try:
            logits = engine.logits([window for d in documents for window in d.windows])
        except Exception as error:
            if _is_out_of_memory(error):
                # No text is bad. If even the smallest batch does not fit, halving cannot help.
                if tokens <= TOKENS_MIN or len(documents) == 1:
                    raise
                self._tokens_max = max(TOKENS_MIN, tokens // 2)
                return self._halves(engine, documents)
            # One of the texts is bad, or the engine is broken. Halves without a bad text succeed,
            # so n texts with one bad one take about 2 log2(n) further runs.
            if len(documents) > 1:
                return self._halves(engine, documents)
            # With a single text left, known good texts decide: a broken engine fails on them too,
            # and its error ends the thread. Otherwise this text is bad.
            engine.logits(self._known_good)
            name = type(error).__name__
            return [Rejected(documents[0].record, Reason.ENGINE_ERROR, name, "score")]
        self._tokens_max = min(TOKENS_UNBOUNDED, int(self._tokens_max * TOKENS_GROWTH))
        readings = self.readings(engine.info.labels, logits, documents)
        return [Verdict(d, reading) for d, reading in zip(documents, readings, strict=True)]

    def request_logits(
        self, windows: Sequence[Sequence[int]], engine: Engine
    ) -> NDArray[np.float32] | None:
        """The logits of windows; None if the engine fails on them, but not on known good texts."""
        try:
            return engine.logits(windows)
        except Exception:  # noqa: BLE001 - the texts are at fault if good ones can be scored
            engine.logits(self._known_good)
            return None

    def readings(
        self,
        labels: Sequence[str],
        logits: NDArray[np.float32],
        texts: Sequence[Encoded | Document],
    ) -> list[Reading]:
        """The reading of each text; `logits` has a row for every window of the texts, in order."""
        counts = [len(text.windows) for text in texts]
        whole = joined(logits, counts, multi_label=self._reader.multi_label)
        return self._reader.read(labels, whole, texts)

    def _halves(self, engine: Engine, documents: Sequence[Document]) -> list[Verdict | Rejected]:
        middle = len(documents) // 2
        first = self.computed(engine, documents[:middle])
        return [*first, *self.computed(engine, documents[middle:])]


def _is_out_of_memory(error: Exception) -> bool:
    # Each library has its own error: MemoryError, torch's OutOfMemoryError, ONNX Runtime's message.
    return (
        isinstance(error, MemoryError)
        or "OutOfMemory" in type(error).__name__
        or "Failed to allocate memory" in str(error)
    )
