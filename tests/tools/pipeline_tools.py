"""A pipeline on a fake Kafka, with a model and a clock that do as the test says; its batches."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import defaultdict
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from service.observe.drift import DriftWindow
from service.observe.metrics import Metrics
from service.records import (
    Batch,
    Document,
    Headers,
    Item,
    Message,
    ModelInfo,
    Partition,
    Reading,
    Record,
    Rejected,
    TextStats,
    Verdict,
)
from service.stream.batcher import Batcher, Limits
from service.stream.breaker import Breaker
from service.stream.cost import CostModel
from service.stream.counts import OutcomeCounts
from service.stream.pipeline import Pipeline
from service.wire import Decoder, Encoder
from tools.decoding import decoder
from tools.kafka.fake_cluster import FakeCluster
from tools.kafka.fake_kafka import FakeSession
from tools.kafka.stored import Stored

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence

WAIT_SECONDS = 10
PARTITIONS = 3
TOKENS = 4
# So small that nothing else than keeping alive is a reason for a test to wait.
KEEP_ALIVE_S = 0.001
DECODER = decoder(skip_tombstones=True)
MODEL = ModelInfo("m", "r", "e", "float32", "cpu", ("negative", "positive"))


class FakeClock:
    """Stands still unless it is set; sleeps are written down, and end when the test says so."""

    def __init__(self) -> None:
        """Begin at 0."""
        self.now = 0.0
        self.slept: list[float] = []
        self.awake = asyncio.Event()
        self.awake.set()

    def monotonic(self) -> float:
        """See `ports.Clock`."""
        return self.now

    def time(self) -> float:
        """See `ports.Clock`."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """See `ports.Clock`."""
        self.slept.append(seconds)
        await asyncio.sleep(0)
        await self.awake.wait()


class ScriptedScorer:
    """Calls everything positive; while it is held, a batch stays on the model."""

    def __init__(self) -> None:
        """Be free."""
        self.batches: list[Sequence[Document]] = []
        self.error: Exception | None = None
        self.busy = asyncio.Event()
        self._free = asyncio.Event()
        self._free.set()

    def hold(self) -> None:
        """Keep the next batch on the model."""
        self._free.clear()
        self.busy.clear()

    def release(self) -> None:
        """Let go."""
        self._free.set()

    async def score(self, documents: Sequence[Document]) -> list[Verdict | Rejected]:
        """See `ports.Scorer`."""
        self.batches.append(documents)
        self.busy.set()
        await self._free.wait()
        if self.error is not None:
            raise self.error
        return [
            Verdict(d, Reading("positive", 0.75, {"negative": 0.25, "positive": 0.75}, True))
            for d in documents
        ]


async def prepared(records: Sequence[Record], by: Decoder = DECODER) -> list[Item]:
    """Decode, and give each text the same number of tokens; takes a turn, as the thread does."""
    await asyncio.sleep(0)
    stats = TextStats(TOKENS, truncated=False, windows=1, unknown_share=0)
    return [
        Document(item, ([0] * TOKENS,), stats) if isinstance(item, Message) else item
        for record in records
        for item in by.decode(record)
    ]


class Stream:
    """A pipeline on a cluster."""

    def __init__(
        self,
        cluster: FakeCluster | None = None,
        records_max: int = 256,
        stall_timeout_s: float = 60,
        breaker_share: float = 1,
        by: Decoder = DECODER,
        tokens_max: int = 100_000,
    ) -> None:
        """Build what a service builds."""
        self.cluster = cluster or FakeCluster({"in": PARTITIONS, "out": 2, "dead": 1})
        self.session = FakeSession(self.cluster, records_max=records_max)
        self.scorer = ScriptedScorer()
        self.clock = FakeClock()
        self.metrics = Metrics()
        self.batcher = Batcher(Limits(tokens_max, records_max, 1.0))
        self.pipeline = Pipeline(
            session=self.session,
            prepare=partial(prepared, by=by),
            scorer=self.scorer,
            batcher=self.batcher,
            encoder=Encoder("out", "dead", include_text=True, model=MODEL, version="1"),
            breaker=Breaker(1000, breaker_share),
            counts=OutcomeCounts(self.metrics, DriftWindow(), 1.0),
            clock=self.clock,
            keep_alive_s=KEEP_ALIVE_S,
            stall_timeout_s=stall_timeout_s,
        )

    def stamp_polls(self) -> None:
        """Let records be polled at the time of this stream's clock; the fake takes the loop's."""
        poll = self.session.poll

        async def stamped(
            crowded: Collection[Partition] = (), *, few: bool = False
        ) -> list[Record]:
            records = await poll(crowded, few=few)
            return [replace(record, polled_at=self.clock.now) for record in records]

        self.session.poll = stamped  # type: ignore[method-assign] # for the pipeline alone

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Join the group and run; at the end let go of the model, drain, and leave."""
        await self.session.start()
        running = asyncio.create_task(self.pipeline.run())
        try:
            yield
            self.scorer.release()
            self.pipeline.stop()
            await within_bounds(running)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await self.session.stop()

    def produce(self, count: int, first: int = 0) -> None:
        """Write messages with a running id, one after another to each partition."""
        for number in range(first, first + count):
            self.put(json.dumps({"id": number, "text": "fine"}).encode(), number)

    def put(self, value: bytes | None, number: int, headers: Headers = ()) -> None:
        """Write a value under a number; all of a partition have one key, so their order shows."""
        partition = number % PARTITIONS
        self.cluster.append("in", Stored(b"%d" % partition, value, headers), partition)

    async def settled(self) -> None:
        """Wait until all there is is committed."""
        ends = {p: len(self.cluster.logs[p]) for p in self.cluster.partitions("in")}
        await self.until(lambda: ends == {**dict.fromkeys(ends, 0), **self.committed})

    async def until(self, condition: Any) -> None:
        """Give the others turns until it holds."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not condition():  # noqa: ASYNC110 - the stream goes on by the turns it is given
                await asyncio.sleep(0)

    @property
    def committed(self) -> dict[Any, int]:
        """What is committed."""
        return self.cluster.committed["group"]

    def events(self) -> list[dict[str, Any]]:
        """All events, one output partition after the other."""
        return [json.loads(record.value or b"") for record in self.cluster.records("out")]

    def metric(self, name: str, **labels: str) -> float:
        """The value of a metric."""
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


async def within_bounds(running: asyncio.Task[None]) -> None:
    """Wait for the end of a run."""
    async with asyncio.timeout(WAIT_SECONDS):
        await running


def assert_each_once_in_order(stream: Stream, count: int) -> None:
    """Each message came out once, and those of an input partition in order."""
    events = stream.events()
    assert list(range(count)) == sorted(event["source_id"] for event in events)
    for partition in range(PARTITIONS):
        origins = [e["origin"] for e in events if e["origin"]["partition"] == partition]
        offsets = [origin["offset"] for origin in origins]
        assert sorted(offsets) == offsets


# For the batcher alone: the one partition has a backlog, the other live records.
BACKLOG, LIVE = 0, 1
LARGE = Limits(tokens_max=8192, records_max=256, latency_budget_s=0.1)
STATS = TextStats(1, truncated=False, windows=1, unknown_share=0)


class Arrivals:
    """Makes items of partitions, each with the next offset."""

    def __init__(self) -> None:
        """Begin all partitions at 0."""
        self.offsets: defaultdict[int, int] = defaultdict(int)

    def items(self, partition: int, sizes: list[int], polled_at: float = 0.0) -> list[Item]:
        """Documents of these sizes in tokens."""
        return [self._item(partition, tokens, polled_at) for tokens in sizes]

    def _item(self, partition: int, tokens: int, polled_at: float) -> Item:
        offset = self.offsets[partition]
        self.offsets[partition] += 1
        record = Record(Partition("in", partition), offset, 0, None, None, (), 1, polled_at)
        return Document(Message(record, "", {}), ([0] * tokens,), STATS)


def taken(batcher: Batcher, now: float = 0.0) -> Batch:
    """The next batch, which there is."""
    batch = batcher.take(now)
    assert batch is not None
    return batch


def counts(batch: Batch) -> dict[int, int]:
    """Items by partition."""
    found: dict[int, int] = defaultdict(int)
    for item in batch.items:
        found[item.record.partition.number] += 1
    return dict(found)


def costing(seconds_per_token: float) -> CostModel:
    """A cost model that has seen batches of all sizes."""
    cost = CostModel()
    for tokens in [8, 2000, 100, 700, 30, 5000] * 20:
        cost.observe(1 + tokens // 20, tokens, seconds_per_token * tokens)
    return cost
