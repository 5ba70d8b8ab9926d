"""The coordinator of a consumer group that rebalances eagerly, and what it answers its members.

State and timers; knows nothing of clients. A rebalance waits for all members to join again, and
goes on without those that do not in time.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from aiokafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.records import Partition
    from simulation.brokers import Brokers


class Joined(NamedTuple):
    """What a member gets when a rebalance is complete."""

    member: str
    generation: int
    partitions: list[Partition]
    coordinator: int


@dataclass(eq=False)
class _Member:
    name: str
    topics: Sequence[str]
    session_s: float
    rebalance_s: float
    heard_of: float = 0.0
    waiting: asyncio.Future[Joined] | None = None
    partitions: list[Partition] = field(default_factory=list)


class Group:
    """One group."""

    def __init__(self, brokers: Brokers, name: str) -> None:
        """Have no members."""
        self.generation = 0
        self.members: dict[str, _Member] = {}
        self.expired = 0
        self._brokers = brokers
        self._name = name
        self._made = 0
        self._rebalancing = False

    def join(
        self, member: str, topics: Sequence[str], session_s: float, rebalance_s: float
    ) -> asyncio.Future[Joined]:
        """Join, or join again; answered when the rebalance is complete."""
        if member not in self.members:
            self._made += 1
            member = f"member-{self._made}"
            self.members[member] = _Member(member, topics, session_s, rebalance_s)
            self._watch(self.members[member])
        joining = self.members[member]
        waiting = joining.waiting = asyncio.get_running_loop().create_future()
        self._rebalance()
        self._complete_if_all_wait()
        return waiting

    def heartbeat(self, member: str, generation: int) -> None:
        """Keep the membership.

        Raises:
            KafkaError: it is lost, or a rebalance asks to join again.
        """
        known = self.members.get(member)
        if known is None:
            raise UnknownMemberIdError
        known.heard_of = asyncio.get_running_loop().time()
        if self._rebalancing:
            raise RebalanceInProgressError
        if generation != self.generation:
            raise IllegalGenerationError

    def leave(self, member: str) -> None:
        """End a membership, where there is one."""
        if self.members.pop(member, None) is not None:
            self._rebalance()
            self._complete_if_all_wait()

    def commit(self, member: str, generation: int, offsets: Mapping[Partition, int]) -> None:
        """Commit offsets as a member.

        Raises:
            CommitFailedError: the partitions belong to another one, or will soon.
        """
        if member not in self.members or generation != self.generation or self._rebalancing:
            raise CommitFailedError
        self._brokers.offsets.commit(self._name, offsets)

    def check(self, member: str, generation: int) -> None:
        """Let a member put offsets into a transaction; whoever names no generation is not checked.

        Raises:
            KafkaError: the group was formed without it. One that is being formed has its old
                generation until then.
        """
        if generation < 0 and not member:
            return
        if member not in self.members:
            raise UnknownMemberIdError
        if generation != self.generation:
            raise IllegalGenerationError

    def rebalance(self) -> None:
        """Ask all members to join again, as when topics change."""
        if self.members:
            self._rebalance()

    def _watch(self, member: _Member) -> None:
        loop = asyncio.get_running_loop()
        member.heard_of = loop.time()

        def look() -> None:
            if self.members.get(member.name) is not member:
                return
            # A coordinator that was away gives everybody a new session, as does a join.
            if self._brokers.away or member.waiting is not None:
                member.heard_of = loop.time()
            left_s = member.heard_of + member.session_s - loop.time()
            if left_s <= 0:
                self.expired += 1
                self.leave(member.name)
            else:
                loop.call_later(left_s, look)

        loop.call_later(member.session_s, look)

    def _rebalance(self) -> None:
        if self._rebalancing or not self.members:
            return
        self._rebalancing = True
        timeout_s = max(member.rebalance_s for member in self.members.values())
        generation = self.generation
        asyncio.get_running_loop().call_later(timeout_s, self._complete_without_rest, generation)

    def _complete_without_rest(self, generation: int) -> None:
        if self._rebalancing and generation == self.generation:
            for member in list(self.members.values()):
                if member.waiting is None:
                    self.expired += 1
                    del self.members[member.name]
            self._complete_if_all_wait()

    def _complete_if_all_wait(self) -> None:
        if not self.members:
            self._rebalancing = False
            return
        members = sorted(self.members.values(), key=lambda member: int(member.name[7:]))
        if any(member.waiting is None for member in members):
            return
        self._rebalancing = False
        self._brokers.offsets.catch_up()
        self.generation += 1
        topics = sorted({topic for member in members for topic in member.topics})
        shared = [p for topic in topics for p in self._brokers.partitions(topic)]
        for position, member in enumerate(members):
            waiting, member.waiting = member.waiting, None
            member.partitions = shared[position :: len(members)]
            member.heard_of = asyncio.get_running_loop().time()
            if waiting is not None and not waiting.done():
                waiting.set_result(
                    Joined(
                        member.name,
                        self.generation,
                        member.partitions,
                        self._brokers.offsets.coordinator,
                    )
                )
