"""The loop that one writes oneself: aiokafka, a batch per poll, at least once.

May not import the service.
"""

from __future__ import annotations

import asyncio
import json

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.peers.scoring import BATCH, BOOTSTRAP, GROUP, INPUT, OUTPUT, WITHIN_S, load_scorer


async def main() -> None:
    """Poll, score, publish, commit."""
    score = load_scorer()
    consumer = AIOKafkaConsumer(
        INPUT,
        bootstrap_servers=BOOTSTRAP,
        group_id=GROUP,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer = AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, acks="all")
    async with consumer, producer:
        while True:
            polled = await consumer.getmany(timeout_ms=int(1000 * WITHIN_S), max_records=BATCH)
            records = [record for partition in polled.values() for record in partition]
            if not records:
                continue
            posts = [json.loads(record.value) for record in records]
            # In a thread, so that heartbeats and fetches go on meanwhile.
            events = await asyncio.to_thread(score, posts)
            deliveries = [
                await producer.send(OUTPUT, key=record.key, value=json.dumps(event).encode())
                for record, event in zip(records, events, strict=True)
            ]
            await asyncio.gather(*deliveries)
            await consumer.commit()


if __name__ == "__main__":
    asyncio.run(main())
