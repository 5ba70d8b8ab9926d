"""What an output topic says about the past of a group that the brokers know nothing of any more.

Exists because brokers delete the offsets of a group that had no member for some days
(`offsets.retention.minutes`). The group then looks new, and its whole input would be scored again,
or skipped up to its end, without a word. Reads a few last records only: joins no group, writes
nothing, and stops nobody from starting. How many records are passed over, `starts` counts.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from service.kafka.client import background
from service.records import Partition

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from service.settings import KafkaSettings

log = structlog.get_logger(__name__)

# The last offsets of each output partition that are read, markers of transactions among them:
# enough to meet every input partition that was in use, and read within a moment.
OFFSETS_MAX = 200
BYTES_MAX = 2**20
# The group waits for it, once in the life of a group that begins with no offsets.
TIMEOUT_S = 5.0
# More partitions say no more in a log line.
NAMED_MAX = 10
EFFECTS = {
    "earliest": "they are read from their beginning: what was scored before is scored and "
    "published again, each event under its former id",
    "latest": "they are read from their end: what came since is skipped",
}
REMEDY = (
    "stop the service, set the group's offsets with kafka-consumer-groups --reset-offsets, and "
    "start again; raise the brokers' offsets.retention.minutes above the longest pause"
)


class History:
    """Finds input partitions without a committed offset whose events are published already."""

    def __init__(self, options: Mapping[str, Any], settings: KafkaSettings) -> None:
        """Ask nobody yet; `options` are those of `connection_options`."""
        self._options = options
        self._settings = settings
        self._asked: set[Partition] = set()
        # Of partitions that were told of: the offset of the last record whose event was found.
        self.last_published: dict[Partition, int] = {}

    async def warn(self, partitions: Collection[Partition]) -> None:
        """Log a warning if the output topic has events of these, for which there is no offset.

        To be called before anything is published for them; looks once for each partition.
        """
        new = set(partitions) - self._asked
        if not new:
            return
        self._asked |= new
        settings = self._settings
        try:
            async with asyncio.timeout(TIMEOUT_S):
                published = await last_origins(
                    self._options, settings.output_topic, settings.group_id
                )
        except (KafkaError, TimeoutError) as error:
            log.info(
                "not known whether the group's offsets have expired: its output cannot be read",
                topic=settings.output_topic,
                error=type(error).__name__,
            )
            return
        if forgotten := sorted(new & published.keys()):
            self.last_published |= {partition: published[partition] for partition in forgotten}
            log.warning(
                "the group has no offsets where it has published events: they have expired, or the "
                "topic was made anew",
                partitions=[f"{topic}/{number}" for topic, number in forgotten[:NAMED_MAX]],
                count=len(forgotten),
                effect=EFFECTS[settings.auto_offset_reset],
                remedy=REMEDY,
            )


async def last_origins(
    options: Mapping[str, Any], topic: str, group_id: str
) -> dict[Partition, int]:
    """Of each input partition, the latest offset that the last events of a topic are of.

    Raises:
        KafkaError: the brokers cannot be reached or refuse.
    """
    consumer = AIOKafkaConsumer(
        topic,
        **options,
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        fetch_max_bytes=BYTES_MAX,
    )
    try:
        await consumer.start()
        partitions = consumer.assignment()
        ends = await consumer.end_offsets(partitions)
        beginnings = await consumer.beginning_offsets(partitions)
        unread: set[TopicPartition] = set()
        for partition, end in ends.items():
            start = max(beginnings[partition], end - OFFSETS_MAX)
            consumer.seek(partition, start)
            if start < end:
                unread.add(partition)
        origins: dict[Partition, int] = {}
        while unread:
            for records in (await consumer.getmany(*unread, timeout_ms=200)).values():
                for found in filter(None, (origin(record, group_id) for record in records)):
                    partition, offset = found
                    origins[partition] = max(offset, origins.get(partition, offset))
            # Positions, not records: the last offsets may be markers.
            unread = {p for p in unread if await consumer.position(p) < ends[p]}
        return origins
    finally:
        await background.stop(consumer)


def origin(record: Any, group_id: str) -> tuple[Partition, int] | None:
    """The partition and offset that an event is of; None if it may be an event of another group.

    An event without CloudEvents attributes does not say of which group it is, and is taken for one
    of this group's.
    """
    headers = dict(record.headers)
    source = headers.get("ce_source")
    try:
        if source is not None:
            if source.decode() != f"urn:sentiment-stream:{group_id}":
                return None
            subject = (headers.get("ce_subject") or b"").decode()
            topic, number, offset = subject.rsplit("/", 2)
        else:
            found = json.loads(record.value or b"")["origin"]
            topic, number, offset = found["topic"], found["partition"], found["offset"]
        return Partition(topic, int(number)), int(offset)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
