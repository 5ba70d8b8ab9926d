"""A backfill of a million records by three replicas, of which one is killed: all come once.

    python tests/bench/archive/backfill.py
    python tests/bench/archive/backfill.py --records 100000 --model

Starts a broker of its own. Without `--model` an engine that computes nothing scores, so that what
is measured is everything else. Nothing is asserted about time; ends with 1 if a record is lost,
doubled or out of order, or a replica does not end by itself.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from service.terminal import Table, results
from tools.kafka.jar_broker import AS_SHIPPED, start_jar_broker
from tools.service_process import running_service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.service_process import ServiceProcess

PARTITIONS, REPLICAS, OUTPUTS = 12, 3, 12
END_SECONDS = 3600
TOPICS = {"archive": PARTITIONS, "events": OUTPUTS, "letters": 1}
MESSAGES = Path(__file__).resolve().parents[3] / "service" / "demo" / "messages.jsonl"
NOTHING = """
from service import assembly
from service.bench.null import NullEngine
from service.cli import main
vars(assembly)["load_engine"] = lambda _, checkpoint: NullEngine(checkpoint.labels)
main()
"""


def fill(servers: str, records: int) -> None:
    """Put in so many records, with keys, over all partitions in turn."""
    admin = AdminClient({"bootstrap.servers": servers})
    made = admin.create_topics([NewTopic(name, count, 1) for name, count in TOPICS.items()])
    for future in made.values():
        future.result()
    texts = [json.loads(line)["text"] for line in MESSAGES.read_text().splitlines()]
    producer = Producer({"bootstrap.servers": servers, "linger.ms": 50, "compression.type": "lz4"})
    for number, text in zip(range(records), itertools.cycle(texts), strict=False):
        value = json.dumps({"id": number, "text": f"{text} {number}"}).encode()
        while True:
            try:
                producer.produce("archive", value, b"%d" % (number % 9973), number % PARTITIONS)
            except BufferError:
                producer.poll(0.1)
            else:
                break
    producer.flush()


def origins(servers: str) -> Iterator[tuple[int, int, int]]:
    """Of each committed event, in order: its partition, and partition and offset of its record."""
    options = {"bootstrap.servers": servers, "group.id": "reader", "enable.auto.commit": False}
    consumer = Consumer(
        {**options, "isolation.level": "read_committed", "enable.partition.eof": True}
    )
    consumer.assign([TopicPartition("events", n, OFFSET_BEGINNING) for n in range(OUTPUTS)])
    unread = OUTPUTS
    while unread:
        for message in consumer.consume(10_000, 1.0):
            if message.error() is not None:
                unread -= 1
                continue
            headers: Any = message.headers()
            subject = dict(headers)["ce_subject"].decode()
            _, number, offset = subject.rsplit("/", 2)
            yield message.partition() or 0, int(number), int(offset)
    consumer.close()


def judged(servers: str, records: int) -> dict[str, int]:
    """How many records were lost, doubled, or came out of order."""
    lengths = [len(range(number, records, PARTITIONS)) for number in range(PARTITIONS)]
    seen = [bytearray(length) for length in lengths]
    last: dict[tuple[int, int], int] = {}
    late = 0
    for output, number, offset in origins(servers):
        seen[number][offset] = min(seen[number][offset] + 1, 255)
        late += offset < last.get((output, number), -1)
        last[output, number] = offset
    lost = sum(counts.count(0) for counts in seen)
    once = sum(counts.count(1) for counts in seen)
    return {"lost": lost, "doubled": records - lost - once, "out of order": late}


def wait_published(service: ServiceProcess, count: int) -> None:
    """Until it has published so many."""
    while service.metric("sentiment_published_total") < count:
        if service.process.poll() is not None:
            sys.exit(service.log()[-3000:])
        time.sleep(0.05)


def backfill(servers: str, records: int, program: tuple[str, ...]) -> dict[str, object]:
    """Run the replicas, kill one once it has done a tenth of all, and wait for the others."""
    settings = {
        "KAFKA__BOOTSTRAP_SERVERS": servers,
        "KAFKA__INPUT_TOPIC": "archive",
        "KAFKA__OUTPUT_TOPIC": "events",
        "KAFKA__DEAD_LETTER_TOPIC": "letters",
        "KAFKA__SESSION_TIMEOUT_MS": "6000",
    }
    began = time.monotonic()
    with contextlib.ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        killed, *others = (
            running.enter_context(running_service(folder, settings, program))
            for _ in range(REPLICAS)
        )
        wait_published(killed, records // 10)
        killed.process.kill()
        codes = [service.process.wait(END_SECONDS) for service in others]
        seconds = time.monotonic() - began
        if any(codes):
            sys.exit("\n".join(service.log()[-2000:] for service in others))
    return {"seconds": round(seconds, 1), "records/s": round(records / seconds)}


def main() -> None:
    """Fill, run, and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--model", action="store_true", help="the bundled model scores")
    chosen = parser.parse_args()
    start = ("-m", "service") if chosen.model else ("-c", NOTHING)
    with start_jar_broker(java=AS_SHIPPED) as broker:
        servers = broker.bootstrap_servers
        fill(servers, chosen.records)
        found = backfill(servers, chosen.records, (*start, "run", "--until-end"))
        wrong = judged(servers, chosen.records)
    figures = {"records": chosen.records, **found, **wrong}
    results().print(Table.of_figures("Backfill", figures))
    sys.exit(any(wrong.values()))


if __name__ == "__main__":
    main()
