"""Brokers for tests: the best one that this machine can give.

Exists so that the same test runs on a laptop with Docker, on a machine with only Java, and, where
it does not ask for more, on librdkafka's mock cluster. May not import the service: what tests it
must not depend on it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from confluent_kafka import Producer
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient

from tools.kafka.jar_broker import (
    PROPERTIES,
    READY_SECONDS,
    JarBroker,
    free_ports,
    start_jar_broker,
    wait_until_ready,
)
from tools.kafka.jars import KAFKA_VERSION, BrokerUnavailableError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Broker", "BrokerUnavailableError", "JarBroker", "start_broker", "start_jar_broker"]

IMAGE = f"apache/kafka:{KAFKA_VERSION}"
# Docker either answers at once or does not run.
DOCKER_SECONDS = 5


@dataclass(frozen=True)
class Broker:
    """Where a broker listens, and what it is."""

    bootstrap_servers: str
    kind: Literal["given", "docker", "jars", "mock"]
    passed_over: str = ""
    """Why nothing better was taken: the reason of tests that skip."""

    @property
    def real(self) -> bool:
        """Whether this is Apache Kafka, not a mock of it."""
        return self.kind != "mock"


@contextmanager
def start_broker(allow_mock: bool = True) -> Iterator[Broker]:
    """Give the best broker there is: one given, Docker, Kafka's jars, and, if allowed, a mock.

    Raises:
        BrokerUnavailableError: there is none; says for each kind why.
    """
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if given:
        # No falling back: who names a broker means that one.
        wait_until_ready(given)
        yield Broker(given, "given")
        return
    kinds: list[tuple[Literal["docker", "jars"], contextlib.AbstractContextManager[str]]]
    kinds = [("docker", _docker()), ("jars", _jars())]
    reasons = []
    for kind, context in kinds:
        with contextlib.ExitStack() as stack:
            try:
                bootstrap_servers = stack.enter_context(context)
            except BrokerUnavailableError as error:
                reasons.append(f"{kind}: {error}")
                continue
            yield Broker(bootstrap_servers, kind, "; ".join(reasons))
            return
    passed_over = "; ".join(reasons)
    if not allow_mock:
        raise BrokerUnavailableError(passed_over)
    with _mock() as bootstrap_servers:
        yield Broker(bootstrap_servers, "mock", passed_over)


@contextmanager
def _docker() -> Iterator[str]:
    _ping_docker()
    with contextlib.ExitStack() as stack:
        try:
            [port] = free_ports(1)
            container = DockerContainer(IMAGE).with_bind_ports(9092, port)
            bootstrap_servers = f"{container.get_container_host_ip()}:{port}"
            properties = PROPERTIES | {
                "listeners": "PLAINTEXT://:9092,CONTROLLER://:9093",
                "advertised.listeners": f"PLAINTEXT://{bootstrap_servers}",
                "controller.quorum.voters": "1@localhost:9093",
                "log.dirs": "/tmp/kafka",  # noqa: S108 - the container's own, gone with it
            }
            for name, value in properties.items():
                container.with_env("KAFKA_" + name.upper().replace(".", "_"), value)
            stack.enter_context(container)
        except Exception as error:  # noqa: BLE001 - whatever Docker lacks, the next kind may do
            raise BrokerUnavailableError(one_line(str(error))) from None
        wait_until_ready(bootstrap_servers)
        yield bootstrap_servers


def _ping_docker() -> None:
    reason = ""
    # The client leaves the socket of a refused connection to the garbage collector, whose warning
    # would fail whatever test runs then: collected here, where it is known.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            client = DockerClient(timeout=DOCKER_SECONDS).client
            client.ping()
            client.close()
        except Exception as error:  # noqa: BLE001 - as above
            reason = one_line(str(error))
        gc.collect()
    if reason:
        raise BrokerUnavailableError(reason)


@contextmanager
def _jars() -> Iterator[str]:
    with start_jar_broker() as broker:
        yield broker.bootstrap_servers


@contextmanager
def _mock() -> Iterator[str]:
    # The cluster lives as long as this producer.
    producer = Producer({"test.mock.num.brokers": 1})
    [broker] = producer.list_topics(timeout=READY_SECONDS).brokers.values()
    yield f"{broker.host}:{broker.port}"
