"""What happens while replicas of an older version are replaced by those of this one. See `faults`.

Exists so that the group has members of both versions for a while, and either takes over from the
other. Of older versions each input partition has a producer with an id of its own, and the group's
coordinator checks nothing that they commit.
"""

from __future__ import annotations

import signal
from functools import partial
from typing import TYPE_CHECKING

from chaos.breaking.faults import EFFECT_SECONDS, Fault, ended_with, freeze
from chaos.cluster import happens
from chaos.replicas import HERE

if TYPE_CHECKING:
    from random import Random

    from chaos.replicas import Replica
    from chaos.stage import Stage

# It comes before the first record that the newer one reads.
FENCE_SECONDS = 30
# What the service says when it fences producers of older versions.
FENCED = "producers of replicas of an older version are fenced"


async def replace(stage: Stage, rng: Random) -> bool:
    """One replica of the older version ends, and one of this version is started in its place."""
    async with stage.a_replica(rng, _is_older) as replica:
        before = len(replica.ends)
        replica.tree = HERE
        replica.signal(signal.SIGTERM)
        ended = await ended_with(replica, before, 0, EFFECT_SECONDS)
        await replica.wait_ready()
        return ended


async def freeze_older(stage: Stage, rng: Random) -> bool:
    """An older replica stands still while all partitions go to those of this version."""
    before = _fenced(stage)
    seen = await freeze(stage, rng, point="before the transaction", which=_is_older)

    async def fenced() -> bool:
        return _fenced(stage) > before

    return await happens(fenced, FENCE_SECONDS) and seen


def _fenced(stage: Stage) -> int:
    return sum(replica.logged(FENCED) for replica in stage.replicas.all)


def _is_older(replica: Replica) -> bool:
    return replica.older


def _is_newer(replica: Replica) -> bool:
    return not replica.older


REPLACED = Fault("older replica replaced", "exit code 0, and the newer one was ready", replace)
OLDER_FROZEN = Fault(
    "older replica frozen before the transaction",
    "a newer one had all its partitions, and said that it fenced producers",
    freeze_older,
)
NEWER_FROZEN = Fault(
    "newer replica frozen before the transaction",
    "an older one had all its partitions while it stood still",
    partial(freeze, point="before the transaction", which=_is_newer),
)
# In this order, with two replicas.
UPGRADE_FAULTS = [REPLACED, OLDER_FROZEN, NEWER_FROZEN, REPLACED]
