"""Apache Kafka from its jars, on the machine's Java: a broker without a container.

Exists for machines without Docker, and for tests that harm brokers: they can be paused, killed and
started again on the same ports and data. May not import the service.
"""

from __future__ import annotations

import contextlib
import random
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tools.kafka.jars import LOG_TAIL_BYTES, BrokerUnavailableError, fetch_jars, one_line, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

HOST = "127.0.0.1"
# A broker is up in about 3 s; a machine busy with other work needs some times that.
READY_SECONDS = 60

# Small and quick for one node; the rest is Kafka's own default, as in production.
PROPERTIES = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # Tests of dead replicas would wait for these, 6 s and 10 s as they come.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "500",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
    # A broker killed and started again is let in when its old session ends, after 9 s as it comes.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # As it comes, the cleaner takes 128 MB of the heap at start.
    "log.cleaner.dedupe.buffer.size": str(8 * 2**20),
}


# For tests, whose brokers live for seconds.
QUICK_TO_START = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
# As Kafka's own start script has it: slower at first, and takes less of the machine when warm.
AS_SHIPPED = (
    "-Xmx1G", "-Xms1G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent",
)  # fmt: skip


class JarBroker:
    """Apache Kafka on the machine's Java: one node, both roles, on ports and data it keeps.

    For tests that harm it: pause, resume, kill and restart are SIGSTOP, SIGCONT, SIGKILL, and a
    start on the same ports and data.
    """

    def __init__(
        self,
        libraries: Path,
        folder: Path,
        listeners: Mapping[str, str] = MappingProxyType({}),
        properties: Mapping[str, str] = MappingProxyType({}),
        ports: Sequence[int] = (),
        cluster: str | None = None,
        java: Sequence[str] = QUICK_TO_START,
    ) -> None:
        """Format new storage in an empty folder; starts nothing.

        `listeners` come beside the plain one, as {name: security protocol}; `properties` come
        above `PROPERTIES`. Of several in one cluster, each is told what the others must know of
        it: the `ports` of the plain, the controller's and its other listeners, and the cluster.

        Raises:
            BrokerUnavailableError: Java is missing, too old, or refuses the settings.
        """
        port, controller_port, *others = ports or free_ports(2 + len(listeners))
        self.bootstrap_servers = f"{HOST}:{port}"
        self.addresses = {
            name: f"{HOST}:{other}" for name, other in zip(listeners, others, strict=True)
        }
        advertised = [f"PLAINTEXT://{self.bootstrap_servers}"]
        advertised += [f"{name}://{address}" for name, address in self.addresses.items()]
        protocols = [PROPERTIES["listener.security.protocol.map"]]
        protocols += [f"{name}:{protocol}" for name, protocol in listeners.items()]
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder / "broker.log"
        self._properties = folder / "server.properties"
        self._java = ["java", *java, "-Dlog4j2.level=WARN", "-cp", f"{libraries}/*"]
        everything = {
            **PROPERTIES,
            "listeners": ",".join([*advertised, f"CONTROLLER://{HOST}:{controller_port}"]),
            "advertised.listeners": ",".join(advertised),
            "listener.security.protocol.map": ",".join(protocols),
            "controller.quorum.voters": f"1@{HOST}:{controller_port}",
            "log.dirs": str(folder / "data"),
            **properties,
        }
        self._properties.write_text("".join(f"{k}={v}\n" for k, v in everything.items()))
        self._cluster = cluster or new_cluster_id()
        arguments = ["format", "-t", self._cluster, "-c", str(self._properties)]
        command = [*self._java, "kafka.tools.StorageTool", *arguments]
        result = run(command, READY_SECONDS)
        if result.returncode:
            raise BrokerUnavailableError(f"format failed: {one_line(result.stdout)}")

    def start(self) -> None:
        """Start, and wait until it answers.

        Raises:
            BrokerUnavailableError: it ended or is not up in READY_SECONDS; holds its last lines.
        """
        command = [*self._java, "kafka.Kafka", str(self._properties)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - a fixed command, no shell
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        process = self.process
        try:
            wait_until_ready(
                self.bootstrap_servers, lambda: process.poll() is None, cluster=self._cluster
            )
        except BrokerUnavailableError as error:
            self.kill()
            tail = self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")
            raise BrokerUnavailableError(f"{error}; its last lines: {one_line(tail)}") from None

    def pause(self) -> None:
        """Stop it in its tracks: connections stay open, nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it without warning, paused or not; does nothing where none runs."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restart(self) -> None:
        """Kill it where it runs, and start it again on the same ports and data.

        Raises:
            BrokerUnavailableError: as for `start`.
        """
        self.kill()
        self.start()

    def _signal(self, number: int) -> None:
        assert self.process is not None, "the broker does not run"
        self.process.send_signal(number)


@contextmanager
def start_jar_broker(
    listeners: Mapping[str, str] = MappingProxyType({}),
    properties: Mapping[str, str] = MappingProxyType({}),
    java: Sequence[str] = QUICK_TO_START,
) -> Iterator[JarBroker]:
    """Give a running broker of its own, gone with its data at the end; see `JarBroker`.

    Raises:
        BrokerUnavailableError: the jars cannot be had, or Java cannot run them.
    """
    libraries = fetch_jars()
    # Kafka may still be deleting a segment when it is killed.
    with tempfile.TemporaryDirectory(
        prefix="sentiment-stream-kafka-", ignore_cleanup_errors=True
    ) as folder:
        broker = JarBroker(libraries, Path(folder), listeners, properties, java=java)
        try:
            broker.start()
            yield broker
        finally:
            broker.kill()


def wait_until_ready(
    bootstrap_servers: str, alive: Callable[[], bool] = lambda: True, cluster: str | None = None
) -> None:
    """Return as soon as a broker answers an admin request.

    Where the cluster's id is given no other counts: one may have taken the same port.

    Raises:
        BrokerUnavailableError: it is not alive any more, or does not answer in READY_SECONDS.
    """
    deadline = time.monotonic() + READY_SECONDS
    # Its log would fill a test's output with refused connections.
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})
    while time.monotonic() < deadline:
        if not alive():
            raise BrokerUnavailableError(f"the broker at {bootstrap_servers} ended")
        with contextlib.suppress(KafkaException):
            metadata = admin.list_topics(timeout=1)
            if metadata.brokers and cluster in (None, metadata.cluster_id):
                return
    raise BrokerUnavailableError(f"no answer from {bootstrap_servers} in {READY_SECONDS} s")


def free_ports(count: int) -> list[int]:
    """Find ports nobody listens on, in a range that no client's own end of a connection is from.

    The usual way, port 0, gives one of that range; a client could take it while a broker is down.
    """
    ports: list[int] = []
    with contextlib.ExitStack() as stack:
        # All candidates at once are far more than a machine has listeners.
        # Of the system: a seed that a test sets would give two runs beside each other the same.
        for port in random.SystemRandom().sample(range(20_000, 30_000), 1000):
            candidate = stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                candidate.bind((HOST, port))
                ports.append(port)
            if len(ports) == count:
                return ports
    raise BrokerUnavailableError(f"no {count} free ports between 20000 and 30000")


def new_cluster_id() -> str:
    """Kafka's own form of an id: 22 characters, not led by "-", which begins an option."""
    return "t" + uuid.uuid4().hex[:21]
