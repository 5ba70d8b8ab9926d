"""The whole path of a message: collect, score, publish.

    poll ─► prepare ─► batcher ─► model ─► publish
    collect ──────────┘ score ───┘ publish

Three stages run concurrently: while batch n is on the model, n+1 is collected and n-1 is published.
`handover` decides when they wait for each other. Few scored batches wait to be published, and all
that wait go into one commit. A stage whose output is full waits, and so in the
end the polling stops: there is no other backpressure.

Any interruption (rebalance, failed publish) begins a new epoch in the session. Records of an older
epoch are dropped, in whatever stage they are, and polled again from the committed offsets.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.errors import BreakerError, ModelError, RetriableError
from service.progress import next_offsets
from service.records import Document, Publication, Skipped, Verdict
from service.retry import Retry
from service.sequences import split_by_size, with_results
from service.stream.cost import tokens_of
from service.stream.few_first import few_first
from service.stream.handover import Handover, Scored

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from service.observe.tracing import Tracing
    from service.ports import Clock, Scorer, Session
    from service.records import Batch, Item, Outcome, Record, Rejected
    from service.stream.batcher import Batcher
    from service.stream.breaker import Breaker
    from service.stream.counts import OutcomeCounts
    from service.wire import Encoder

# No busy machine makes a batch this many times slower than predicted: the model hangs.
DEADLINE_FACTOR = 50
DEADLINE_MIN_S = 10.0


@dataclass
class Pipeline:
    """Moves records from a session through the model and back to the session.

    `keep_alive_s` is the longest time without a poll. A model that has not answered after
    `stall_timeout_s`, or long after it was due, counts as hanging.
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
        """Set up the queues between the stages."""
        self.metrics = self.counts.metrics
        self._handover = Handover(self.batcher, self.clock)
        half_s = self.batcher.limits.latency_budget_s / 2
        self._scored = Scored(self._handover.look_again, half_s)
        self._collecting: asyncio.Task[None] | None = None
        self._preparing = Retry("prepare", self.metrics, self.clock)

    async def run(self) -> None:
        """Run until `stop` was called and all collected items are published.

        Raises:
            ServiceError: in an ExceptionGroup, when a stage cannot go on.
        """
        async with asyncio.TaskGroup() as group:
            self._collecting = group.create_task(self._collect(), name="collect")
            group.create_task(self._score(), name="score")
            group.create_task(self._publish(), name="publish")

    def stop(self) -> None:
        """Stop polling; `run` returns when all collected items are published."""
        if self._collecting is not None:
            # Records that were polled and not yet added are not committed, so they are read again.
            self._collecting.cancel()
            self._handover.end()

    def busy_s(self) -> float:
        """How long the model has worked on its batch, in seconds; 0 where it is idle."""
        return self._handover.busy_s()

    def has_work(self) -> bool:
        """Whether the model has a batch, or items wait for it."""
        return len(self.batcher) > 0 or self.busy_s() > 0

    async def _collect(self) -> None:
        retry = Retry("poll", self.metrics, self.clock)
        while True:
            try:
                await self._handover.wait_for_room(
                    lambda: self.session.progress.partitions,
                    self.keep_alive_s,
                    self.session.keep_alive,
                )
                crowded = self.batcher.crowded
                records = await self.session.poll(crowded, few=self.batcher.small)
                behind = self.batcher.behind = self.session.behind
                await self._add(records)
            except RetriableError as error:
                await retry.wait(error)
                continue
            retry.reset()
            # Beside a backlog, the next poll waits for records of others, and has them at once.
            if (records or crowded) and (
                not self.batcher.small or any(record.partition not in behind for record in records)
            ):
                await self._handover.gather()

    async def _add(self, records: Sequence[Record]) -> None:
        for topic, count in Counter(record.partition.topic for record in records).items():
            self.metrics.consumed.labels(topic).inc(count)
        for part in few_first(records):
            left = part
            # Lists may make hundreds of thousands of items of one poll.
            while left and left[0].epoch == self.session.progress.epoch:
                left = await self._add_some(left)
            self.metrics.dropped.inc(len(left))

    async def _add_some(self, records: list[Record]) -> list[Record]:
        """Add items of the first records; returns the others, for which there is room then."""
        started = self.clock.monotonic()
        try:
            items = await self.prepare(records)
        except RetriableError as error:
            await self._wait_to_prepare(error)
            return records
        self._preparing.reset()
        self.metrics.stage_seconds.labels("prepare").observe(self.clock.monotonic() - started)
        self.metrics.dropped.inc(self._handover.add(items, records[0].epoch))
        self.metrics.queued_records.set(len(self.batcher))
        left = records[sum(item.record.is_last for item in items) :]
        if left:
            try:
                await self._handover.wait_for_room(
                    lambda: frozenset(record.partition for record in left),
                    self.keep_alive_s,
                    self.session.keep_alive,
                )
            except RetriableError:
                # Those left are polled again.
                self.session.rewind()
                raise
        return left

    async def _wait_to_prepare(self, error: RetriableError) -> None:
        """Wait for what preparing needs; what was prepared before is scored and published."""
        await self._preparing.wait(error)
        try:
            await self.session.keep_alive()
        except RetriableError:
            # The records are polled again.
            self.session.rewind()
            raise

    async def _score(self) -> None:
        while (batch := await self._handover.next_batch(self._scored.would_wait)) is not None:
            self.metrics.queued_records.set(len(self.batcher))
            if batch.epoch != self.session.progress.epoch:
                self.metrics.dropped.inc(len(batch.items))
                continue
            await self._scored.put((batch, await self._outcomes(batch)))
        await self._scored.put(None)

    async def _outcomes(self, batch: Batch) -> list[Outcome]:
        documents = [item for item in batch.items if isinstance(item, Document)]
        if not documents:
            return [item for item in batch.items if not isinstance(item, Document)]
        started = self.clock.monotonic()
        waits = self.metrics.stage_seconds.labels("wait")
        for item in batch.items:
            waits.observe(started - item.record.polled_at)
        scored: list[Verdict | Rejected] = []
        # A record that is a list is one batch, however long it is; the model gets it in parts.
        for part in split_by_size(documents, self.batcher.tokens_max, tokens_of):
            scored += await self._run(part)
        return with_results(batch.items, Document, scored)

    async def _run(self, documents: Sequence[Document]) -> list[Verdict | Rejected]:
        tokens = sum(map(tokens_of, documents))
        started = self.clock.monotonic()
        due_s = self.batcher.cost.seconds_of(len(documents), tokens)
        with self._handover.model_busy(due_s):
            scored = await self._in_time(documents, tokens, due_s)
        seconds = self.clock.monotonic() - started
        repeats = [v for v in scored if isinstance(v, Verdict) and v.repeated]
        self.metrics.repeated.inc(len(repeats))
        computed = tokens - sum(verdict.document.tokens for verdict in repeats)
        if computed:
            self.batcher.cost.observe(len(documents) - len(repeats), computed, seconds)
        self.metrics.stage_seconds.labels("score").observe(seconds)
        self.metrics.batch_messages.observe(len(documents))
        self.metrics.batch_tokens.observe(tokens)
        return scored

    async def _in_time(
        self, documents: Sequence[Document], tokens: int, due_s: float
    ) -> list[Verdict | Rejected]:
        try:
            async with asyncio.timeout(self._deadline_s(due_s)):
                return await self.scorer.score(documents)
        except TimeoutError:
            raise ModelError(
                f"the model has not answered for {self.busy_s():.0f} s on a batch of "
                f"{tokens} tokens; the service ends, so that another replica takes over"
            ) from None

    def _deadline_s(self, due_s: float) -> float:
        late_s = max(DEADLINE_MIN_S, DEADLINE_FACTOR * due_s) if due_s else self.stall_timeout_s
        return min(self.stall_timeout_s, late_s)

    async def _publish(self) -> None:
        retry = Retry("publish", self.metrics, self.clock)
        while (commit := await self._scored.next_commit()) is not None:
            epoch, outcomes = commit
            tripped = self.breaker.trips(outcomes)
            if tripped is not None:
                raise BreakerError(tripped)
            try:
                started = self.clock.monotonic()
                published = await self._send(self._publication(epoch, outcomes), outcomes)
            except RetriableError as error:
                self.metrics.dropped.inc(len(outcomes))
                self.session.rewind()
                self._scored.commit_ended()
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

    def _publication(self, epoch: int, outcomes: Sequence[Outcome]) -> Publication:
        now, now_monotonic = self.clock.time(), self.clock.monotonic()
        return Publication(
            outgoing=tuple(
                self.encoder.encode(outcome, now, now_monotonic)
                for outcome in outcomes
                if not isinstance(outcome, Skipped)
            ),
            offsets=next_offsets(outcome.record for outcome in outcomes),
            epoch=epoch,
        )

    def _account(self, outcomes: Sequence[Outcome], started: float) -> None:
        now, now_monotonic = self.clock.time(), self.clock.monotonic()
        self.metrics.stage_seconds.labels("publish").observe(now_monotonic - started)
        self.batcher.observe_publish(len(outcomes), now_monotonic - started)
        for outcome in outcomes:
            self.counts.published(outcome, now, now_monotonic)
