"""The world of one seed: a cluster, replicas, what is put in, and what went wrong."""

from __future__ import annotations

import asyncio
import contextvars
import random
import zlib
from collections import Counter
from typing import TYPE_CHECKING, Literal

from service.kafka import KafkaSession
from service.settings import KafkaSettings
from simulation.brokers import Brokers
from simulation.groups import Group
from simulation.model import KIND_HEADER, SKIPPED, TOMBSTONE, elements
from simulation.network import NETWORKS, Network
from simulation.oracle import judged, transaction_wrong
from simulation.replica import LIMITS, Replica
from tools.kafka.stored import Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from service.observe.metrics import Metrics
    from service.records import Partition
    from simulation.logs import Transaction
    from simulation.loop import Process
    from simulation.oracle import Place

BOOTSTRAP = "simulated:9092"
GROUP = "group"
SESSION_MS = 2000
# An event of a "big" text is above it, all else is far below.
OUT_BYTES_MAX = 20_000
VIOLATIONS_MAX = 5


class World:
    """Everything of one seed."""

    def __init__(
        self,
        seed: int,
        mode: Literal["exactly_once", "at_least_once"],
        metrics: Metrics,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        """Create the topics; starts no replica."""
        self.rng = random.Random(seed)
        self.mode = mode
        self.metrics = metrics
        self.context = contextvars.copy_context()
        self.over = False
        self.faults: Counter[str] = Counter()
        self.violations: list[str] = []
        self.replicas: list[Replica] = []
        self.trace = 0
        # A process is killed at the next such step: {(request or point, moment)}.
        self.armed: set[tuple[str, str]] = set()
        # And frozen at the next such step, for so long.
        self.freezing: dict[tuple[str, str], float] = {}
        self._tell = tell
        self.brokers = Brokers({"in": self.rng.randint(2, 4), "out": 3, "dead": 1}, self.rng)
        self.brokers.bytes_max["out"] = OUT_BYTES_MAX
        self.brokers.offsets.on_commit = self._on_commit
        self.brokers.on_misuse = self.violation
        self.brokers.version = self.rng.randint(1, 2)
        self.network = Network(self.brokers, lambda name: Group(self.brokers, name), self.rng)
        self.network.faults = self.faults
        self.network.on_request = self.point
        NETWORKS[BOOTSTRAP] = self.network
        self._inputs: dict[Partition, list[int]] = {}
        # The inputs without an output; their offsets are committed like those of the others.
        self._skipped: set[Place] = set()
        self._expired: set[Place] = set()
        # By input partition, how many offsets were committed without their outcomes.
        self._passed: Counter[Partition] = Counter()
        self._sessions: list[KafkaSession] = []
        self.reset: Literal["earliest", "latest"] = "earliest"
        self.put_in = 0

    @property
    def group(self) -> Group:
        """The service's group."""
        return self.network.group(GROUP)

    def new_session(self) -> KafkaSession:
        """A session of the service's own."""
        settings = KafkaSettings(
            bootstrap_servers=BOOTSTRAP,
            input_topic="in",
            output_topic="out",
            dead_letter_topic="dead",
            group_id=GROUP,
            session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=300,
            auto_offset_reset=self.reset,
        )
        session = KafkaSession(settings, LIMITS.records_max, self.mode)
        self._sessions.append(session)
        return session

    def add_replica(self) -> Replica:
        """Start one more."""
        replica = Replica(self, f"replica {len(self.replicas) + 1}")
        self.replicas.append(replica)
        return replica

    def wanted(self) -> list[Replica]:
        """The replicas that are to run."""
        return [replica for replica in self.replicas if replica.wanted]

    def put(
        self,
        kind: bytes,
        partition: Partition | None = None,
        transaction: Transaction | None = None,
    ) -> None:
        """Put a record in; now and then an offset stays without one."""
        partition = partition or self.rng.choice(self.brokers.partitions("in"))
        log = self.brokers.logs[partition]
        if self.rng.random() < 0.05:
            log.skip()
        key = b"%d" % self.rng.randrange(20) if self.rng.random() < 0.8 else None
        self._inputs.setdefault(partition, []).append(len(log.entries))
        value = None if kind in (TOMBSTONE, SKIPPED) else b"%s %d" % (kind, self.put_in)
        self.put_in += 1
        if kind == SKIPPED:
            self._skipped.add((partition.number, len(log.entries)))
        self.brokers.append(partition, Stored(key, value, ((KIND_HEADER, kind),)), transaction)

    def end_upstream(self, partition: Partition, transaction: Transaction, *, commit: bool) -> None:
        """End a transaction of the input; nobody reads what is aborted."""
        log = self.brokers.logs[partition]
        if not commit:
            self._skipped |= {
                (partition.number, offset)
                for offset, (_, owner) in enumerate(log.entries)
                if owner is transaction
            }
        transaction.outcome = commit
        log.mark(transaction)

    def committed(self, partition: Partition) -> int:
        """What the group has committed."""
        return self.brokers.offsets.committed[GROUP].get(partition, 0)

    def expire(self, partition: Partition, start: int) -> None:
        """Let a partition begin here; what is not committed before it need not come out."""
        self.brokers.logs[partition].start = start
        offsets = range(self.committed(partition), start)
        self._expired |= {(partition.number, offset) for offset in offsets}

    def point(self, process: Process, name: str, moment: str) -> None:
        """Note a step of a process, which may be its last."""
        now = asyncio.get_running_loop().time()
        self._note(f"{now:.6f} {process.name} {moment} {name}")
        if (name, moment) in self.armed:
            self.armed.discard((name, moment))
            self.faults[f"killed {moment} {name}"] += 1
            for replica in self.replicas:
                if replica.process is process:
                    replica.kill()

        if (seconds := self.freezing.pop((name, moment), None)) is not None:
            self.faults["frozen in a publish"] += 1
            process.freeze()
            context = contextvars.Context()
            loop = asyncio.get_running_loop()
            loop.call_later(seconds, self._thaw, process, context=context)

    def _thaw(self, process: Process) -> None:
        if not process.killed:
            process.thaw()

    def _note(self, what: str) -> None:
        self.trace = zlib.crc32(what.encode(), self.trace)
        if self._tell is not None:
            self._tell(what)

    def violation(self, what: str) -> None:
        """Note what must not happen."""
        what = f"{asyncio.get_running_loop().time():.3f} s: {what}"
        self._note(what)
        self.violations.append(what)

    def settled(self) -> bool:
        """Whether all that was put in is committed, to the ends of the logs."""
        logs = self.brokers.logs
        return all(self.committed(p) == len(logs[p].entries) for p in self._inputs)

    def judge(self) -> None:
        """Note what a reader of committed records would find wrong."""
        expected = {
            (partition.number, *place)
            for partition in self._inputs
            for place in self._due(partition)
        }
        outputs = {
            partition: [record for _, record in self.brokers.logs[partition].committed()]
            for topic in ("out", "dead")
            for partition in self.brokers.partitions(topic)
        }
        exactly_once = self.mode == "exactly_once"
        wrong = judged(expected, outputs, self._expired, exactly_once=exactly_once)
        lost: Counter[Partition] = Counter()
        for session in self._sessions:
            lost.update(session.lost)
        if exactly_once and lost - self._passed:
            wrong.append(f"{lost.total()} are told to have expired, of {self._passed.total()}")
        self.faults["records expired"] += lost.total()
        # The first ones tell what began it; what a reader gets is always told.
        del self.violations[VIOLATIONS_MAX:]
        for what in wrong:
            self.violation(what)

    def _due(self, partition: Partition) -> list[Place]:
        """Offset and index of each message that has an output."""
        entries = self.brokers.logs[partition].entries
        return [
            (offset, index)
            for offset in self._inputs.get(partition, [])
            if (partition.number, offset) not in self._skipped
            and (record := entries[offset][0]) is not None
            for index in elements(record.value or b"")
        ]

    def _on_commit(
        self, group: str, offsets: Mapping[Partition, int], transaction: Transaction | None
    ) -> None:
        if group != GROUP or self.mode != "exactly_once":
            return
        for partition, end in offsets.items():
            start = self.committed(partition)
            if transaction is None:
                self._passed[partition] += end - start
            records = transaction.records if transaction is not None else []
            number = partition.number
            due = self._due(partition)
            wrong = transaction_wrong(start, end, number, records, due, self._expired)
            if wrong is not None:
                self.violation(wrong)
