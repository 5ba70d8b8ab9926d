"""Fences producers of older versions of this service, before offsets of their partitions are read.

Exists for upgrades of a running group. Older versions have a transactional producer for each input
partition, and send no generation with its offsets: one that is frozen while its partitions are
given away can still commit, unless somebody else has begun to use its transactional id. May go as
soon as nobody runs those versions. Nothing may enter that publishes.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka.errors import (
    ConcurrentTransactions,
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    IncompatibleBrokerVersion,
    InvalidProducerEpoch,
    KafkaConnectionError,
    NodeNotReadyError,
    NotCoordinatorError,
    RequestTimedOutError,
    TransactionalIdAuthorizationFailed,
    for_code,
)
from aiokafka.protocol.transaction import InitProducerIdRequest

from service.kafka.older.requests import DescribeTransactionsRequest, FindCoordinatorsRequest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from aiokafka.client import AIOKafkaClient

    from service.records import Partition

log = structlog.get_logger(__name__)

# The transaction timeout that an id has once it is fenced here. No service has so short a one: who
# finds it knows that nobody has used the id since, and leaves it alone, so that it can expire.
FENCED_TIMEOUT_MS = 1
# More than aiokafka gives a request, 40 s, after which it replaces a connection that has died.
WAIT_S = 60.0
# Between two tries: a transaction is aborted, or a coordinator found, in about as long.
RETRY_S = 0.1
# Requests that are under way at a time: a coordinator writes each to its log.
FENCES_MAX = 16

_BROKEN = (KafkaConnectionError, NodeNotReadyError, RequestTimedOutError)
# Answers of a coordinator that is moving or busy, or that somebody else asks the same just now.
_MOVING = (
    ConcurrentTransactions,
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    InvalidProducerEpoch,
    NotCoordinatorError,
)
# TRANSACTIONAL_ID_NOT_FOUND.
_NOT_FOUND = 105


def older_id(group: str, partition: Partition) -> str:
    """The transactional id that older versions give the producer of an input partition."""
    return f"{group}-/{partition.topic}/{partition.number}"


class OlderReplicas:
    """Replicas of older versions in a group."""

    def __init__(self, group: str) -> None:
        """Ask nothing yet."""
        self._group = group
        self._told = False

    async def fence(self, client: AIOKafkaClient, partitions: Iterable[Partition]) -> None:
        """Fence who published for these partitions last, and abort what it has left open.

        After that an offset that is read is final, as far as older versions are concerned. To be
        called with each assignment: one of them may have had the partitions in between. Costs a
        request for all, and one for each broker, where there is nothing to do.

        Raises:
            KafkaError: the brokers refuse.
            TimeoutError: they do not answer, or cannot say within WAIT_S.
        """
        ids = {older_id(self._group, partition) for partition in partitions}
        try:
            async with asyncio.timeout(WAIT_S):
                left = await self._unsettled(client, ids)
                while left:
                    await asyncio.sleep(RETRY_S)
                    left = await self._unsettled(client, left)
        except (IncompatibleBrokerVersion, NotImplementedError):
            self._tell("the brokers have no DescribeTransactions, which is new in Kafka 3.0")
        except TransactionalIdAuthorizationFailed:
            self._tell("this user may not describe the transactional ids of this group")

    def _tell(self, reason: str) -> None:
        if not self._told:
            self._told = True
            log.warning(
                "replicas of versions with a producer for each partition are not fenced; "
                "let none of them run beside this one",
                reason=reason,
            )

    async def _unsettled(self, client: AIOKafkaClient, ids: Collection[str]) -> set[str]:
        """Fence what can be fenced now; gives the ids to try again."""
        if not ids:
            return set()
        try:
            by_node, left = await _coordinators(client, ids)
        except _BROKEN:
            return set(ids)
        parts = await asyncio.gather(
            *(self._settle(client, node, mine) for node, mine in by_node.items())
        )
        return left.union(*parts)

    async def _settle(self, client: AIOKafkaClient, node: int, ids: Collection[str]) -> set[str]:
        try:
            response: Any = await client.send(node, DescribeTransactionsRequest(ids))
        except _BROKEN:
            return set(ids)
        left: set[str] = set()
        used: list[str] = []
        for code, identity, _, timeout_ms, *_ in response.transaction_states:
            if code == _NOT_FOUND or (not code and timeout_ms == FENCED_TIMEOUT_MS):
                continue
            if not code:
                used.append(identity)
            elif _may_settle(code):
                left.add(identity)
        slots = asyncio.Semaphore(FENCES_MAX)

        async def fenced(identity: str) -> bool:
            async with slots:
                return await _fenced(client, node, identity)

        done = await asyncio.gather(*map(fenced, used))
        if any(done):
            log.info("producers of replicas of an older version are fenced", producers=sum(done))
        return left | {
            identity for identity, is_done in zip(used, done, strict=True) if not is_done
        }


async def _coordinators(
    client: AIOKafkaClient, ids: Collection[str]
) -> tuple[dict[int, list[str]], set[str]]:
    """The ids by coordinator, and those that have none just now."""
    request = FindCoordinatorsRequest(ids)
    response: Any = await client.send(client.get_random_node(), request)
    by_node: dict[int, list[str]] = defaultdict(list)
    without: set[str] = set()
    for identity, node, _, _, code, *_ in response.coordinators:
        if not code:
            by_node[node].append(identity)
        elif _may_settle(code):
            without.add(identity)
    return by_node, without


async def _fenced(client: AIOKafkaClient, node: int, identity: str) -> bool:
    """Whether the id has a new epoch; not before a transaction that was open is aborted."""
    try:
        response: Any = await client.send(node, InitProducerIdRequest(identity, FENCED_TIMEOUT_MS))
    except _BROKEN:
        return False
    return not (response.error_code and _may_settle(response.error_code))


def _may_settle(code: int) -> bool:
    """True if an error goes by itself.

    Raises:
        KafkaError: it does not.
    """
    error = for_code(code)
    if not issubclass(error, _MOVING):
        raise error
    return True
