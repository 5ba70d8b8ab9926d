"""The dedicated inference thread: one loop, one bounded queue, results through futures.

Batches of the stream come first; texts from aside (see `web.score_api`) have the turns between
them, a small run at a time.

The engine is loaded, warmed and asked on this thread alone, so a GPU context never sees a second
one; whether it computes on more is its own matter (see `engines.lanes`). A document that it fails
on is isolated and becomes a `Rejected`; an engine that fails on a known good document too is
broken, and so is the process then.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from service.errors import BusyError, InputError, ModelError, ServiceError
from service.parts import split_by_size
from service.records import Reason, Rejected, Verdict
from service.scoring.joining import joined
from service.scoring.readings import LogitsReader
from service.scoring.repeats import Repeats
from service.scoring.turns import Turns, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from service.ports import Engine
    from service.records import Document, Encoded, ModelInfo, Outcome
    from service.scoring.readings import Reading

# One batch may wait while another runs; the pipeline sends no more.
QUEUE_MAX = 1
# A thread that is hanging in the model cannot be ended; the process may end without it.
JOIN_TIMEOUT_S = 5.0

# What a batch may hold after an out-of-memory error is found by halving, down to one long text.
TOKENS_UNBOUNDED = 1 << 30
TOKENS_MIN = 512
# Raised with each batch that fits: memory that others needed for a moment comes back.
TOKENS_GROWTH = 1.01

# What else a message needs takes microseconds and must not wait for a model that takes every core:
# heartbeats, polls and commits go first. Higher, and a stranger's process would stop the model.
NICENESS = 5

# Of some 65 tokens: together a run of the model on a CPU and more.
WARM_UP_COPIES = 32

# Most tokens of one run for texts from aside, or one window where that is longer: as long as that
# a batch of the stream may have to wait, some 25 ms on two cores with the bundled model.
ASIDE_TOKENS_MAX = 512
# Within this time a run from aside has had its turn and its answer, or its asker is sent away.
ASIDE_ANSWER_S = 2.0
# How often it is looked whether the stream leaves a turn, while somebody asks from aside.
ASIDE_LOOK_S = 0.002


class Inference:
    """Implements `ports.Scorer` on a thread of its own."""

    def __init__(
        self,
        load: Callable[[], Engine],
        warm_up: Sequence[Sequence[int]],
        repeats_max: int = 0,
        reader: LogitsReader | None = None,
        stream_waits: Callable[[], bool] = lambda: False,
    ) -> None:
        """`load` runs on the thread; `warm_up` are token sequences that every model can score.

        Of so many texts at most the verdict is remembered, and their repeats cost nothing.
        `calling` says how the model's logits are read; without it, raw. While `stream_waits`,
        texts from aside have no turn; it is asked on the event loop.
        """
        self._load = load
        self._reader = reader or LogitsReader()
        self._repeats = Repeats(repeats_max)
        self._warm_up = warm_up
        self._stream_waits = stream_waits
        self._turns = Turns(QUEUE_MAX)
        self._aside = asyncio.Lock()
        self._labels: tuple[str, ...] = ()
        self._loaded: Future[ModelInfo] = Future()
        self._tokens_max = TOKENS_UNBOUNDED
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)

    async def start(self) -> ModelInfo:
        """Load and warm the model.

        Raises:
            ServiceError: it cannot be loaded, or fails on the warm-up.
        """
        self._thread.start()
        return await asyncio.wrap_future(self._loaded)

    async def score(self, documents: Sequence[Document]) -> list[Outcome]:
        """Score documents; one outcome each, in the same order.

        A document without a window is passed on unscored.

        Raises:
            ModelError: the engine is broken.
        """
        scored = iter(await self._scored([d for d in documents if d.windows]))
        return [next(scored) if d.windows else _unscored(d) for d in documents]

    async def _scored(self, documents: Sequence[Document]) -> list[Outcome]:
        if not documents:
            return []
        compute = partial(self._repeats_or_outcomes, documents)
        work = Work(compute, Future())
        self._turns.put(work)
        outcomes: list[Outcome] = await asyncio.wrap_future(work.future)
        return outcomes

    async def score_aside(self, texts: Sequence[Encoded]) -> list[Reading]:
        """Read texts between the stream's batches; one reading each, in the same order.

        They run as those of the stream do, and read the same. Repeats are not remembered.

        Raises:
            BusyError: the stream leaves no turn, or the model has not answered in time.
            InputError: the model fails on one of the texts.
            ModelError: the engine is broken.
        """
        if not texts:
            return []
        windows = [window for text in texts for window in text.windows]
        parts = [await self._logits_aside(run) for run in split_by_size(windows, ASIDE_TOKENS_MAX)]
        logits = np.concatenate(parts)
        return self._readings(self._labels, logits, texts)

    async def _logits_aside(self, windows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        work = Work(partial(self._run_aside, windows), Future())
        try:
            # Whoever is sent away leaves something cancelled in the place, or on the thread.
            async with asyncio.timeout(ASIDE_ANSWER_S), self._aside:
                while self._stream_waits():  # noqa: ASYNC110 - of many things, on both sides
                    await asyncio.sleep(ASIDE_LOOK_S)
                self._turns.put_aside(work)
                found: NDArray[np.float32] | None = await asyncio.wrap_future(work.future)
        except TimeoutError:
            raise BusyError("the model is busy with the stream; ask again later") from None
        if found is None:
            raise InputError("the model fails on one of these texts; send them one by one")
        return found

    def _run_aside(
        self, windows: Sequence[Sequence[int]], engine: Engine
    ) -> NDArray[np.float32] | None:
        """The logits of windows; None where the engine fails on these and on nothing else."""
        try:
            return engine.logits(windows)
        except Exception:  # noqa: BLE001 - whatever it is, it is of these texts if the next works
            engine.logits(self._warm_up)
            return None

    async def stop(self) -> None:
        """Let the thread end after its current batch; may be called twice."""
        self._turns.end()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join, JOIN_TIMEOUT_S)

    @property
    def has_ended(self) -> bool:
        """Whether the thread was started and has ended: nothing will be scored any more."""
        return self._thread.ident is not None and not self._thread.is_alive()

    def _run(self) -> None:
        try:
            engine = self._loaded_engine()
            if engine is not None:
                self._serve(engine)
        finally:
            self._turns.end()

    def _loaded_engine(self) -> Engine | None:
        if not self._loaded.set_running_or_notify_cancel():
            return None
        _give_way()
        try:
            engine = self._load()
            engine.logits(self._warm_up)
            # As large as a run gets: memory is taken now, and not in the first busy minute.
            engine.logits([max(self._warm_up, key=len)] * WARM_UP_COPIES)
        except BaseException as error:  # noqa: BLE001 - all goes to who waits for the model
            self._turns.end()
            self._loaded.set_exception(_as_service_error(error, "cannot be loaded"))
            return None
        self._labels = engine.info.labels
        self._loaded.set_result(engine.info)
        return engine

    def _serve(self, engine: Engine) -> None:
        while (work := self._turns.take()) is not None:
            try:
                work.future.set_result(work.run(engine))
            except BaseException as error:  # noqa: BLE001 - all goes to who waits for the batch
                self._turns.end()
                work.future.set_exception(_as_service_error(error, "has stopped working"))
                return

    def _repeats_or_outcomes(self, documents: Sequence[Document], engine: Engine) -> list[Outcome]:
        return self._repeats.score(documents, partial(self._outcomes, engine))

    def _outcomes(self, engine: Engine, documents: Sequence[Document]) -> list[Outcome]:
        tokens = sum(document.tokens for document in documents)
        if tokens > self._tokens_max and len(documents) > 1:
            return self._halves(engine, documents)
        try:
            logits = engine.logits([window for d in documents for window in d.windows])
        except Exception as error:
            if _out_of_memory(error):
                if tokens <= TOKENS_MIN or len(documents) == 1:
                    raise
                self._tokens_max = max(TOKENS_MIN, tokens // 2)
                return self._halves(engine, documents)
            if len(documents) > 1:
                return self._halves(engine, documents)
            engine.logits(self._warm_up)
            name = type(error).__name__
            return [Rejected(documents[0].record, Reason.ENGINE_ERROR, name, "score")]
        self._tokens_max = min(TOKENS_UNBOUNDED, int(self._tokens_max * TOKENS_GROWTH))
        readings = self._readings(engine.info.labels, logits, documents)
        return [
            Verdict(document, call.label, call.score, scores, call.confident)
            for document, (call, scores) in zip(documents, readings, strict=True)
        ]

    def _readings(
        self,
        labels: Sequence[str],
        logits: NDArray[np.float32],
        texts: Sequence[Encoded | Document],
    ) -> list[Reading]:
        """Read texts by the logits of their windows."""
        counts = [len(text.windows) for text in texts]
        whole = joined(logits, counts, multi_label=self._reader.multi_label)
        return self._reader.read(labels, whole, texts)

    def _halves(self, engine: Engine, documents: Sequence[Document]) -> list[Outcome]:
        middle = len(documents) // 2
        first = self._outcomes(engine, documents[:middle])
        return [*first, *self._outcomes(engine, documents[middle:])]


def _give_way() -> None:
    """Lower this thread's priority, and that of the pools it starts, where threads have one."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)


def _out_of_memory(error: Exception) -> bool:
    # Each library has its own: MemoryError, torch's OutOfMemoryError, ONNX Runtime's message.
    return (
        isinstance(error, MemoryError)
        or "OutOfMemory" in type(error).__name__
        or "Failed to allocate memory" in str(error)
    )


def _unscored(document: Document) -> Verdict:
    return Verdict(document, None, None, {}, None)


def _as_service_error(error: BaseException, what: str) -> ServiceError:
    if isinstance(error, ServiceError):
        return error
    return ModelError(f"the model {what}: {type(error).__name__}: {str(error)[:300]}")
