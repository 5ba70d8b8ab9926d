"""What goes wrong in a simulation: one coroutine for each kind of fault.

Each does its harm, and counts it where it is seen to have hit something; what it set it takes back.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from simulation.upstream import add_partition, expire, hang_transaction
from simulation.world import SESSION_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from simulation.replica import Replica
    from simulation.world import World

SESSION_S = SESSION_MS / 1000
REPLICAS_MAX = 4
# All that a process asks the brokers, and the two ends of a run of the model.
STEPS = (
    "metadata",
    "join",
    "heartbeat",
    "offset fetch",
    "init producer",
    "api versions",
    "fetch",
    "score",
    "add partitions",
    "produce",
    "add offsets",
    "offsets",
    "end",
    "commit",
    "leave",
)
IN_A_PUBLISH = ("score", "add partitions", "produce", "add offsets", "offsets", "end", "commit")
ARMED_S = 3.0


async def kill(world: World) -> None:
    """SIGKILL at any time."""
    if (replica := _running(world)) is not None:
        replica.kill()
        world.faults["killed"] += 1


async def kill_at_a_step(world: World) -> None:
    """SIGKILL before a request leaves, or when its answer has come; likewise around the model."""
    step = (world.rng.choice(STEPS), world.rng.choice(("before", "after")))
    world.armed.add(step)
    if step[0] == "leave":
        # Nobody leaves by himself.
        await terminate(world)
    if step[0] == "offset fetch":
        # Nor asks for offsets while it keeps its partitions.
        world.group.rebalance()
    await asyncio.sleep(ARMED_S)
    world.armed.discard(step)


async def kill_in_a_publish(world: World) -> None:
    """As `kill_at_a_step`, where it matters most."""
    step = (world.rng.choice(IN_A_PUBLISH), world.rng.choice(("before", "after")))
    world.armed.add(step)
    await asyncio.sleep(ARMED_S)
    world.armed.discard(step)


async def terminate(world: World) -> None:
    """SIGTERM; another one takes its place."""
    if (replica := _running(world)) is not None:
        replica.stop()
        world.faults["terminated"] += 1


async def freeze(world: World) -> None:
    """SIGSTOP for longer than the session, then SIGCONT: a zombie that wakes late."""
    if (replica := _running(world)) is None:
        return
    process = replica.process
    expired = world.group.expired
    process.freeze()
    await asyncio.sleep(SESSION_S * world.rng.uniform(1.1, 3))
    if not process.killed:
        process.thaw()
        world.faults["frozen beyond the session"] += world.group.expired > expired


async def freeze_in_a_publish(world: World) -> None:
    """As `freeze`, before a request of a publish leaves or when its answer has come."""
    step = (world.rng.choice(IN_A_PUBLISH[1:]), world.rng.choice(("before", "after")))
    world.freezing[step] = SESSION_S * world.rng.uniform(0.5, 3)
    await asyncio.sleep(ARMED_S)
    world.freezing.pop(step, None)


async def freeze_briefly(world: World) -> None:
    """SIGSTOP and SIGCONT within the session."""
    if (replica := _running(world)) is None:
        return
    process = replica.process
    process.freeze()
    await asyncio.sleep(SESSION_S * world.rng.uniform(0.05, 0.8))
    if not process.killed:
        process.thaw()
        world.faults["frozen within the session"] += 1


async def add_replica(world: World) -> None:
    """One more joins the group."""
    if len(world.wanted()) < REPLICAS_MAX:
        world.add_replica()
        world.faults["replica added"] += 1


async def remove_replica(world: World) -> None:
    """One is drained and stays away."""
    if len(world.wanted()) > 1 and (replica := _running(world)) is not None:
        replica.wanted = False
        replica.stop()
        world.faults["replica removed"] += 1


async def rebalance(world: World) -> None:
    """The group is asked to join again, for no reason of its members."""
    generation = world.group.generation
    world.group.rebalance()
    await asyncio.sleep(SESSION_S)
    world.faults["rebalance"] += world.group.generation > generation


async def outage(world: World) -> None:
    """All brokers are away: each request that arrives is refused."""
    if world.brokers.away:
        return
    world.brokers.away = True
    await asyncio.sleep(world.rng.uniform(0.05, 2.5 * SESSION_S))
    world.brokers.away = False


async def move_coordinator(world: World) -> None:
    """Another broker coordinates, and does not know for a while what was committed last.

    As one may that has taken over: it answers from what it knows to be on enough replicas. The
    broker that was killed takes what is on its way with it.
    """
    offsets = world.brokers.offsets
    stale = offsets.stale_answers
    offsets.move_coordinator()
    await asyncio.sleep(world.rng.uniform(0, 0.1))
    world.network.lost_share = world.rng.uniform(0.1, 0.5)
    await asyncio.sleep(world.rng.uniform(0.05, 0.3))
    world.network.lost_share = 0
    await asyncio.sleep(world.rng.uniform(0.1, SESSION_S))
    offsets.catch_up()
    world.faults["offsets told late"] += offsets.stale_answers > stale


async def late_requests(world: World) -> None:
    """Some requests and answers take longer than any timeout, and then arrive."""
    world.network.late_share = world.rng.uniform(0.01, 0.2)
    await asyncio.sleep(world.rng.uniform(0.5, 3))
    world.network.late_share = 0


async def lost_requests(world: World) -> None:
    """Connections break: before a request arrives, or before its answer does."""
    world.network.lost_share = world.rng.uniform(0.02, 0.3)
    await asyncio.sleep(world.rng.uniform(0.5, 3))
    world.network.lost_share = 0


async def requests_behind(world: World) -> None:
    """The connection of a transaction's last requests breaks, and they arrive all the same."""
    world.network.behind_share = world.rng.uniform(0.2, 0.7)
    await asyncio.sleep(world.rng.uniform(1, 4))
    world.network.behind_share = 0


async def abort_transactions(world: World) -> None:
    """The coordinator ends what is open, as after a transaction's timeout; waits for one."""
    for _ in range(200):
        if aborted := world.brokers.abort_all():
            world.faults["transaction aborted"] += aborted
            return
        await asyncio.sleep(world.rng.uniform(0.001, 0.02))


async def change_version(world: World) -> None:
    """The cluster agrees on the other version of transactions; connections are told, new ones."""
    world.brokers.version = 3 - world.brokers.version
    world.faults["version of transactions changed"] += 1


async def fence(world: World) -> None:
    """A stranger starts a producer with the id of a replica's."""
    world.faults["producer fenced"] += world.brokers.fence()


async def break_model(world: World) -> None:
    """One process's model fails on everything from now on."""
    await _with_model(world, "broken", ARMED_S)


async def hang_model(world: World) -> None:
    """One process's model never answers again."""
    await _with_model(world, "hanging", ARMED_S)


async def slow_model(world: World) -> None:
    """One process's model takes longer than a rebalance may for a while."""
    await _with_model(world, "slow", 1.0)


async def starve_model(world: World) -> None:
    """One process has memory for small batches only."""
    await _with_model(world, "short of memory", 2.0)


async def _with_model(world: World, mode: str, seconds: float) -> None:
    if (replica := _running(world)) is None:
        return
    model = replica.model
    model.mode = mode  # type: ignore[assignment] # one of its modes
    await asyncio.sleep(seconds)
    world.faults[f"model {mode}"] += min(1, model.hit)
    if mode != "hanging":
        model.mode = "good"


def _running(world: World) -> Replica | None:
    alive = [r for r in world.replicas if r.wanted and r.alive and r.process.running]
    return world.rng.choice(alive) if alive else None


# The first ones are what a cluster does every day, and come more often.
OFTEN: tuple[Callable[[World], Coroutine[Any, Any, None]], ...] = (
    kill,
    kill_in_a_publish,
    freeze,
    freeze_in_a_publish,
    add_replica,
    terminate,
    lost_requests,
    late_requests,
    requests_behind,
    outage,
    abort_transactions,
    move_coordinator,
)
KINDS: tuple[Callable[[World], Coroutine[Any, Any, None]], ...] = (
    *OFTEN,
    kill_at_a_step,
    freeze_briefly,
    remove_replica,
    rebalance,
    add_partition,
    expire,
    hang_transaction,
    change_version,
    fence,
    break_model,
    hang_model,
    slow_model,
    starve_model,
)
