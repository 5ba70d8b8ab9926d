"""What a cluster would refuse the service, asked before it runs: `run --check-cluster`.

Only asks: joins no group, starts no producer, writes nothing and creates nothing. What a broker
does not let this user ask is reported as not known, since running may need no right to ask.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import InconsistentGroupProtocolError, for_code

from service.errors import BrokerError, RetriableError
from service.kafka.client.connection import (
    check_access,
    check_versions,
    connection_options,
    translated,
    translating,
)
from service.kafka.client.error_codes import SESSION_REMEDY, TIMEOUT_REMEDY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from service.settings import KafkaSettings

CHECK_TIMEOUT_S = 15.0
_BROKER, _TOPIC = ConfigResourceType.BROKER, ConfigResourceType.TOPIC
_COORDINATOR_OF_TRANSACTIONS = 1


class Finding(NamedTuple):
    """The result of one check; `passed` is None if the brokers do not answer it."""

    name: str
    passed: bool | None
    text: str


class _Unknown(Exception):  # noqa: N818 - no error: the check has no result
    pass


async def check_cluster(settings: KafkaSettings, mode: str) -> AsyncIterator[Finding]:
    """Check a cluster for a service with these settings and this mode of delivery.

    Raises:
        RetriableError, BrokerError: the brokers cannot be reached, or refuse the login.
    """
    options = connection_options(settings)
    await check_access(options)
    yield Finding("login", True, settings.bootstrap_servers)
    admin = AIOKafkaAdminClient(**options)
    checks = _Checks(admin, settings, mode)
    named: dict[str, Callable[[], Awaitable[str]]] = {
        "requests": checks.requests,
        "topics": checks.topics,
        "group": checks.group,
        "transactions": checks.transactions,
        "session timeout": checks.session_timeout,
        "compaction": checks.compaction,
    }
    if mode != "exactly_once":
        del named["transactions"]
    try:
        with translating():
            await admin.start()
        for name, check in named.items():
            yield await _finding(name, check)
    finally:
        await admin.close()


async def _finding(name: str, check: Callable[[], Awaitable[str]]) -> Finding:
    clock = asyncio.get_running_loop().time
    deadline = clock() + CHECK_TIMEOUT_S
    while True:
        try:
            with translating():
                async with asyncio.timeout_at(deadline):
                    return Finding(name, True, await check())
        except _Unknown as reason:
            return Finding(name, None, str(reason))
        except (BrokerError, RetriableError) as error:
            # A broker that was asked for the first time takes a moment to find a coordinator.
            if not getattr(error.__cause__, "retriable", False) or clock() > deadline:
                return Finding(name, False, str(error))
            await asyncio.sleep(CHECK_TIMEOUT_S / 50)


class _Checks:
    """Each gives what is right, or raises the service's error or Kafka's."""

    def __init__(self, admin: AIOKafkaAdminClient, settings: KafkaSettings, mode: str) -> None:
        self._admin = admin
        self._settings = settings
        self._mode = mode

    async def requests(self) -> str:
        await self._admin.list_topics()
        [connection, *_] = self._admin._client._conns.values()  # noqa: SLF001 - no public way
        check_versions(connection._versions, self._mode)  # noqa: SLF001 - no public way
        return f"the brokers support {self._mode}"

    async def topics(self) -> str:
        # All topics are listed: a broker may create one that it is asked for by name.
        settings = self._settings
        wanted = (*settings.input_topics, settings.output_topic, settings.dead_letter_topic)
        missing = sorted(set(wanted) - set(await self._admin.list_topics()))
        if missing:
            raise BrokerError(
                f"these topics do not exist, or this user may not describe them: "
                f"{', '.join(missing)}; create them, or correct the SENTIMENT_KAFKA__ topic "
                "settings or this user's rights"
            )
        return ", ".join(wanted)

    async def group(self) -> str:
        group_id = self._settings.group_id
        [response] = await self._admin.describe_consumer_groups([group_id])
        [(code, _, state, _, protocol, members, *_)] = response.groups
        # A group that does not exist yet is "Dead" to older brokers, and an error to newer ones.
        if code and state != "Dead":
            raise for_code(code)(group_id)
        if members and protocol not in ("", RoundRobinPartitionAssignor.name):
            raise InconsistentGroupProtocolError(f"assignor {protocol}")
        return f"{group_id}, {len(members)} members"

    async def transactions(self) -> str:
        prefix = f"{self._settings.group_id}-"
        await self._admin.find_coordinator(prefix, _COORDINATOR_OF_TRANSACTIONS)
        largest = await self._setting(_BROKER, await self._broker(), "transaction.max.timeout.ms")
        timeout_ms = self._settings.transaction_ms
        if timeout_ms > int(largest):
            raise BrokerError(
                f"{timeout_ms} ms is over the brokers' {largest} ms; {TIMEOUT_REMEDY}"
            )
        return f"timeout {timeout_ms} ms, the brokers' largest is {largest} ms"

    async def session_timeout(self) -> str:
        broker, timeout_ms = await self._broker(), self._settings.session_timeout_ms
        smallest = await self._setting(_BROKER, broker, "group.min.session.timeout.ms")
        largest = await self._setting(_BROKER, broker, "group.max.session.timeout.ms")
        bounds = f"the brokers' {smallest} to {largest} ms"
        if not int(smallest) <= timeout_ms <= int(largest):
            raise BrokerError(f"{timeout_ms} ms is not within {bounds}; {SESSION_REMEDY}")
        return f"{timeout_ms} ms, within {bounds}"

    async def compaction(self) -> str:
        for topic in (self._settings.output_topic, self._settings.dead_letter_topic):
            policy = await self._setting(_TOPIC, topic, "cleanup.policy")
            if "compact" in policy:
                raise _Unknown(
                    f"topic {topic} has cleanup.policy={policy}: the service ends at the first "
                    "record without a key"
                )
        return "the topics take records without a key"

    async def _broker(self) -> str:
        cluster = await self._admin.describe_cluster()
        return str(cluster["brokers"][0]["node_id"])

    async def _setting(self, kind: ConfigResourceType, name: str, key: str) -> str:
        resource = ConfigResource(kind, name, {key: None})
        [response] = await self._admin.describe_configs([resource])
        [(code, _, _, _, entries)] = response.resources
        values = {entry[0]: entry[1] for entry in entries}
        if code or values.get(key) is None:
            reason = translated(for_code(code)()) if code else "the brokers do not have it"
            raise _Unknown(f"{key} cannot be read ({str(reason).partition(';')[0]})")
        return str(values[key])
