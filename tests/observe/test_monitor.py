"""What is copied from the group into metrics and readiness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from service.errors import BrokerError
from service.observe.drift import DriftWindow
from service.observe.health import Readiness
from service.observe.metrics import Metrics
from service.observe.monitor import Monitor
from service.records import Partition
from tools.kafka.fake_cluster import FakeCluster
from tools.kafka.fake_kafka import FakeSession
from tools.kafka.stored import Stored

if TYPE_CHECKING:
    from collections.abc import Mapping


class Group:
    """One member of a group, and the monitor of it."""

    def __init__(self) -> None:
        """Start before the first join."""
        self.cluster = FakeCluster({"in": 3, "out": 1, "dead": 1})
        self.session = FakeSession(self.cluster)
        self.metrics = Metrics()
        self.readiness = Readiness()
        self.monitor = Monitor(self.session, DriftWindow(), self.metrics, self.readiness)

    def metric(self, name: str) -> float | None:
        """The value of a gauge or counter without labels."""
        return self.metrics.registry.get_sample_value(name)


async def test_readiness_follows_the_group() -> None:
    """Joining until all positions are set, unready while the brokers do not answer."""
    group = Group()
    await group.session.start()
    await group.monitor.update()
    assert group.readiness.reason() == "the group is being joined"
    assert group.metric("sentiment_assigned_partitions") == 0

    await group.session.poll()
    await group.monitor.update()
    assert group.readiness.reason() is None
    assert group.metric("sentiment_assigned_partitions") == 3

    group.session.fail("lag")
    await group.monitor.update()
    assert group.readiness.reason()
    await group.monitor.update()
    assert group.readiness.reason() is None

    group.cluster.rebalance("group")
    await group.monitor.update()
    assert group.readiness.reason() == "the group is being joined"


async def test_what_records_wait_for_is_told() -> None:
    """A schema registry that is away makes the service not ready, though the brokers answer."""
    group = Group()
    waits_for: list[str | None] = ["the registry is away"]
    monitor = Monitor(
        group.session, DriftWindow(), group.metrics, group.readiness, lambda: waits_for[-1]
    )
    await group.session.start()
    await group.session.poll()
    await monitor.update()
    assert group.readiness.reason() == "the registry is away"
    waits_for.append(None)
    await monitor.update()
    assert group.readiness.reason() is None


async def test_the_time_to_drain_is_that_of_what_can_be_read() -> None:
    """What waits for a transaction of its producer waits on any number of replicas."""
    group = Group()
    await group.session.start()
    await group.session.poll()
    asked: list[dict[Partition, int]] = []

    def drain_s(lag: Mapping[Partition, int]) -> dict[str, float]:
        asked.append(dict(lag))
        return {"in": 7.5}

    monitor = Monitor(group.session, DriftWindow(), group.metrics, group.readiness, drain_s=drain_s)
    for _ in range(9):
        group.cluster.append("in", Stored(None, b"{}"), 1)
    # Told a moment earlier, it may be more than is left.
    group.session.held = {Partition("in", 1): 4, Partition("in", 2): 1}
    await monitor.update()
    assert [{Partition("in", 0): 0, Partition("in", 1): 5, Partition("in", 2): 0}] == asked
    shown = group.metrics.registry.get_sample_value("sentiment_drain_seconds", {"topic": "in"})
    assert 7.5 == shown


async def test_each_rebalance_is_counted_once() -> None:
    """However often it is looked at; the epoch is the session's."""
    group = Group()
    await group.session.start()
    for _ in range(2):
        group.cluster.rebalance("group")
        await group.session.poll()
        await group.monitor.update()
        await group.monitor.update()
    assert group.metric("sentiment_rebalances_total") == group.session.rebalances > 1
    assert group.metric("sentiment_epoch") == group.session.progress.epoch > 0


async def test_records_that_expired_are_counted_by_partition() -> None:
    """Each once; a partition without a gap has a counter at 0, so that an increase shows."""
    group = Group()
    await group.session.start()
    await group.session.poll()
    for lost in (30, 30, 35):
        group.session.lost[Partition("in", 1)] = lost
        await group.monitor.update()
    counts = [
        group.metrics.registry.get_sample_value(
            "sentiment_lost_total", {"topic": "in", "partition": number}
        )
        for number in "012"
    ]
    assert counts == [0, 35, 0]


async def test_the_time_that_brokers_throttle_is_counted_once() -> None:
    """However often it is looked at."""
    group = Group()
    await group.session.start()
    for throttled_s in (0.0, 1.5, 1.5, 2.0):
        group.session.throttled_s = throttled_s
        await group.monitor.update()
    assert group.metric("sentiment_throttled_seconds_total") == 2.0


async def test_a_failure_that_waiting_does_not_fix_is_raised() -> None:
    """The service ends with it."""
    group = Group()
    await group.session.start()
    await group.session.poll()

    def fail() -> None:
        raise BrokerError("not authorised")

    group.session.before("lag", fail)
    with pytest.raises(BrokerError, match="not authorised"):
        await group.monitor.update()
