"""What lies between clients and brokers: latency, lost and late requests, brokers that are away.

A request arrives whatever becomes of who sent it. A fault counts where it has hit something.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections import Counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from aiokafka.errors import (
    IncompatibleBrokerVersion,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
)

from service.kafka.client.metadata import MetadataRequest
from service.records import Partition
from simulation.loop import current_process

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable, Mapping

    from aiokafka.protocol.offset import OffsetRequest

    from simulation.brokers import Brokers
    from simulation.groups import Group
    from simulation.loop import Process

# Within one data centre.
LATENCY_S = (0.0002, 0.003)
# Beyond any timeout that the clients have here.
LATE_S = (0.5, 4.0)
# A request whose connection has broken may be with the broker already, and wait there: longer than
# the client does before it sends it again.
BEHIND_S = (0.2, 1.2)
# aiokafka tries again by itself for so long, every so often.
REQUEST_TIMEOUT_S = 3.0
RETRY_S = 0.1
# What a client takes to see that a connection is gone.
REFUSED_S = 0.05


class Network:
    """The way to one cluster: its brokers and the coordinators of its groups."""

    def __init__(
        self, brokers: Brokers, make_group: Callable[[str], Group], rng: random.Random
    ) -> None:
        """Have no faults."""
        self.brokers = brokers
        self.faults: Counter[str] = Counter()
        self.late_share = 0.0
        self.lost_share = 0.0
        # Of requests that end a transaction or put offsets into it.
        self.behind_share = 0.0
        self.closed = False
        # Asked before a request leaves and after it was answered: (process, request, moment).
        self.on_request: Callable[[Process, str, str], None] | None = None
        self._make_group = make_group
        self._groups: dict[str, Group] = {}
        self._rng = rng
        # Requests belong to no process: one that is killed cannot take them back.
        self._context = contextvars.Context()

    def group(self, name: str) -> Group:
        """The coordinator of a group."""
        if name not in self._groups:
            self._groups[name] = self._make_group(name)
        return self._groups[name]

    async def request(
        self, name: str, handle: Callable[[], Any], *, may_arrive_late: bool = False
    ) -> Any:
        """Let the brokers handle a request, and give their answer.

        One that is lost may arrive all the same, when nobody waits for it any more.

        Raises:
            KafkaConnectionError: there is none; it may have been handled or not.
            KafkaError: what the brokers answer.
        """
        if self.closed:
            raise KafkaConnectionError
        process = current_process()
        if self.on_request is not None and process is not None:
            self.on_request(process, name, "before")
            if process.killed:
                # Killed here: the request is never sent.
                await asyncio.get_running_loop().create_future()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        late = may_arrive_late and self._rng.random() < self.behind_share
        if late:
            delay_s = self._rng.uniform(*BEHIND_S)
            loop.call_later(REFUSED_S, _give, answer, KafkaConnectionError(), context=self._context)
            loop.call_later(delay_s, self._arrive_unheard, handle, context=self._context)
        else:
            loop.call_later(self._delay_s(), self._arrive, answer, handle, context=self._context)
        result = await answer
        if self.on_request is not None and process is not None:
            self.on_request(process, name, "after")
            if process.killed:
                await loop.create_future()
        return result

    def repeat(self, handle: Callable[[], Any]) -> None:
        """Let a request arrive once more now and then, late: the client has sent it twice."""
        if self._rng.random() < self.behind_share:
            delay_s = self._rng.uniform(*BEHIND_S)
            loop = asyncio.get_running_loop()
            loop.call_later(delay_s, self._arrive_unheard, handle, context=self._context)

    def _delay_s(self) -> float:
        if self.late_share and self._rng.random() < self.late_share:
            self.faults["request late"] += 1
            return self._rng.uniform(*LATE_S)
        return self._rng.uniform(*LATENCY_S)

    def _arrive(self, answer: asyncio.Future[Any], handle: Callable[[], Any]) -> None:
        if self.brokers.away:
            self.faults["brokers away"] += 1
            self._answer(answer, KafkaConnectionError(), REFUSED_S)
            return
        if self.lost_share and self._rng.random() < self.lost_share:
            self.faults["request lost"] += 1
            self._answer(answer, KafkaConnectionError(), REFUSED_S)
            return
        try:
            result = handle()
        except Exception as error:  # noqa: BLE001 - all goes to who asked
            result = error
        if isinstance(result, asyncio.Future):
            result.add_done_callback(
                lambda done: self._answer(answer, done.exception() or done.result()),
                context=self._context,
            )
            return
        if self.lost_share and self._rng.random() < self.lost_share:
            self.faults["answer lost"] += 1
            self._answer(answer, KafkaConnectionError(), REFUSED_S)
            return
        self._answer(answer, result)

    def _arrive_unheard(self, handle: Callable[[], Any]) -> None:
        if not self.brokers.away:
            self.faults["request late, its connection lost"] += 1
            with contextlib.suppress(KafkaError):
                handle()

    def _answer(
        self, answer: asyncio.Future[Any], result: Any, delay_s: float | None = None
    ) -> None:
        loop = asyncio.get_running_loop()
        delay_s = self._delay_s() if delay_s is None else delay_s
        loop.call_later(delay_s, _give, answer, result, context=self._context)


def _give(answer: asyncio.Future[Any], result: Any) -> None:
    if answer.done():
        return
    if isinstance(result, Exception):
        answer.set_exception(result)
    else:
        answer.set_result(result)


NETWORKS: dict[str, Network] = {}
"""Clusters by their bootstrap address: clients are given nothing else."""


def network_of(options: Mapping[str, Any]) -> Network:
    """The network of a client's options."""
    return NETWORKS[options["bootstrap_servers"]]


async def persist(network: Network, name: str, handle: Callable[[], Any]) -> Any:
    """Send a request until it is answered; handled once, as idempotence and epochs make sure.

    Raises:
        KafkaTimeoutError: there was no answer; it may have been handled or not, or will be.
    """
    deadline = asyncio.get_running_loop().time() + REQUEST_TIMEOUT_S
    results: list[Any] = []

    def once() -> Any:
        if not results:
            try:
                results.append(handle())
            except KafkaError as error:
                results.append(error)
        if isinstance(results[0], Exception):
            raise results[0]
        return results[0]

    while True:
        try:
            return await network.request(name, once)
        except KafkaConnectionError:
            if asyncio.get_running_loop().time() > deadline:
                raise KafkaTimeoutError from None
            await asyncio.sleep(RETRY_S)


class Client:
    """Stands for a consumer's `AIOKafkaClient`: all brokers answer a `getmany` together."""

    cluster = SimpleNamespace(leader_for_partition=lambda _: 0)

    def __init__(self, end_of: Callable[[Partition], Awaitable[int]]) -> None:
        """Know the end of each log, with the records of open transactions."""
        self._end_of = end_of

    def get_random_node(self) -> int:
        """See aiokafka."""
        return 0

    async def send(self, _node: int, request: OffsetRequest | MetadataRequest) -> SimpleNamespace:
        """Answer where the log of one partition ends; these brokers know no ids of topics."""
        if isinstance(request, MetadataRequest):
            raise IncompatibleBrokerVersion
        [(topic, [(number, _latest)])] = request._topics
        end = await self._end_of(Partition(topic, number))
        return SimpleNamespace(topics=[(topic, [(number, 0, -1, end)])])

    async def close(self) -> None:
        """Close nothing: nothing is open."""
