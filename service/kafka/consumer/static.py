"""Static members (KIP-345): a replica that comes back under its name has its partitions again.

The group does not rebalance then. aiokafka sends the name when it joins; two things are missing.

- A member whose place another process has taken joins as a new one, which takes the place back: two
  processes of one name push each other out for ever. Here it asks first whether the place is still
  its own, as it was. It does not join as it was: a group is written anew only for a new member, and
  `committed` relies on that.
- A leader that comes back does not learn that it leads (JoinGroup before v9), and no other member
  looks for partitions that are added. Here each assignment names its leader and the number of
  partitions.

Nothing may enter that knows the session or committed offsets.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiokafka.consumer import consumer as aiokafka_consumer
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment as Assignment
from aiokafka.errors import IncompatibleBrokerVersion, KafkaError, for_code
from aiokafka.protocol.api import Request, RequestStruct
from aiokafka.protocol.group import HeartbeatResponse_v1
from aiokafka.protocol.types import Int32, Schema, String

from service.kafka.client.error_codes import FENCED_INSTANCE_ID


class InstanceId(str):
    """The name of a static member, with the member id that it had last."""

    __slots__ = ("member_id",)

    def __init__(self, _: str) -> None:
        """Nobody has been a member by this name yet."""
        self.member_id = ""

    @classmethod
    def of(cls, name: str | None) -> InstanceId | None:
        """None where there is no name."""
        return None if name is None else cls(name)


def install() -> None:
    """Replace aiokafka's coordinator, for all consumers of this process; may be repeated."""
    aiokafka_consumer.GroupCoordinator = _Coordinator


class HeartbeatResponse_v3(HeartbeatResponse_v1):  # type: ignore[misc] # noqa: N801 - as aiokafka's
    """As before; aiokafka has no newer one."""

    API_VERSION = 3


class HeartbeatRequest_v3(RequestStruct):  # type: ignore[misc] # noqa: N801 - named as aiokafka's
    """A heartbeat with the name; layout: HeartbeatRequest.json of Apache Kafka."""

    API_KEY = 12
    API_VERSION = 3
    RESPONSE_TYPE = HeartbeatResponse_v3
    SCHEMA = Schema(
        ("group", String("utf-8")),
        ("generation_id", Int32),
        ("member_id", String("utf-8")),
        ("group_instance_id", String("utf-8")),
    )


class HeartbeatRequest(Request[HeartbeatRequest_v3]):  # type: ignore[misc]
    """Asks whether a name is still that of a member."""

    API_KEY = 12

    def __init__(self, *fields: Any) -> None:
        """Those of `HeartbeatRequest_v3`."""
        self._fields = fields

    def build(self, request_struct_class: type[HeartbeatRequest_v3]) -> HeartbeatRequest_v3:
        """See `aiokafka.protocol.api.Request`."""
        return request_struct_class(*self._fields)


class _Coordinator(GroupCoordinator):  # type: ignore[misc] # aiokafka ships no types
    """aiokafka's; for a consumer without an `InstanceId` it does what that does."""

    # The topics that are looked through for other numbers of partitions; by the leader alone.
    _group_subscription: set[str] | None

    async def _do_rejoin_group(self, subscription: Any) -> bool:
        name = self._group_instance_id
        if not isinstance(name, InstanceId):
            joined: bool = await super()._do_rejoin_group(subscription)
            return joined
        if not self.member_id and not await self._may_join(name):
            await asyncio.sleep(self._retry_backoff_ms / 1000)
            return False
        try:
            joined = await super()._do_rejoin_group(subscription)
        except KafkaError as error:
            # aiokafka does not know this error, and gives its name alone.
            if FENCED_INSTANCE_ID.__name__ in str(error):
                raise FENCED_INSTANCE_ID(f"group instance id {name}") from error
            raise
        if joined:
            name.member_id = self.member_id
        return joined

    async def _may_join(self, name: InstanceId) -> bool:
        """Whether the place is still its own, or nobody's; False if nobody can be asked."""
        request = HeartbeatRequest(self.group_id, -1, name.member_id, name)
        try:
            response = await self._send_req(request)
        except NotImplementedError as error:
            raise IncompatibleBrokerVersion(
                "they have no static members, which Kafka 2.3 brought: unset "
                "SENTIMENT_KAFKA__GROUP_INSTANCE_ID"
            ) from error
        except KafkaError:
            return False
        # Who has never been a member takes the place, whoever has it: that is what restarts need.
        if name.member_id and for_code(response.error_code) is FENCED_INSTANCE_ID:
            raise FENCED_INSTANCE_ID(f"group instance id {name}")
        return True

    async def _perform_assignment(self, response: Any) -> dict[str, Any]:
        made: dict[str, Any] = await super()._perform_assignment(response)
        note = {"leader": self._group_instance_id, "partitions": self._metadata_snapshot}
        data = json.dumps(note).encode()
        return {
            member: Assignment(given.version, given.assignment, data)
            for member, given in made.items()
        }

    async def _on_join_complete(
        self, generation: int, member_id: str, protocol: str, assignment: bytes
    ) -> None:
        await super()._on_join_complete(generation, member_id, protocol, assignment)
        note = _noted(Assignment.decode(assignment).user_data)
        name = self._group_instance_id
        if (
            not isinstance(name, InstanceId)
            or note.get("leader") != name
            or self._group_subscription is not None
        ):
            return
        # The leader has come back. It looks for other numbers of partitions from now on, and once
        # it has asked whether there are any already.
        self._group_subscription = set(note["partitions"])
        self._metadata_snapshot = note["partitions"]
        self._client.force_metadata_update()


def _noted(data: bytes | None) -> dict[str, Any]:
    """What the leader has noted with an assignment; nothing where it is another program."""
    try:
        note = json.loads(data or b"{}")
    except ValueError:
        return {}
    return note if isinstance(note, dict) else {}
