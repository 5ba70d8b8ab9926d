"""Who coordinates a group or a transactional id, who its members are, what it has committed.

Asked by aiokafka, since librdkafka 2.16 ends the process when a group's coordinator moves while its
admin client asks (its issues 5040 and 4605). A client that has failed is replaced: it may stick to
a broker that does not answer.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, TypeVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocol
from aiokafka.errors import KafkaError, for_code

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Answer = TypeVar("Answer")

WAIT_SECONDS = 120
# A broker that stands still answers nothing; the next client asks another one.
REQUEST_SECONDS = 5
RETRY_SECONDS = 0.3
STABLE = "Stable"


class Groups:
    """Questions to a cluster in which brokers come and go."""

    def __init__(self, bootstrap_servers: str) -> None:
        """Connect to nothing yet."""
        self._bootstrap_servers = bootstrap_servers

    async def coordinator(self, group: str) -> int:
        """Number of the broker that keeps a consumer group."""
        return await self._ask(lambda client: client.find_coordinator(group, 0))

    async def transaction_coordinator(self, transactional_id: str) -> int:
        """Number of the broker that keeps a transactional id."""
        return await self._ask(lambda client: client.find_coordinator(transactional_id, 1))

    async def members(self, group: str) -> list[int]:
        """How many partitions each member of a stable group has; empty while it is not stable."""

        async def ask(client: AIOKafkaAdminClient) -> list[int]:
            [response] = await client.describe_consumer_groups([group])
            [(code, _, state, _, _, members, *_)] = response.groups
            if code:
                raise for_code(code)
            if state != STABLE:
                return []
            assignments = [ConsumerProtocol.ASSIGNMENT.decode(bytes(m[4])) for m in members]
            return [len(assignment.partitions()) for assignment in assignments]

        return await self._ask(ask)

    async def committed(self, group: str, topic: str) -> dict[int, int]:
        """Offsets a group has committed; partitions without one are left out."""

        async def ask(client: AIOKafkaAdminClient) -> dict[int, int]:
            offsets = await client.list_consumer_group_offsets(group)
            return {
                partition.partition: at.offset
                for partition, at in offsets.items()
                if partition.topic == topic and at.offset >= 0
            }

        return await self._ask(ask)

    async def _ask(self, question: Callable[[AIOKafkaAdminClient], Awaitable[Answer]]) -> Answer:
        """Ask until it is answered.

        Raises:
            KafkaError, TimeoutError: the last one, after WAIT_SECONDS.
        """
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            client = AIOKafkaAdminClient(
                bootstrap_servers=self._bootstrap_servers,
                request_timeout_ms=REQUEST_SECONDS * 1000,
            )
            try:
                async with asyncio.timeout(2 * REQUEST_SECONDS):
                    await client.start()
                    return await question(client)
            except (KafkaError, TimeoutError):
                if time.monotonic() > deadline:
                    raise
            finally:
                await client.close()
            await asyncio.sleep(RETRY_SECONDS)
