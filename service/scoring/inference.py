"""The inference thread: it loads the model, and runs one batch at a time.

Exists so that the event loop never waits for the model, and only one thread uses an engine. `batch`
computes the outcomes, and `turns` chooses what runs next; here are the thread, futures and
timeouts.
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

from service.errors import BusyError, InputError, ModelError, ServiceError, first_line
from service.scoring.turns import Turns, Work
from service.sequences import split_by_size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from service.ports import Engine
    from service.records import Document, Encoded, ModelInfo, Reading, Rejected, Verdict
    from service.scoring.batch import BatchScorer

# One batch may wait while another runs; the pipeline sends no more.
QUEUE_MAX = 1
# A thread that hangs in the model cannot be ended; the process may exit without it.
JOIN_TIMEOUT_S = 5.0

# Lower priority for the model, which uses every core: heartbeats, polls and commits take only
# microseconds and go first. With a higher value, other processes could stop the model.
NICENESS = 5

# Copies of a text of about 65 tokens: together more than one run on a CPU.
WARM_UP_COPIES = 32

# Most tokens of one run for HTTP requests, unless a single window is longer. A batch of the stream
# may have to wait for such a run: about 25 ms on two cores with the bundled model.
REQUEST_TOKENS_MAX = 512
# A request is refused as busy if one of its runs has no result within this time.
REQUEST_ANSWER_S = 2.0
# How often a waiting request checks whether the stream is idle.
REQUEST_LOOK_S = 0.002


class Inference:
    """Implements `ports.Scorer` on a thread of its own."""

    def __init__(
        self,
        load: Callable[[], Engine],
        warm_up: Sequence[Sequence[int]],
        scorer: BatchScorer,
        stream_waits: Callable[[], bool] = lambda: False,
    ) -> None:
        """`load` runs on the thread; `warm_up` are token sequences that every model can score.

        While `stream_waits()` is true, HTTP requests wait. It is called on the event loop.
        """
        self._load = load
        self._warm_up = warm_up
        self._scorer = scorer
        self._stream_waits = stream_waits
        self._turns = Turns(QUEUE_MAX)
        self._request = asyncio.Lock()
        self._labels: tuple[str, ...] = ()
        self._loaded: Future[ModelInfo] = Future()
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)

    async def start(self) -> ModelInfo:
        """Load the model and warm it up.

        Raises:
            ServiceError: it cannot be loaded, or fails on the warm-up.
        """
        self._thread.start()
        return await asyncio.wrap_future(self._loaded)

    async def score(self, documents: Sequence[Document]) -> list[Verdict | Rejected]:
        """Score documents; one outcome each, in the same order.

        Raises:
            ModelError: the engine is broken.
        """
        if not documents:
            return []
        work = Work(partial(self._scorer.score, documents=documents), Future())
        self._turns.put(work)
        outcomes: list[Verdict | Rejected] = await asyncio.wrap_future(work.future)
        return outcomes

    async def score_request(self, texts: Sequence[Encoded]) -> list[Reading]:
        """Score the texts of an HTTP request between batches of the stream; one reading each.

        The readings are the same as in the stream. The cache of repeats is not used.

        Raises:
            BusyError: the stream leaves no time, or the model has not answered in time.
            InputError: the model fails on one of the texts.
            ModelError: the engine is broken.
        """
        if not texts:
            return []
        windows = [window for text in texts for window in text.windows]
        runs = split_by_size(windows, REQUEST_TOKENS_MAX)
        logits = np.concatenate([await self._request_logits(run) for run in runs])
        return self._scorer.readings(self._labels, logits, texts)

    async def _request_logits(self, windows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        work = Work(partial(self._scorer.request_logits, windows), Future())
        try:
            # After a timeout, the cancelled work stays in `turns` until it is skipped or replaced.
            async with asyncio.timeout(REQUEST_ANSWER_S), self._request:
                while self._stream_waits():  # noqa: ASYNC110 - depends on many things on two threads
                    await asyncio.sleep(REQUEST_LOOK_S)
                self._turns.put_request(work)
                found: NDArray[np.float32] | None = await asyncio.wrap_future(work.future)
        except TimeoutError:
            raise BusyError("the model is busy with the stream; ask again later") from None
        if found is None:
            raise InputError("the model fails on one of these texts; send them one by one")
        return found

    async def stop(self) -> None:
        """Let the thread end after its current batch; may be called twice."""
        self._turns.end()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join, JOIN_TIMEOUT_S)

    @property
    def has_ended(self) -> bool:
        """Whether the thread was started and has ended, so that nothing can be scored."""
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
        _lower_priority()
        try:
            engine = self._load()
            engine.logits(self._warm_up)
            # A run of full size allocates the memory now, and not under the first load.
            engine.logits([max(self._warm_up, key=len)] * WARM_UP_COPIES)
        except BaseException as error:  # noqa: BLE001 - raised where `start` waits
            self._turns.end()
            self._loaded.set_exception(as_service_error(error, "cannot be loaded"))
            return None
        self._labels = engine.info.labels
        self._loaded.set_result(engine.info)
        return engine

    def _serve(self, engine: Engine) -> None:
        while (work := self._turns.take()) is not None:
            try:
                work.future.set_result(work.run(engine))
            except BaseException as error:  # noqa: BLE001 - raised where `score` waits
                self._turns.end()
                work.future.set_exception(as_service_error(error, "has stopped working"))
                return


def _lower_priority() -> None:
    """Lower the priority of this thread and of pools that it starts, where threads have one."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)


def as_service_error(error: BaseException, what: str) -> ServiceError:
    """The error itself, or a ModelError with its first line; `what` continues "the model …"."""
    if isinstance(error, ServiceError):
        return error
    return ModelError(f"the model {what}: {type(error).__name__}: {first_line(error, 300)}")
