"""FastStream: a batch subscriber and a batch publisher, on its Confluent broker.

A batch is committed after its events are published, and read again where that failed: at least
once. May not import the service.
"""

import asyncio
from typing import Any

from faststream import AckPolicy, FastStream
from faststream.confluent import KafkaBroker, KafkaMessage, KafkaPublishMessage

from bench.peers.scoring import BATCH, BOOTSTRAP, GROUP, INPUT, OUTPUT, WITHIN_S, load_scorer

score = load_scorer()
# Without a logger: two lines for each batch are not what is compared.
broker = KafkaBroker(BOOTSTRAP, logger=None, acks="all")


@broker.subscriber(
    INPUT,
    group_id=GROUP,
    auto_offset_reset="earliest",
    batch=True,
    max_records=BATCH,
    polling_interval=WITHIN_S,
    ack_policy=AckPolicy.NACK_ON_ERROR,
)
@broker.publisher(OUTPUT, batch=True)
async def score_posts(
    posts: list[dict[str, Any]], message: KafkaMessage
) -> tuple[KafkaPublishMessage, ...]:
    """Score a batch; its events get the keys of their posts."""
    # In a thread, so that the event loop goes on meanwhile.
    events = await asyncio.to_thread(score, posts)
    return tuple(
        KafkaPublishMessage(event, key=record.key())
        for record, event in zip(message.raw_message, events, strict=True)
    )


if __name__ == "__main__":
    asyncio.run(FastStream(broker, logger=None).run())
