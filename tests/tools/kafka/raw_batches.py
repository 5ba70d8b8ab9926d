"""Record batches as bytes, and the way to a broker for those that no producer would send.

Exists for tests of what a client must withstand. May not import the service.
"""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING

from aiokafka import TopicPartition, codec
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.kafka.topics import Message

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
RECORDS_AT = 61
# In the batch's header.
LENGTH_END, CRC_AT, ATTRIBUTES_AT = 12, 17, 21
TIMEOUT_MS = 30_000
# A broker deletes what is older than its retention.
NOW_MS = int(time.time() * 1000)


def batch(messages: Sequence[Message], compression: str = "none", first: int = 0) -> bytes:
    """Build one of format 2; aiokafka leaves uncompressed what would not shrink."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=CODECS[compression],
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=2**31 - 1,
    )
    for offset, m in enumerate(messages):
        builder.append(
            offset,
            timestamp=m.timestamp or NOW_MS,
            key=m.key,
            value=m.value,
            headers=list(m.headers),
        )
    return struct.pack(">q", first) + bytes(builder.build())[8:]


def old_batch(messages: Sequence[Message], compression: str, magic: int, first: int = 0) -> bytes:
    """Build a set of format 0 or 1, as brokers before 0.11 stored it."""
    builder = LegacyRecordBatchBuilder(
        magic=magic, compression_type=CODECS[compression], batch_size=2**31 - 1
    )
    for offset, m in enumerate(messages):
        builder.append(offset, timestamp=m.timestamp or NOW_MS, key=m.key, value=m.value)
    data = bytes(builder.build())
    # The wrapper has the offset of its last record, or with format 0 none that counts.
    return (
        struct.pack(">q", first + len(messages) - 1) + data[8:] if compression != "none" else data
    )


def changed(data: bytes, before: bytes, after: bytes) -> bytes:
    """Replace bytes of an uncompressed batch by as many others, and make its CRC right."""
    assert len(before) == len(after)
    assert data.count(before) == 1
    return with_crc(data.replace(before, after))


def with_crc(data: bytes) -> bytes:
    """Make the CRC of a batch right, whatever is in it."""
    crc = calc_crc32c(data[ATTRIBUTES_AT:])
    return data[:CRC_AT] + struct.pack(">I", crc) + data[ATTRIBUTES_AT:]


def compressed(data: bytes, name: str) -> bytes:
    """Compress an uncompressed batch as it is."""
    packed = getattr(codec, f"{name}_encode")(data[RECORDS_AT:])
    length = struct.pack(">i", RECORDS_AT + len(packed) - LENGTH_END)
    attributes = struct.pack(">h", CODECS[name])
    head = data[:8] + length + data[LENGTH_END:ATTRIBUTES_AT] + attributes
    return with_crc(head + data[ATTRIBUTES_AT + 2 : RECORDS_AT] + packed)


async def send(bootstrap_servers: str, topic: str, partition: int, data: bytes) -> None:
    """Have a broker store a batch.

    Raises:
        aiokafka.errors.KafkaError: it refuses.
    """
    client = AIOKafkaClient(bootstrap_servers=bootstrap_servers)
    try:
        await client.bootstrap()
        await client._wait_on_metadata(topic)
        request = ProduceRequest(None, -1, TIMEOUT_MS, [(topic, [(partition, data)])])
        leader = client.cluster.leader_for_partition(TopicPartition(topic, partition))
        response = await client.send(leader, request)
        error = for_code(response.topics[0][1][0][1])
        if error.errno:
            raise error
    finally:
        await client.close()
