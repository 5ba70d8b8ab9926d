"""The way of a message, whole: collect, score, publish. Nothing else lives here.

    poll ─► prepare ─► batcher ─► model ─► publish
    collect ──────────┘ score ───┘ publish

Three stages run side by side: while batch n is on the model, n+1 is gathered and n-1 published.
The batcher is the queue before the model: a batch is taken from it when the model is free and none
that is scored waits for its commit, so it grows while either is busy, and nobody sleeps to fill it.
While the model is busy, polls go out just before it is due to be free: what comes then is newest.
Only whole batches go ahead of the commits: a few slots lie between scoring and publishing, and what
waits there goes into one commit. Whatever is full stops the stage before it, and at last the
polling; that is all the backpressure there is.

An interruption of any kind (rebalance, failed publish) begins a new epoch in the session: what was
polled before is dropped wherever it is, and polled again from what is committed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.errors import BreakerError, ModelError, RetriableError
from service.progress import next_offsets
from service.records import Document, Publication, Verdict
from service.retry import Retry
from service.sequences import with_results

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from service.observe.tracing import Tracing
    from service.ports import Clock, Scorer, Session
    from service.records import Batch, Item, Outcome, Record
    from service.stream.batcher import Batcher
    from service.stream.breaker import Breaker
    from service.stream.counts import OutcomeCounts
    from service.wire import Encoder

# Batches that may wait for one commit: where commits are slower than the model, they get fewer.
SCORED_MAX = 4
# Least time between two polls while the model is busy: one for each record would take a core.
GATHER_S = 0.008
# A poll goes out so long before a batch is due to end: about what it takes with preparing.
POLL_AHEAD_S = 0.007
# However long the batch: a poll brings a bounded number of records, and prepares them.
GATHER_MAX_S = 0.05
# A batch this many times slower than predicted is late beyond any noise of a busy machine.
DEADLINE_FACTOR = 50
DEADLINE_MIN_S = 10.0

ScoredBatch = tuple["Batch", list["Outcome"]]


@dataclass
class Pipeline:
    """Moves records from a session through the model and back to the session.

    `keep_alive_s` is the longest time without a poll; a model that has not answered after
    `stall_timeout_s`, or long after it was due, is taken for hanging.
    """

    session: Session
    prepare: Callable[[Sequence[Record]], Awaitable[list[Item]]]
    scorer: Scorer
    batcher: Batcher
    encoder: Encoder
    breaker: Breaker
    counts: OutcomeCounts
    clock: Clock
    keep_alive_s: float
    stall_timeout_s: float
    tracing: Tracing | None = None

    def __post_init__(self) -> None:
        """Begin with nothing collected."""
        self.metrics = self.counts.metrics
        # Something has changed that a batch is waited for with.
        self._due = asyncio.Event()
        self._taken = asyncio.Event()
        # The model has begun a batch, or is free and has nothing to begin.
        self._turned = asyncio.Event()
        self._scored: asyncio.Queue[ScoredBatch | None] = asyncio.Queue(SCORED_MAX)
        # Taken from the queue and not to be published with what came before: one at most.
        self._held: list[ScoredBatch | None] = []
        self._collecting: asyncio.Task[None] | None = None
        self._collected = False
        self._working_since: float | None = None
        self._due_to_end = 0.0

    async def run(self) -> None:
        """Run until `stop` was called and all that was collected is published.

        Raises:
            ServiceError: in an ExceptionGroup, when a stage cannot go on.
        """
        async with asyncio.TaskGroup() as group:
            self._collecting = group.create_task(self._collect(), name="collect")
            group.create_task(self._score(), name="score")
            group.create_task(self._publish(), name="publish")

    def stop(self) -> None:
        """Poll no more; `run` returns when the rest is through."""
        if self._collecting is not None:
            # Nothing is added from here on: what it waits for is never given to it.
            self._collecting.cancel()
            self._collected = True
            self._due.set()

    def busy_s(self) -> float:
        """How long the model has been busy with one batch, in seconds; 0 where it is idle."""
        return 0.0 if self._working_since is None else self.clock.monotonic() - self._working_since

    async def _collect(self) -> None:
        retry = Retry("poll", self.metrics, self.clock)
        while True:
            try:
                await self._wait_for_room()
                records = await self.session.poll()
            except RetriableError as error:
                await retry.wait(error)
                continue
            retry.reset()
            if records:
                await self._add(records)
                await self._gather()

    async def _gather(self) -> None:
        """Let come what goes into the next batch, until that is due or the model has nothing."""
        now = self.clock.monotonic()
        least, most = now + GATHER_S, now + GATHER_MAX_S
        with contextlib.suppress(TimeoutError):
            while self._has_work and not self.batcher.fills_a_batch:
                self._turned.clear()
                due = self._due_to_end - POLL_AHEAD_S
                async with asyncio.timeout(min(max(least, due), most) - self.clock.monotonic()):
                    await self._turned.wait()

    @property
    def _has_work(self) -> bool:
        return self._working_since is not None or len(self.batcher) > 0

    async def _wait_for_room(self) -> None:
        while self.batcher.full:
            self._taken.clear()
            try:
                async with asyncio.timeout(self.keep_alive_s):
                    await self._taken.wait()
            except TimeoutError:
                await self.session.keep_alive()

    async def _add(self, records: Sequence[Record]) -> None:
        for topic, count in Counter(record.partition.topic for record in records).items():
            self.metrics.consumed.labels(topic).inc(count)
        started = self.clock.monotonic()
        items = await self.prepare(records)
        self.metrics.stage_seconds.labels("prepare").observe(self.clock.monotonic() - started)
        if (epoch := records[0].epoch) != self.session.progress.epoch:
            self.metrics.dropped.inc(len(items))
            return
        self.metrics.dropped.inc(self.batcher.add(items, epoch))
        self._due.set()
        self.metrics.queued_records.set(len(self.batcher))

    async def _score(self) -> None:
        while (batch := await self._next_batch()) is not None:
            if batch.epoch != self.session.progress.epoch:
                self.metrics.dropped.inc(len(batch.items))
                continue
            await self._scored.put((batch, await self._outcomes(batch)))
        await self._scored.put(None)

    async def _next_batch(self) -> Batch | None:
        while (batch := self._due_batch()) is None:
            if self._collected and not len(self.batcher):
                return None
            self._turned.set()
            self._due.clear()
            await self._due.wait()
        self._taken.set()
        self.metrics.queued_records.set(len(self.batcher))
        return batch

    def _due_batch(self) -> Batch | None:
        """The next batch, unless it would only wait for a commit."""
        due = self._scored.empty() or self.batcher.fills_a_batch
        return self.batcher.take(self.clock.monotonic()) if due else None

    async def _outcomes(self, batch: Batch) -> list[Outcome]:
        documents = [item for item in batch.items if isinstance(item, Document)]
        if not documents:
            return [item for item in batch.items if not isinstance(item, Document)]
        started = self._working_since = self.clock.monotonic()
        due_s = self.batcher.cost.seconds_of(len(batch.items), batch.tokens)
        self._due_to_end = started + due_s
        self._turned.set()
        try:
            async with asyncio.timeout(self._deadline_s(due_s)):
                scored = await self.scorer.score(documents)
        except TimeoutError:
            raise ModelError(
                f"the model has not answered for {self.busy_s():.0f} s on a batch of "
                f"{batch.tokens} tokens; the service ends, so that another replica takes over"
            ) from None
        finally:
            self._working_since = None
        seconds = self.clock.monotonic() - started
        repeats = [v for v in scored if isinstance(v, Verdict) and v.repeated]
        self.metrics.repeated.inc(len(repeats))
        computed = batch.tokens - sum(verdict.document.tokens for verdict in repeats)
        if computed:
            self.batcher.cost.observe(len(documents) - len(repeats), computed, seconds)
        self.metrics.stage_seconds.labels("score").observe(seconds)
        self.metrics.batch_messages.observe(len(documents))
        self.metrics.batch_tokens.observe(batch.tokens)
        waits = self.metrics.stage_seconds.labels("wait")
        for item in batch.items:
            waits.observe(started - item.record.polled_at)
        return with_results(batch.items, Document, scored)

    def _deadline_s(self, due_s: float) -> float:
        late_s = max(DEADLINE_MIN_S, DEADLINE_FACTOR * due_s) if due_s else self.stall_timeout_s
        return min(self.stall_timeout_s, late_s)

    async def _publish(self) -> None:
        retry = Retry("publish", self.metrics, self.clock)
        while (scored := await self._next_scored()) is not None:
            epoch, outcomes = self._with_all_waiting(scored)
            tripped = self.breaker.trips(outcomes)
            if tripped is not None:
                raise BreakerError(
                    f"{tripped}; stopped before committing them: look at the producer, at "
                    "SENTIMENT_KAFKA__INPUT_FORMAT and SENTIMENT_KAFKA__TEXT_FIELD; "
                    "SENTIMENT_DELIVERY__BREAKER_SHARE=1 switches this off"
                )
            try:
                started = self.clock.monotonic()
                published = await self._send(self._publication(epoch, outcomes), outcomes)
            except RetriableError as error:
                self.metrics.dropped.inc(len(outcomes))
                self.session.rewind()
                await retry.wait(error)
                continue
            retry.reset()
            if published:
                self.breaker.record(outcomes)
                self._account(outcomes, started)
            else:
                self.metrics.dropped.inc(len(outcomes))

    async def _send(self, publication: Publication, outcomes: Sequence[Outcome]) -> bool:
        if self.tracing is None:
            return await self.session.publish(publication)
        return await self.tracing.publish(self.session.publish, publication, outcomes)

    async def _next_scored(self) -> ScoredBatch | None:
        return self._held.pop() if self._held else await self._scored.get()

    def _with_all_waiting(self, scored: ScoredBatch) -> tuple[int, list[Outcome]]:
        """What is scored and waiting goes into one commit, up to the end or another epoch."""
        batch, outcomes = scored
        while not self._scored.empty():
            following = self._scored.get_nowait()
            if following is None or following[0].epoch != batch.epoch:
                self._held.append(following)
                break
            outcomes = [*outcomes, *following[1]]
        self._due.set()
        return batch.epoch, outcomes

    def _publication(self, epoch: int, outcomes: Sequence[Outcome]) -> Publication:
        now, now_monotonic = self.clock.time(), self.clock.monotonic()
        return Publication(
            outgoing=tuple(self.encoder.encode(o, now, now_monotonic) for o in outcomes),
            offsets=next_offsets(outcome.record for outcome in outcomes),
            epoch=epoch,
        )

    def _account(self, outcomes: Sequence[Outcome], started: float) -> None:
        now, now_monotonic = self.clock.time(), self.clock.monotonic()
        self.metrics.stage_seconds.labels("publish").observe(now_monotonic - started)
        self.batcher.observe_publish(now_monotonic - started)
        for outcome in outcomes:
            self.counts.published(outcome, now, now_monotonic)
