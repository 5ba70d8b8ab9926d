"""What goes wrong with the input topic: it grows, its records expire, its producers hang.

As in `faults`: each does its harm, and counts it where it is seen to have hit something.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from simulation.logs import Transaction
from simulation.world import GROUP

if TYPE_CHECKING:
    from service.records import Partition
    from simulation.world import World

PARTITIONS_MAX = 6
OPEN_S = (0.3, 4.0)
RECORDS = (1, 6)
TAIL_SHARE = 0.3


async def add_partition(world: World) -> None:
    """The input topic grows."""
    count = len(world.brokers.partitions("in"))
    if count < PARTITIONS_MAX:
        world.brokers.create("in", count + 1)
        world.group.rebalance()
        world.faults["partition added"] += 1


async def expire(world: World) -> None:
    """Retention passes the committed offset of a partition, once there is something behind it."""
    for _ in range(200):
        behind = [p for p in world.brokers.partitions("in") if _unread(world, p)]
        if behind:
            partition = world.rng.choice(behind)
            world.expire(partition, world.committed(partition) + _unread(world, partition))
            return
        await asyncio.sleep(world.rng.uniform(0.001, 0.02))


def _unread(world: World, partition: Partition) -> int:
    """A part of what is not committed; 0 where all is."""
    count = world.brokers.logs[partition].stable_end - world.committed(partition)
    return world.rng.randint(1, count) if count > 0 else 0


async def hang_transaction(world: World) -> None:
    """A producer of the input leaves a transaction open, and others write on behind it."""
    partition = world.rng.choice(world.brokers.partitions("in"))
    transaction = Transaction("upstream")
    await _put(world, partition, transaction)
    await asyncio.sleep(world.rng.uniform(*OPEN_S))
    await _put(world, partition, transaction)
    commit = world.rng.random() < 0.3
    world.end_upstream(partition, transaction, commit=commit)
    world.faults[f"transaction of the input {'committed' if commit else 'aborted'}"] += 1


async def leave_tail(world: World) -> None:
    """Nothing follows on a transaction that is aborted: no reader gets what is at the end."""
    if world.rng.random() < TAIL_SHARE:
        partition = world.rng.choice(world.brokers.partitions("in"))
        transaction = Transaction("upstream")
        await _put(world, partition, transaction)
        world.end_upstream(partition, transaction, commit=False)
        world.faults["input ends in what nobody reads"] += 1


async def _put(world: World, partition: Partition, transaction: Transaction) -> None:
    for _ in range(world.rng.randint(*RECORDS)):
        world.put(b"good", partition, transaction)
        await asyncio.sleep(world.rng.uniform(0, 0.01))


def read_before(world: World) -> None:
    """The group has read the input topic before, and `latest` is for other topics."""
    offsets = dict.fromkeys(world.brokers.partitions("in"), 0)
    world.brokers.offsets.committed[GROUP].update(offsets)
