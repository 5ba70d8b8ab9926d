"""The whole service as a process on a real broker: throughput, latency, processor time, memory.

Exists so that the figures are of the deployed program, measured from outside. Its process shares
the machine with the broker, the producer and the reader.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from service.bench.stream import Reader, make_topics, play
from service.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from http.client import HTTPResponse

    from service.bench.stream import Topics

# Settings that differ from the defaults, by group and name.
More = Mapping[str, Mapping[str, Any]]

READY_SECONDS = 120
# A reader that has waited this long gives up.
STILL_SECONDS = 300
WARM_UP = 64
# Left out of a rate: the first events wait for the group, the last ones compete with no load.
FROM_SHARE, TO_SHARE = 0.1, 0.95
STAGES = re.compile(r'^sentiment_stage_seconds_sum\{stage="(\w+)"\} (\S+)$', re.MULTILINE)
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Child:
    """A process under measurement."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def cpu_s(self) -> float:
        """Processor time used so far, in seconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak_mb(self) -> float:
        """The maximum of memory so far, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+)", status)
        return int(found[1]) / 1000 if found else 0.0

    def stages_s(self) -> dict[str, float]:
        """Seconds spent in each stage so far; empty if the process has no metrics."""
        with contextlib.suppress(OSError), self._get("/metrics") as answer:
            return {stage: float(s) for stage, s in STAGES.findall(answer.read().decode())}
        return {}

    def wait_ready(self) -> None:
        """Wait until the process is ready.

        Raises:
            ModelError: the process has ended, or is not ready within READY_SECONDS.
        """
        deadline = time.monotonic() + READY_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), self._get("/readyz") as answer:
                if answer.status == 200:
                    return
            time.sleep(0.1)
        raise ModelError(f"the service is not ready: {self.log.read_text()[-500:].strip()}")

    def _get(self, path: str) -> HTTPResponse:
        answer: HTTPResponse = urllib.request.urlopen(
            f"http://127.0.0.1:{self.port}{path}", timeout=5
        )
        return answer


@contextlib.contextmanager
def running(arguments: Sequence[str], port: int = 0, tree: Path | None = None) -> Iterator[Child]:
    """Run a Python module as a process, and kill it at the end of the block.

    It is the module of `tree`, another checkout, where that is given.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - this interpreter and modules of this package
                [sys.executable, "-m", *arguments],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=tree,
            )
        try:
            yield Child(process, port, log)
        finally:
            process.kill()
            process.wait()


def service_arguments(
    brokers: str, topics: Topics, port: int, more: More, *, null: bool = False
) -> list[str]:
    """The command of a service on these topics, with the cache of repeated texts off."""
    settings: dict[str, Mapping[str, Any]] = {
        "kafka": {
            "bootstrap_servers": brokers,
            "input_topic": topics.source,
            "output_topic": topics.target,
            "dead_letter_topic": topics.letters,
            "group_id": topics.group,
        },
        "model": {"repeats_max": 0, **more.get("model", {})},
        "delivery": more.get("delivery", {}),
        "http": {"host": "127.0.0.1", "port": port},
    }
    if null:
        return ["service.bench.null", json.dumps(settings)]
    flags = [
        (f"--{group}-{name}".replace("_", "-"), str(value))
        for group, values in settings.items()
        for name, value in values.items()
    ]
    return ["service", "run", *(part for flag in flags for part in flag)]


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def throughput(
    brokers: str, texts: Sequence[str], kind: Literal["service", "null", "bare"], more: More
) -> dict[str, float]:
    """Figures of a service, of one with the null engine, or of the bare loop, under full load."""
    topics, port = make_topics(brokers), free_port()
    bare = kind == "bare"
    arguments = (
        ["service.bench.bare", brokers, topics.source, topics.target, topics.group]
        if bare
        else service_arguments(brokers, topics, port, more, null=kind == "null")
    )
    with (
        running(arguments, port) as child,
        contextlib.closing(Reader(brokers, topics.target)) as reader,
    ):
        if not bare:
            child.wait_ready()
        play(brokers, topics.source, texts[:WARM_UP])
        _wait(reader, WARM_UP, child)
        cpu_s, stages_s, began = child.cpu_s(), child.stages_s(), time.monotonic()
        play(brokers, topics.source, texts, first=WARM_UP)
        _wait(reader, WARM_UP + len(texts), child)
        elapsed = time.monotonic() - began
        figures = {
            "messages_per_s": steady_rate(reader.times[WARM_UP:]),
            "cpu_cores": (child.cpu_s() - cpu_s) / elapsed,
            "peak_mb": child.peak_mb(),
        }
        ended_s = child.stages_s()
        return figures | {
            f"share_{stage}": (seconds - stages_s.get(stage, 0)) / elapsed
            for stage, seconds in ended_s.items()
        }


def steady_rate(times: Sequence[float]) -> float:
    """Events per second, without the first tenth and the last twentieth of the events.

    Events arrive in batches. The batch in which the first tenth ends is not counted, because it was
    finished before the clock started; the batch in which the last twentieth starts is counted
    whole.
    """
    ordered = sorted(times)
    first, last = (ordered[int(share * len(ordered))] for share in (FROM_SHARE, TO_SHARE))
    return (bisect_right(ordered, last) - bisect_right(ordered, first)) / max(last - first, 1e-3)


def latency(
    brokers: str, texts: Sequence[str], rates: Sequence[float], seconds: float, more: More
) -> list[dict[str, float]]:
    """Milliseconds from a record's timestamp until a reader has its event, for each rate."""
    topics, port = make_topics(brokers), free_port()
    found = []
    with (
        running(service_arguments(brokers, topics, port, more), port) as child,
        contextlib.closing(Reader(brokers, topics.target)) as reader,
    ):
        child.wait_ready()
        play(brokers, topics.source, texts[:WARM_UP])
        _wait(reader, WARM_UP, child)
        sent = WARM_UP
        for rate in rates:
            count = max(20, int(rate * seconds))
            chosen = [texts[number % len(texts)] for number in range(count)]
            produced = play(brokers, topics.source, chosen, rate, first=sent)
            sent += count
            _wait(reader, sent, child)
            waits = np.array([reader.seen[i] - at for i, at in produced.items()]) * 1000
            p50, p95, p99 = (float(np.percentile(waits, q)) for q in (50, 95, 99))
            found.append({"rate": rate, "p50_ms": p50, "p95_ms": p95, "p99_ms": p99,
                          "max_ms": float(waits.max()), "records": count})  # fmt: skip
    return found


def _wait(reader: Reader, count: int, child: Child) -> None:
    if not reader.wait(count, STILL_SECONDS):
        raise ModelError(
            f"{len(reader.times)} of {count} events came: {child.log.read_text()[-500:].strip()}"
        )


def median_of(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The median of each figure over repeated runs, and the range of the throughput."""
    figures = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    rates = [run["messages_per_s"] for run in runs]
    return figures | {"least_per_s": min(rates), "most_per_s": max(rates)}
