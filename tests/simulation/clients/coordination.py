"""Stands where the coordinator of aiokafka's consumer stands: membership, and committed offsets."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from aiokafka.structs import OffsetAndMetadata

from service.kafka.client.error_codes import UNSTABLE_OFFSET_COMMIT
from service.records import Partition
from simulation.network import RETRY_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiokafka import TopicPartition

    from service.kafka.client.offset_requests import OffsetFetchRequest
    from simulation.network import Network

_OFFSET_FETCH = {9: (0, 7)}


class Coordination:
    """Stands for aiokafka's `GroupCoordinator`."""

    _group_instance_id = None
    _retry_backoff_ms = 1000 * RETRY_S

    def __init__(self, network: Network, group_id: str) -> None:
        """Be in no generation."""
        self.group_id = group_id
        self.coordinator_id: int | None = None
        self.member_id, self.generation = "", -1
        self._network = network

    async def ensure_coordinator_known(self) -> None:
        """See aiokafka."""

    def coordinator_dead(self) -> None:
        """See aiokafka."""

    async def fetch_committed_offsets(
        self, places: Sequence[TopicPartition]
    ) -> dict[TopicPartition, OffsetAndMetadata]:
        """See aiokafka; there is no metadata here."""
        found = await self._told(places)
        return {p: OffsetAndMetadata(o, "") for p, o in found.items() if o is not None}

    async def _send_req(self, request: OffsetFetchRequest) -> SimpleNamespace:
        asked = request.prepare(_OFFSET_FETCH)
        places = [Partition(t, number) for t, numbers, _ in asked.topics for number in numbers]
        brokers, offsets = self._network.brokers, {}

        def fetch() -> None:
            self.coordinator_id = brokers.offsets.coordinator
            for place in places:
                unstable = asked.require_stable and brokers.has_open(self.group_id, place)
                offset = brokers.offsets.told(self.group_id, place)
                offsets[place] = (
                    -1 if offset is None else offset,
                    UNSTABLE_OFFSET_COMMIT.errno if unstable else 0,
                )

        await self._network.request("offset fetch", fetch)
        topics: list[Any] = [
            (place.topic, [(place.number, offset, -1, "", code, {})], {})
            for place, (offset, code) in offsets.items()
        ]
        return SimpleNamespace(error_code=0, topics=topics)

    async def _told(self, places: Sequence[TopicPartition]) -> dict[TopicPartition, int | None]:
        offsets = self._network.brokers.offsets

        def fetch() -> dict[TopicPartition, int | None]:
            self.coordinator_id = offsets.coordinator
            return {place: offsets.told(self.group_id, Partition(*place)) for place in places}

        found: dict[TopicPartition, int | None] = await self._network.request("offset fetch", fetch)
        return found
