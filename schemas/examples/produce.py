"""Sends texts to the service, each as a CloudEvent with a trace of its own.

    pip install confluent-kafka
    python schemas/examples/produce.py "It works, and I love it!" "Never again."

A message needs no more than `{"text": …}`; id, attributes and trace are what makes it found again.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import sys
import time
import uuid
from datetime import UTC, datetime

from confluent_kafka import KafkaError, KafkaException, Message, Producer

BROKERS = "SENTIMENT_KAFKA__BOOTSTRAP_SERVERS"
ADDRESS = re.compile(r"[^\s,]+:[0-9]{1,5}")
TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
# A broker takes a moment to make a topic that is asked for, if it makes any.
TOPIC_WAIT_S = 5


def main() -> None:
    """Send all, and say what became of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", nargs="+")
    parser.add_argument("--brokers", default=os.environ.get(BROKERS, "localhost:9092"))
    parser.add_argument("--topic", default="sentiment.messages")
    parser.add_argument("--as-is", action="store_true", help="each text is the whole message")
    arguments = parser.parse_args()
    if not all(map(ADDRESS.fullmatch, arguments.brokers.split(","))):
        sys.exit(
            f"{arguments.brokers!r} is no address of brokers; give --brokers or {BROKERS} like "
            "localhost:9092"
        )
    if not TOPIC.fullmatch(arguments.topic):
        sys.exit(f"--topic {arguments.topic!r} is no name of a topic; give letters, digits, . _ -")

    # Idempotent: what is sent again after a fault is stored once, and in order.
    # What goes wrong is said below, so the client logs nothing.
    producer = Producer(
        {"bootstrap.servers": arguments.brokers, "enable.idempotence": True, "log_level": 0}
    )
    _check(producer, arguments.brokers, arguments.topic)
    failed: list[str] = []

    def delivered(error: KafkaError | None, _: Message) -> None:
        # Nothing may be raised here: a client in C has called it.
        if error is not None:
            failed.append(error.str())

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
            on_delivery=delivered,
        )
        print(f"sent {number} in trace {trace.split('-')[1]}")
    if producer.flush(30) > 0:
        sys.exit(
            f"{arguments.brokers} did not take all within 30 s; see whether the brokers are well"
        )
    if failed:
        sys.exit(
            f"{len(failed)} not taken by {arguments.topic}: {failed[0]}; mend that, and send again"
        )


def _check(producer: Producer, brokers: str, topic: str) -> None:
    """End with what to do where nothing could be sent."""
    until = time.monotonic() + TOPIC_WAIT_S
    while True:
        try:
            error = producer.list_topics(topic, timeout=TOPIC_WAIT_S).topics[topic].error
        except KafkaException:
            sys.exit(f"no broker answers at {brokers}; start one, or give --brokers or {BROKERS}")
        if error is None:
            return
        if time.monotonic() > until:
            sys.exit(f"{topic}: {error.str()}; create the topic, or give --topic")
        time.sleep(0.2)


if __name__ == "__main__":
    main()
