"""aiokafka's fetcher for many partitions: a fetch costs what is new, not what there is.

For the consumer of a group alone, which is the one without a policy for positions. aiokafka names
every partition in each fetch, and gets an answer for each: with 1,000 partitions that takes longer
than most models. It pauses and resumes each by itself, and asks for the committed offset of one
after the other where nobody has set a position yet. Here instead

- a fetch names the partitions whose position has changed, and the answer those with something new:
  the broker remembers the others (fetch sessions, KIP-227; Kafka 1.1);
- brokers are held back as a whole;
- nobody but the session sets positions.

Nothing may enter that knows the session or what a record means.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition
from aiokafka.consumer import consumer as aiokafka_consumer
from aiokafka.consumer.fetcher import Fetcher, FetchError, OffsetResetStrategy
from aiokafka.protocol.fetch import FetchRequest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from aiokafka.client import AIOKafkaClient
    from aiokafka.protocol.fetch import FetchRequestStruct

# The first version with sessions.
_WITH_SESSIONS = 7
# The number of the request that begins a session, and the highest number.
_FIRST, _LAST = 0, 2**31 - 1
# A broker that refuses a session is asked again after this time.
REFUSED_S = 0.1


def install() -> None:
    """Replace aiokafka's fetcher, for all consumers of this process; may be repeated."""
    aiokafka_consumer.Fetcher = _Fetcher


class _Session:
    """What a broker remembers of a consumer's fetches."""

    def __init__(self) -> None:
        self.id, self.number = 0, _FIRST
        self.known: Mapping[TopicPartition, int] = {}

    def end(self) -> None:
        """Begin anew with the next fetch, which ends the present session at the broker."""
        self.number, self.known = _FIRST, {}

    def go_on(self, session_id: int, known: Mapping[TopicPartition, int]) -> None:
        """Take over what the broker has answered; without an id it remembers nothing."""
        self.id = session_id
        if session_id:
            self.number = self.number % _LAST + 1
            self.known = known


class _Fetch(FetchRequest):  # type: ignore[misc] # aiokafka ships no types
    """A fetch of these positions, which names only what the broker does not know yet."""

    def __init__(
        self, session: _Session, positions: Mapping[TopicPartition, int], *options: int, size: int
    ) -> None:
        super().__init__(*options, [])
        self.session = session
        self.positions = positions
        self._size = size

    def build(self, request_struct_class: type[FetchRequestStruct]) -> FetchRequestStruct:
        """See `aiokafka.protocol.api.Request`."""
        known = self.session.known
        new = {p: offset for p, offset in self.positions.items() if known.get(p) != offset}
        self._topics = _by_topic(
            (p, (p.partition, offset, self._size)) for p, offset in new.items()
        )
        request = super().build(request_struct_class)
        if request.API_VERSION >= _WITH_SESSIONS:
            request.session_id, request.session_epoch = self.session.id, self.session.number
            gone = known.keys() - self.positions.keys()
            request.forgotten_topics_data = _by_topic((p, p.partition) for p in gone)
        return request

    def take(self, response: Any) -> None:
        """Note what was answered; aiokafka looks for each partition of it among `topics`."""
        positions, answered = self.positions, []
        for topic, parts in response.topics:
            kept = [part for part in parts if (topic, part[0]) in positions]
            answered.append((topic, kept))
        response.topics = answered
        self._topics = [
            (topic, [(part[0], positions[TopicPartition(topic, part[0])], 0) for part in parts])
            for topic, parts in answered
        ]


class _Client:
    """The consumer's client, with an eye on the answers to fetches."""

    def __init__(self, client: AIOKafkaClient) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def send(self, node: int, request: Any) -> Any:
        if not isinstance(request, _Fetch):
            return await self._client.send(node, request)
        try:
            response = await self._client.send(node, request)
        except BaseException:
            # Whether the broker has got it is not known.
            request.session.end()
            raise
        if response.API_VERSION >= _WITH_SESSIONS:
            if response.error_code:
                request.session.end()
                await asyncio.sleep(REFUSED_S)
            else:
                request.session.go_on(response.session_id, request.positions)
        request.take(response)
        return response


class _Fetcher(Fetcher):  # type: ignore[misc] # aiokafka ships no types
    """aiokafka's; with a policy for positions it does what that does."""

    def __init__(self, client: AIOKafkaClient, *args: Any, **options: Any) -> None:
        # What follows is used from the first turn of the base class's task on.
        self._held: Collection[int] = ()
        self._left: Collection[TopicPartition] = ()
        self._sessions: defaultdict[int, _Session] = defaultdict(_Session)
        self._assignment: Any = None
        # The brokers that led partitions of it when these were last looked through.
        self._leaders: set[int] = set()
        super().__init__(_Client(client), *args, **options)
        self._plain = self._default_reset_strategy != OffsetResetStrategy.NONE

    @property
    def held(self) -> Collection[int]:
        """The brokers that are not to be asked until others are set here."""
        return self._held

    @held.setter
    def held(self, brokers: Collection[int]) -> None:
        self._held = brokers
        if not brokers:
            self._notify(self._wait_consume_future)

    @property
    def left(self) -> Collection[TopicPartition]:
        """The partitions whose records are left at the client; others are fetched beside them."""
        return self._left

    @left.setter
    def left(self, partitions: Collection[TopicPartition]) -> None:
        self._left = partitions
        if partitions:
            self._notify(self._wait_consume_future)

    def _get_actions_per_node(self, assignment: Any) -> tuple[Any, ...]:
        actions: tuple[Any, ...]
        if self._plain:
            actions = super()._get_actions_per_node(assignment)
            return actions
        if assignment is not self._assignment:
            # What is known of the partitions began anew too, such as the ends of their logs.
            self._assignment, self._leaders = assignment, set()
            for session in self._sessions.values():
                session.end()
        leader = self._client.cluster.leader_for_partition
        # A broker with records that are still to be taken is not asked for others at once: where
        # these have none, it would not answer for a while, and the partition would have to wait.
        waits: defaultdict[int, list[float]] = defaultdict(list)
        for partition, found in self._records.items():
            if partition not in self._left and (wait_s := found.calculate_backoff()):
                waits[leader(partition)].append(wait_s)
        busy = {*self._in_flight, *self._held, *waits}
        wait_s = min(map(max, waits.values())) if waits else self._fetcher_timeout
        if self._leaders and self._leaders <= busy:
            return [], {}, wait_s, False, []
        positions, resumed, leaderless = self._fetchable(assignment, busy)
        options = (self._fetch_max_wait_ms, self._fetch_min_bytes, self._fetch_max_bytes)
        size = self._max_partition_fetch_bytes
        fetches = [
            (node, _Fetch(self._sessions[node], of, *options, self._isolation_level, size=size))
            for node, of in positions.items()
        ]
        return fetches, {}, wait_s, leaderless, resumed

    def _fetchable(
        self, assignment: Any, busy: Collection[int | None]
    ) -> tuple[dict[int, dict[TopicPartition, int]], list[asyncio.Future[None]], bool]:
        """The positions to fetch from, by broker that is not `busy`; what ends pauses of others.

        And whether any partition has no leader.
        """
        leader, records = self._client.cluster.leader_for_partition, self._records
        positions: defaultdict[int, dict[TopicPartition, int]] = defaultdict(dict)
        resumed: list[asyncio.Future[None]] = []
        leaderless, leaders = False, set()
        for partition in assignment.tps:
            node = leader(partition)
            if node is None or node == -1:
                leaderless = True
                continue
            leaders.add(node)
            if node in busy or partition in records:
                continue
            state = assignment.state_value(partition)
            if not state.has_valid_position:
                continue
            if state.paused:
                resumed.append(state.resume_fut)
            else:
                positions[node][partition] = state.position
        self._leaders = leaders
        return positions, resumed, leaderless

    async def fetched_records(
        self,
        partitions: Collection[TopicPartition],
        timeout: float = 0,  # noqa: ASYNC109 - aiokafka's
        max_records: int | None = None,
    ) -> dict[TopicPartition, list[Any]]:
        """See aiokafka, which looks at all that has come to find records of one partition."""
        found: dict[TopicPartition, list[Any]]
        if timeout or not partitions or self._subscriptions.reassignment_in_progress:
            found = await super().fetched_records(frozenset(partitions), timeout, max_records)
            return found
        found = {}
        left = max_records
        for partition in partitions:
            result = self._records.get(partition)
            if result is None:
                continue
            if isinstance(result, FetchError):
                if not found:
                    self._forget(partition)
                    result.check_raise()
                break
            records = result.getall(left)
            if not result.has_more():
                self._forget(partition)
            if records:
                found[partition] = records
                left = None if left is None else left - len(records)
                if left == 0:
                    break
        return found

    def _forget(self, partition: TopicPartition) -> None:
        del self._records[partition]
        self._notify(self._wait_consume_future)


def _by_topic(entries: Iterable[tuple[TopicPartition, Any]]) -> list[tuple[str, list[Any]]]:
    grouped: defaultdict[str, list[Any]] = defaultdict(list)
    for partition, entry in entries:
        grouped[partition.topic].append(entry)
    return list(grouped.items())
