"""The smallest loop that reads, publishes and commits exactly once with aiokafka.

    python -m service.bench.bare BROKERS INPUT OUTPUT GROUP

Exists for `bench`, which compares the service without a model with it. It survives no fault: it has
one transactional id, no epoch, no check and no scoring, and publishes each value unchanged.
"""

from __future__ import annotations

import asyncio
import sys

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

RECORDS_MAX = 256
POLL_MS = 200


async def loop(brokers: str, source: str, target: str, group: str) -> None:
    """Read, publish and commit until the process is killed."""
    consumer = AIOKafkaConsumer(
        source,
        bootstrap_servers=brokers,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    producer = AIOKafkaProducer(bootstrap_servers=brokers, transactional_id=group, acks="all")
    await consumer.start()
    await producer.start()
    while True:
        batches = await consumer.getmany(timeout_ms=POLL_MS, max_records=RECORDS_MAX)
        if not batches:
            continue
        async with producer.transaction():
            sends = [
                await producer.send(target, record.value, record.key)
                for records in batches.values()
                for record in records
            ]
            await asyncio.gather(*sends)
            offsets = {partition: records[-1].offset + 1 for partition, records in batches.items()}
            await producer.send_offsets_to_transaction(offsets, group)


if __name__ == "__main__":
    asyncio.run(loop(*sys.argv[1:5]))
