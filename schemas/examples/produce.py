"""Sends texts to the service, each as a CloudEvent with a trace of its own.

    pip install confluent-kafka
    python schemas/examples/produce.py "It works, and I love it!" "Never again."

A message needs no more than `{"text": …}`; id, attributes and trace are what makes it found again.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import uuid
from datetime import UTC, datetime

from confluent_kafka import KafkaError, Message, Producer

BROKERS = "SENTIMENT_KAFKA__BOOTSTRAP_SERVERS"


def main() -> None:
    """Send all, and say what became of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", nargs="+")
    parser.add_argument("--brokers", default=os.environ.get(BROKERS, "localhost:9092"))
    parser.add_argument("--topic", default="sentiment.messages")
    parser.add_argument("--as-is", action="store_true", help="each text is the whole message")
    arguments = parser.parse_args()

    # Idempotent: what is sent again after a fault is stored once, and in order.
    producer = Producer({"bootstrap.servers": arguments.brokers, "enable.idempotence": True})
    for text in arguments.texts:
        number = str(uuid.uuid4())
        trace = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
        producer.produce(
            arguments.topic,
            # What has one key stays in order.
            key="example-author",
            value=text if arguments.as_is else json.dumps({"text": text, "lang": "en"}),
            headers={
                # What the service is set to, where it is not said.
                **({} if arguments.as_is else {"content-type": "application/json"}),
                "ce_specversion": "1.0",
                "ce_id": number,
                "ce_source": "https://example.com/posts",
                "ce_type": "com.example.post.v1",
                "ce_time": datetime.now(UTC).isoformat(),
                "traceparent": trace,
            },
            on_delivery=_said,
        )
        print(f"sent {number} in trace {trace.split('-')[1]}")
    if producer.flush(30) > 0:
        sys.exit(f"{arguments.brokers} did not take all within 30 s")


def _said(error: KafkaError | None, message: Message) -> None:
    if error is not None:
        sys.exit(f"not sent to {message.topic()}: {error}")


if __name__ == "__main__":
    main()
