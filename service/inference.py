"""The dedicated inference thread: one loop, one bounded queue, results through futures.

The model is loaded, warmed and run on this thread alone, so a GPU context or a compute pool never
sees a second one. A document that the engine fails on is isolated and becomes a `Rejected`; an
engine that fails on a known good document too is broken, and so is the process then.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import sys
import threading
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING

from service.calls import Calling
from service.errors import ModelError, ServiceError
from service.records import Reason, Rejected, Verdict
from service.repeats import Repeats
from service.windows import joined

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from service.ports import Engine
    from service.records import Document, ModelInfo

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

Outcomes = list["Verdict | Rejected"]
_Work = tuple["Sequence[Document]", "Future[Outcomes]"]


class Inference:
    """Implements `ports.Scorer` on a thread of its own."""

    def __init__(
        self,
        load: Callable[[], Engine],
        warm_up: Sequence[Sequence[int]],
        repeats_max: int = 0,
        calling: Calling | None = None,
    ) -> None:
        """`load` runs on the thread; `warm_up` are token sequences that every model can score.

        Of so many texts at most the verdict is remembered, and their repeats cost nothing.
        `calling` says how the model's logits are read; without it, raw.
        """
        self._load = load
        self._calling = calling or Calling()
        self._repeats = Repeats(repeats_max)
        self._warm_up = warm_up
        self._queue: queue.Queue[_Work | None] = queue.Queue(QUEUE_MAX)
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

    async def score(self, documents: Sequence[Document]) -> Outcomes:
        """Score documents; one outcome each, in the same order.

        A document without a window is passed on unscored.

        Raises:
            ModelError: the engine is broken.
        """
        scored = iter(await self._scored([d for d in documents if d.windows]))
        return [next(scored) if d.windows else _unscored(d) for d in documents]

    async def _scored(self, documents: Sequence[Document]) -> Outcomes:
        if not documents:
            return []
        future: Future[Outcomes] = Future()
        if not self._thread.is_alive():
            raise _thread_has_ended()
        self._queue.put_nowait((documents, future))
        return await asyncio.wrap_future(future)

    async def stop(self) -> None:
        """Let the thread end after its current batch; may be called twice."""
        if self._thread.is_alive():
            try:
                self._queue.put_nowait(None)
            except queue.Full:
                return
            await asyncio.to_thread(self._thread.join, JOIN_TIMEOUT_S)

    def _run(self) -> None:
        if not self._loaded.set_running_or_notify_cancel():
            return
        _give_way()
        try:
            engine = self._load()
            engine.logits(self._warm_up)
            # As large as a run gets: memory is taken now, and not in the first busy minute.
            engine.logits([max(self._warm_up, key=len)] * WARM_UP_COPIES)
        except BaseException as error:  # noqa: BLE001 - all goes to who waits for the model
            self._loaded.set_exception(_as_service_error(error, "cannot be loaded"))
            return
        self._loaded.set_result(engine.info)
        while (work := self._queue.get()) is not None:
            documents, future = work
            if not future.set_running_or_notify_cancel():
                continue
            try:
                compute = partial(self._outcomes, engine)
                future.set_result(self._repeats.score(documents, compute))
            except BaseException as error:  # noqa: BLE001 - all goes to who waits for the batch
                future.set_exception(_as_service_error(error, "has stopped working"))
                self._refuse_waiting()
                return

    def _refuse_waiting(self) -> None:
        with contextlib.suppress(queue.Empty):
            while (work := self._queue.get_nowait()) is not None:
                _, future = work
                if future.set_running_or_notify_cancel():
                    future.set_exception(_thread_has_ended())

    def _outcomes(self, engine: Engine, documents: Sequence[Document]) -> Outcomes:
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
        lengths = [[len(window) for window in d.windows] for d in documents]
        shares = self._calling.probabilities(joined(logits, lengths))
        return [
            self._verdict(document, engine.info.labels, row)
            for document, row in zip(documents, shares.tolist(), strict=True)
        ]

    def _verdict(self, document: Document, labels: tuple[str, ...], row: list[float]) -> Verdict:
        label, score, confident = self._calling.call(labels, row)
        return Verdict(document, label, score, dict(zip(labels, row, strict=True)), confident)

    def _halves(self, engine: Engine, documents: Sequence[Document]) -> Outcomes:
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


def _thread_has_ended() -> ModelError:
    return ModelError("the inference thread has ended; restart the service")


def _as_service_error(error: BaseException, what: str) -> ServiceError:
    if isinstance(error, ServiceError):
        return error
    return ModelError(f"the model {what}: {type(error).__name__}: {str(error)[:300]}")
