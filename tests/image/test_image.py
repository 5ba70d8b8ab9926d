"""The image as an operator runs it: locked down, drained, killed, limited, several at once."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import time
import uuid
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Consumer
from testcontainers.core.network import Network

from chaos.messages import EVENT, POISONS, Author
from chaos.oracle import judge
from chaos.readers import to_input, to_outcome
from image.containers import IMAGE, WAIT_SECONDS, Service, build_kafka, kafka_on
from tools.kafka.broker import Broker
from tools.kafka.topics import create_topic, produce, read_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chaos.oracle import Input, Outcome

PARTITIONS = 6
# Beyond the base: no torch, no compiler, no caches.
SIZE_MB_MAX = 500
EXIT_KILLED = 137
# What the harness's engines of `chaos` fail on is an ordinary word here.
_HARMLESS = "engine_error"


class Kafka:
    """A broker in a container, and what is put in and comes out of one run's topics."""

    def __init__(self, network: Network, servers: str) -> None:
        """Create fresh topics."""
        self.network, self.servers = network, servers
        run = uuid.uuid4().hex[:8]
        self.topics = [f"{name}-{run}" for name in ("in", "out", "dead")]
        for topic in self.topics:
            create_topic(Broker(servers, "docker"), topic, PARTITIONS, {})
        self._author = Author(run, random.Random(run))
        self._put_in = 0
        self.settings = {
            "KAFKA__BOOTSTRAP_SERVERS": "kafka:9092",
            "KAFKA__INPUT_TOPIC": self.topics[0],
            "KAFKA__OUTPUT_TOPIC": self.topics[1],
            "KAFKA__DEAD_LETTER_TOPIC": self.topics[2],
            "KAFKA__GROUP_ID": f"group-{run}",
            "KAFKA__SESSION_TIMEOUT_MS": "6000",
            "MODEL__TEXT_BYTES_MAX": "2000",
        }

    async def put_in(self, count: int) -> None:
        """Produce records, a few of them bad."""
        chosen = [self._author.next(PARTITIONS).message for _ in range(count)]
        # What has no outcome cannot be waited for.
        values = [(m, m.value) for m in chosen if m.value not in (None, POISONS[_HARMLESS])]
        kept = [m for m, value in values if len(value or b"") < 30_000]
        await produce(self.servers, self.topics[0], kept, idempotent=True)
        self._put_in += len(kept)

    async def count_out(self) -> int:
        """How many events and dead letters a `read_committed` reader gets now."""
        return sum([len(await read_all(self.servers, topic)) for topic in self.topics[1:]])

    async def wait_out(self, count: int) -> None:
        """Wait until so many are out."""
        deadline = time.monotonic() + WAIT_SECONDS
        while await self.count_out() < count:
            assert time.monotonic() < deadline, f"{await self.count_out()} of {count}"

    async def wrong(self) -> list[str]:
        """What the oracle of the chaos suite finds, when all that was put in is out."""
        await self.wait_out(self._put_in)
        inputs: list[Input] = []
        outcomes: dict[tuple[str, int], list[Outcome]] = defaultdict(list)
        for message in self._committed():
            if message.topic() == self.topics[0]:
                inputs.append(to_input(message))
            else:
                outcomes[message.topic(), message.partition()].append(to_outcome(message))
        assert self._put_in == len(inputs)
        assert any(one.expected == EVENT for one in inputs)
        return judge(inputs, outcomes).wrong(exactly_once=True)

    def _committed(self) -> Iterator[Any]:
        options = {"bootstrap.servers": self.servers, "group.id": uuid.uuid4().hex}
        options |= {"auto.offset.reset": "earliest", "isolation.level": "read_committed"}
        consumer = Consumer(options)
        consumer.subscribe(self.topics)
        # In seconds, more than joining the group takes.
        quiet = 0
        while quiet < 10:
            messages = consumer.consume(1000, 1)
            quiet = 0 if messages else quiet + 1
            yield from messages
        consumer.close()


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    """Give a network of containers."""
    with Network() as made:
        yield made


@pytest.fixture(scope="module")
def servers(network: Network) -> Iterator[str]:
    """Give a real Kafka in a container."""
    build_kafka()
    with kafka_on(network) as address:
        yield address


@pytest.fixture
def kafka(network: Network, servers: str) -> Kafka:
    """Give fresh topics on it."""
    return Kafka(network, servers)


@contextlib.contextmanager
def running(kafka: Kafka, **allowed: Any) -> Iterator[Service]:
    """Run the service on the topics."""
    service = Service(kafka.network, kafka.settings, **allowed)
    try:
        yield service
    finally:
        service.remove()


async def test_locked_down(kafka: Kafka) -> None:
    """Read-only, without capabilities, as a number, in 1 GB: it scores a topic."""
    await kafka.put_in(500)
    with running(kafka) as service:
        service.wait_healthy()

        assert [] == await kafka.wrong()

        written = service.docker.exec_run(["sh", "-c", "echo > /opt/sentiment/x"])
        assert written.exit_code != 0
        assert b"Read-only" in written.output


async def test_sigterm_drains(kafka: Kafka) -> None:
    """What Kubernetes does first: the service ends by itself with 0, and the next goes on."""
    await kafka.put_in(3000)
    with running(kafka) as service:
        service.wait_healthy()
        await kafka.wait_out(200)
        service.docker.stop(timeout=60)
        assert 0 == service.docker.wait()["StatusCode"], service.log()

        service.docker.start()

        assert [] == await kafka.wrong()


async def test_killed_and_started_again(kafka: Kafka) -> None:
    """Without any warning."""
    await kafka.put_in(3000)
    with running(kafka) as service:
        service.wait_healthy()
        await kafka.wait_out(200)
        service.docker.kill()
        assert EXIT_KILLED == service.docker.wait()["StatusCode"]

        service.docker.start()

        assert [] == await kafka.wrong()


async def test_three_replicas_one_killed_one_drained(kafka: Kafka) -> None:
    """Under load: nothing lost, nothing doubled, nothing out of order."""
    await kafka.put_in(4000)
    with running(kafka) as first, running(kafka) as second, running(kafka) as third:
        for service in (first, second, third):
            service.wait_healthy()
        await kafka.wait_out(300)
        first.docker.kill()
        await kafka.put_in(2000)
        second.docker.stop(timeout=60)
        assert 0 == second.docker.wait()["StatusCode"], second.log()
        await kafka.put_in(500)

        assert [] == await kafka.wrong()


def test_threads_follow_the_limit_of_the_container(kafka: Kafka) -> None:
    """One core of many: one thread."""
    count = "from service.engines.cpu_limit import cpu_limit; print(cpu_limit())"
    with running(kafka, nano_cpus=10**9) as service:
        answer = service.docker.exec_run(["/opt/sentiment/bin/python", "-c", count])

    assert b"1" == answer.output.strip()


def test_its_own_check_tells_ill_from_well(kafka: Kafka) -> None:
    """Alive as soon as it serves; where nothing listens, the check fails with a line."""
    with running(kafka) as service:
        service.wait_healthy()
        assert 0 == service.docker.exec_run(["sentiment-stream", "health"]).exit_code
        ill = service.docker.exec_run(["sentiment-stream", "health", "--http-port", "1"])

    assert 1 == ill.exit_code
    assert b"no answer" in ill.output


def test_what_is_inside() -> None:
    """Small; no compiler, no installer, no torch; a bill of materials that names what there is."""
    base = os.environ["IMAGE_BASE"]
    size, base_size = (
        int(_docker("image", "inspect", name, "--format", "{{.Size}}")) for name in (IMAGE, base)
    )
    assert (size - base_size) / 1e6 <= SIZE_MB_MAX
    config = json.loads(_docker("image", "inspect", IMAGE, "--format", "{{json .Config}}"))
    assert "65532:65532" == config["User"]
    assert "Apache-2.0" == config["Labels"]["org.opencontainers.image.licenses"]

    look = (
        "for f in gcc cc pip pip3 uv; do command -v $f; done; "
        "find /var/lib/apt/lists /var/cache/apt -type f"
    )
    assert not _docker("run", "--rm", "--user", "0", "--entrypoint", "sh", IMAGE, "-c", look)
    bill = json.loads(
        _docker(
            "run", "--rm", "--entrypoint", "cat", IMAGE, "/usr/share/sbom/sentiment-stream.cdx.json"
        )
    )
    names = {component["name"] for component in bill["components"]}
    assert "CycloneDX" == bill["bomFormat"]
    assert {"aiokafka", "onnxruntime", "pydantic"} <= names
    assert "torch" not in names


def _docker(*arguments: str) -> str:
    result = subprocess.run(  # noqa: S603 - fixed commands
        ["docker", *arguments],  # noqa: S607 - whichever the machine has
        check=True,
        capture_output=True,
        text=True,
    )
    return result.stdout.strip()
