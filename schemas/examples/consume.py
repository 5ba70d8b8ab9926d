"""Reads events and dead letters: committed ones alone, each once.

    pip install aiokafka
    python schemas/examples/consume.py

Handles first and commits then, so after a crash some come again; in at_least_once mode the service
may repeat some too. Both are told by the id.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import re
import sys
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import KafkaConnectionError, UnknownTopicOrPartitionError

# Ids remembered: more than what comes between an event and its repeat. With a database you need
# none of this: write by the id as primary key.
IDS_MAX = 100_000
BROKERS = "SENTIMENT_KAFKA__BOOTSTRAP_SERVERS"
ADDRESS = re.compile(r"[^\s,]+:[0-9]{1,5}")
TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
# What is to be done with a text that the model is sure of. Another model may have other labels.
DUTIES = {"NEGATIVE": "answer it", "NEUTRAL": "file it", "POSITIVE": "thank for it"}
UNKNOWN_LABEL = "a person decides"
# What is used here of an event and of a dead letter: whatever lacks it is something else.
FIELDS = {"id", "source_id", "label", "score", "confident"}
PLACE = [f"__connect.errors.{name}" for name in ("topic", "partition", "offset")]
REASON, DETAIL = "sentiment.errors.reason", "__connect.errors.exception.message"
HEADERS = {*PLACE, REASON, DETAIL}


async def main() -> None:
    """Read until interrupted, or until so many were handled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--brokers", default=os.environ.get(BROKERS, "localhost:9092"))
    parser.add_argument("--events", default="sentiment.events")
    parser.add_argument("--dead-letters", default="sentiment.dead-letters")
    parser.add_argument("--group", default="example-consumer")
    parser.add_argument("--count", type=int, default=0, help="end after so many; 0 goes on")
    arguments = parser.parse_args()
    _check(arguments)

    seen: dict[tuple[str, str], None] = {}
    consumer = AIOKafkaConsumer(
        arguments.events,
        arguments.dead_letters,
        bootstrap_servers=arguments.brokers,
        group_id=arguments.group,
        # The default of this client shows what was aborted, too.
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    # What goes wrong at the start is said below, so the client logs nothing of it.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        await consumer.start()
    except (KafkaConnectionError, UnknownTopicOrPartitionError) as error:
        named = {"--events": arguments.events, "--dead-letters": arguments.dead_letters}
        missing = {flag: t for flag, t in named.items() if not consumer.partitions_for_topic(t)}
        await consumer.stop()
        if isinstance(error, KafkaConnectionError):
            sys.exit(f"no broker at {arguments.brokers}; start one, or give --brokers or {BROKERS}")
        sys.exit(
            f"{arguments.brokers} has no topic {' and no topic '.join(missing.values())}; "
            f"create what is missing, or give {' and '.join(missing)}"
        )
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
    try:
        while not 0 < arguments.count <= len(seen):
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                for record in records:
                    headers = {name: (value or b"").decode(errors="replace")
                               for name, value in record.headers}  # fmt: skip
                    is_letter = record.topic == arguments.dead_letters
                    event = None if is_letter else _event(record.value)
                    if event is None and not (is_letter and headers.keys() >= HEADERS):
                        _pass_over(record, is_letter)
                        continue
                    identity = str(event["id"]) if event else _place(headers)
                    if (record.topic, identity) in seen:
                        continue
                    if event:
                        handle_event(event, headers)
                    else:
                        handle_letter(headers)
                    seen[record.topic, identity] = None
                    if len(seen) > IDS_MAX:
                        del seen[next(iter(seen))]
            await consumer.commit()
    finally:
        await consumer.stop()


def _check(arguments: argparse.Namespace) -> None:
    """End with what to give in place of a wrong argument."""
    if not all(map(ADDRESS.fullmatch, arguments.brokers.split(","))):
        sys.exit(
            f"{arguments.brokers!r} is no address of brokers; give --brokers or {BROKERS} like "
            "localhost:9092"
        )
    for flag, topic in (
        ("--events", arguments.events), ("--dead-letters", arguments.dead_letters)
    ):  # fmt: skip
        if not TOPIC.fullmatch(topic):
            sys.exit(f"{flag} {topic!r} is no name of a topic; give letters, digits, . _ -")
    if not arguments.group:
        sys.exit("--group is empty; give the name of a group")


def handle_event(event: dict[str, Any], headers: dict[str, str]) -> None:
    """What is to be done with a scored message; `text` and `label` may be null."""
    label, score, confident = event["label"], event["score"], event["confident"]
    duty = f", {DUTIES.get(label, UNKNOWN_LABEL)}" if confident else " (not confident)"
    print(f"event {event['source_id']} {label} {score}{duty}{_trace(headers)}", flush=True)


def handle_letter(headers: dict[str, str]) -> None:
    """What is to be done with a message that could not be scored: here, say why."""
    told = f"{_place(headers)} {headers[REASON]}: {headers[DETAIL]}"
    print(f"dead letter {told}{_trace(headers)}", flush=True)


def _event(value: bytes | None) -> dict[str, Any] | None:
    """The event in JSON; None for what is something else."""
    try:
        event = json.loads(value or b"")
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and event.keys() >= FIELDS else None


def _pass_over(record: ConsumerRecord, is_letter: bool) -> None:
    """Say so: a topic of something else must not pass for one without events."""
    kind = "dead letter" if is_letter else "event in JSON"
    place = f"{record.topic}/{record.partition}/{record.offset}"
    print(f"{place} is passed over, since it holds no {kind} of the service", file=sys.stderr)


def _place(headers: dict[str, str]) -> str:
    """Where the message of a dead letter is; the letter's identity."""
    return "/".join(headers[name] for name in PLACE)


def _trace(headers: dict[str, str]) -> str:
    parts = headers.get("traceparent", "").split("-")
    return f" in trace {parts[1]}" if len(parts) > 3 else ""


if __name__ == "__main__":
    asyncio.run(main())
