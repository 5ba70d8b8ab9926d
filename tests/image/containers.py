"""Kafka and the service in containers of a network of their own, by testcontainers.

Exists so that the tests state what a container is allowed and what becomes of the records. The
image under test and the base of Kafka's are named by the environment (see Makefile).
"""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docker.errors import APIError  # type: ignore[import-untyped] # ships no types
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from tools.kafka.jar_broker import PROPERTIES, free_ports, new_cluster_id, wait_until_ready
from tools.kafka.jars import fetch_jars

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from testcontainers.core.network import Network

# Its cleaner is an image of a registry; what is started here is removed here.
testcontainers_config.ryuk_disabled = True

IMAGE = os.environ["IMAGE"]
KAFKA_IMAGE = "sentiment-stream-kafka:test"
KAFKA_DOCKERFILE = Path(__file__).with_name("kafka.Dockerfile")
MEMORY = "1g"
WAIT_SECONDS = 240
# What a locked-down cluster allows, and no more.
LOCKED = {
    "read_only": True,
    "user": "65532:65532",
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "mem_limit": MEMORY,
}


def build_kafka() -> None:
    """Make Kafka's image; quick where it is there already."""
    base = os.environ["IMAGE_BASE"]
    command = ["docker", "build", "--quiet", "--build-arg", f"BASE={base}", "--tag", KAFKA_IMAGE]
    command += ["--file", str(KAFKA_DOCKERFILE), str(fetch_jars())]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - a fixed command


@contextlib.contextmanager
def kafka_on(network: Network) -> Iterator[str]:
    """Run a broker that containers know as kafka:9092; gives its address for this machine."""
    (port,) = free_ports(1)
    properties = {
        **PROPERTIES,
        "listeners": f"INSIDE://:9092,PLAINTEXT://:{port},CONTROLLER://:9093",
        "advertised.listeners": f"INSIDE://kafka:9092,PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": ",".join(
            f"{name}:PLAINTEXT" for name in ("INSIDE", "PLAINTEXT", "CONTROLLER")
        ),
        "inter.broker.listener.name": "INSIDE",
        "controller.quorum.voters": "1@localhost:9093",
        "log.dirs": "/tmp/data",  # noqa: S108 - of the container
    }
    lines = "".join(f"{name}={value}\n" for name, value in properties.items())
    java = "java -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp '/jars/*'"
    script = (
        f"printf %s {shlex.quote(lines)} > /tmp/kafka.properties && "
        f"{java} kafka.tools.StorageTool format -t {new_cluster_id()} -c /tmp/kafka.properties && "
        f"exec {java} kafka.Kafka /tmp/kafka.properties"
    )
    container = (
        DockerContainer(KAFKA_IMAGE)
        .with_network(network)
        .with_network_aliases("kafka")
        .with_bind_ports(port, port)
        .with_kwargs(entrypoint=["sh", "-c", script])
    )
    with container:
        alive = container.get_wrapped_container()

        def runs() -> bool:
            alive.reload()
            return bool(alive.status == "running")

        wait_until_ready(f"127.0.0.1:{port}", runs)
        yield f"127.0.0.1:{port}"


class Service:
    """The service's container; locked down as `LOCKED` says unless told otherwise."""

    def __init__(self, network: Network, settings: Mapping[str, str], **allowed: Any) -> None:
        """Run it."""
        container = DockerContainer(IMAGE).with_network(network).with_kwargs(**LOCKED | allowed)
        for name, value in settings.items():
            container = container.with_env(f"SENTIMENT_{name}", value)
        self._container = container.start()
        self.docker: Any = self._container.get_wrapped_container()

    def wait_healthy(self) -> None:
        """Wait until its own check says that it is well and ready to score."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not self._ready():
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.5)

    def _ready(self) -> bool:
        try:
            asked = self.docker.exec_run(["sentiment-stream", "health", "--ready"])
            return bool(asked.exit_code == 0)
        except APIError as error:
            # It refuses to run anything in a container that has ended.
            raise AssertionError(self.log()) from error

    def log(self) -> str:
        """The end of what it wrote."""
        return bytes(self.docker.logs(tail=40)).decode(errors="replace")

    def remove(self) -> None:
        """Kill it where it runs, and leave nothing."""
        self._container.stop()
