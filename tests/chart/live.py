"""The alerts and the dashboard on a running service that Prometheus scrapes, with real faults.

Exists because a rule may be right about numbers that the service never gives. Time is pressed: a
minute of the rules is 4 seconds here, and Prometheus looks twice a second.
"""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped] # ships no types
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from chart.helm import CHART, RELEASE, Helm, one
from tools.kafka.jar_broker import HOST, JarBroker, free_ports, start_jar_broker
from tools.service_process import running_service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PARTITIONS = 4
TOPICS = {"INPUT_TOPIC": "in", "OUTPUT_TOPIC": "out", "DEAD_LETTER_TOPIC": "dead"}
# Longer than the service rests between two attempts, 15 s, in the five minutes of `Retrying`.
SECONDS_PER_MINUTE = 4
# For an alert to come, or to go: its own waiting, 100 s at most, and what the service needs.
ALERT_SECONDS = 180
# In which an alert without its fault would come: the longest but Drift's.
QUIET_SECONDS = 65
LAG_BUDGET_S = 20
GOOD = json.dumps({"text": "What a lovely day."}).encode()
# As much as the model reads at once: one thread has minutes of work with these, however quick.
LONG, LONG_RECORDS = json.dumps({"text": "What a lovely day. " * 100}).encode(), 20_000
BAD = b"no JSON"


class Prometheus:
    """A running Prometheus, asked over HTTP."""

    def __init__(self, port: int) -> None:
        """Connect to nothing yet."""
        self._port = port

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression has now; none while it does not answer."""
        query = urllib.parse.urlencode({"query": expression})
        address = f"http://{HOST}:{self._port}/api/v1/query?{query}"
        with contextlib.suppress(OSError), urllib.request.urlopen(address) as answer:
            return list(json.load(answer)["data"]["result"])
        return []

    def firing(self) -> set[str]:
        """The alerts that fire."""
        found = self.query('ALERTS{alertstate="firing"}')
        return {series["metric"]["alertname"].removeprefix("SentimentStream") for series in found}


class Load(threading.Thread):
    """Sends records at a rate, a share of them bad."""

    def __init__(self, servers: str) -> None:
        """Send nothing until started."""
        super().__init__(daemon=True)
        self.rate, self.bad_share = 40.0, 0.0
        self._producer = Producer({"bootstrap.servers": servers, "log_level": 0})
        self._ended = threading.Event()

    def run(self) -> None:
        """Send until the end."""
        number, due = 0, 0.0
        while not self._ended.wait(1 / self.rate):
            due += self.bad_share
            is_bad = due >= 1
            due -= is_bad
            self.send(BAD if is_bad else GOOD, number)
            number += 1

    def send(self, value: bytes, number: int) -> None:
        """Send one, or drop it where the brokers are away."""
        with contextlib.suppress(BufferError):
            self._producer.produce("in", value, partition=number % PARTITIONS)
        self._producer.poll(0)

    def end(self) -> None:
        """Stop sending."""
        self._ended.set()
        self.join()


def alerts_and_dashboard(helm: Helm, prometheus: Path, folder: Path) -> str:
    """On a running service each alert fires on its fault and not before; queries return series."""
    rules, queries = _rendered(helm)
    (folder / "pressed.yaml").write_text(yaml.safe_dump(rules))
    [service_port, prometheus_port] = free_ports(2)
    with start_jar_broker() as broker, _scraping(prometheus, folder, service_port, prometheus_port):
        admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers, "log_level": 0})
        made = admin.create_topics([NewTopic(t, PARTITIONS, 1) for t in TOPICS.values()])
        for future in made.values():
            future.result()
        load = Load(broker.bootstrap_servers)
        load.start()
        try:
            return _story(broker, Prometheus(prometheus_port), load, folder, service_port, queries)
        finally:
            load.end()


def _story(
    broker: JarBroker, watching: Prometheus, load: Load, folder: Path, port: int, queries: list[str]
) -> str:
    settings = {f"KAFKA__{name}": topic for name, topic in TOPICS.items()}
    settings |= {"KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers, "HTTP__PORT": str(port)}
    settings |= {"MODEL__THREADS": "1", "MODEL__REPEATS_MAX": "0"}
    seen: set[str] = set()
    starts = 0
    with running_service(folder, settings) as service:
        service.port = port
        service.wait_ready()
        _wait(lambda: not watching.firing(), "quiet")
        _nothing_fires(watching)
        # One text over and over is unlike all that the model was made for.
        seen |= _fires(watching, "Drift")
        load.bad_share = 0.05
        seen |= _fires(watching, "DeadLetters")
        assert "Breaker" not in watching.firing()
        load.bad_share = 0.45
        seen |= _fires(watching, "Breaker")
        load.bad_share = 0.0
        _wait(lambda: watching.firing() == {"Drift"}, "no more dead letters")
        empty = [q for q in queries if not watching.query(q)]
        assert not empty, f"no series: {empty}"
        for number in range(LONG_RECORDS):
            load.send(LONG, number)
        seen |= _fires(watching, "LagBeyondBudget")
        broker.pause()
        seen |= _fires(watching, "Down")
        seen |= _fires(watching, "Stuck")
        # One that is paused is asked every 40 s, which pressed time would take for peace.
        broker.kill()
        seen |= _fires(watching, "Retrying")
        broker.restart()
        _wait(lambda: "Down" not in watching.firing(), "up again")
        assert service.stop(signal.SIGTERM) == 0
    while "Restarting" not in seen:
        with running_service(folder, settings) as service:
            service.port = port
            service.wait_ready()
            _wait(lambda: bool(watching.query("sentiment_ready == 1")), "scraped")
            assert service.stop(signal.SIGTERM) == 0
        starts += 1
        assert starts < 8, "Restarting does not fire"
        seen |= watching.firing() & {"Restarting"}
    assert starts > 2, "Restarting fires before its fault"
    return f"{len(queries)} queries; {', '.join(sorted(seen))}"


def _nothing_fires(watching: Prometheus) -> None:
    deadline = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < deadline:
        assert not watching.firing(), watching.firing()
        time.sleep(0.5)


def _fires(watching: Prometheus, name: str) -> set[str]:
    assert name not in watching.firing(), f"{name} fires before its fault"
    _wait(lambda: name in watching.firing(), f"{name} fires")
    return {name}


def _wait(holds: Any, what: str) -> None:
    deadline = time.monotonic() + ALERT_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not in {ALERT_SECONDS} s: {what}"
        time.sleep(0.2)


def _rendered(helm: Helm) -> tuple[dict[str, Any], list[str]]:
    values = {"monitoring": {"rules": {"lagBudgetSeconds": LAG_BUDGET_S}}}
    file = CHART / "ci" / "monitoring-values.yaml"
    objects = helm.objects(file, helm.values("live", values))
    text = yaml.safe_dump(one(objects, "PrometheusRule")["spec"], width=10**6)
    pressed = re.sub(
        r"(for: |\[)(\d+)m\b", lambda m: f"{m[1]}{int(m[2]) * SECONDS_PER_MINUTE}s", text
    )
    [board] = one(objects, "ConfigMap", "scores-sentiment-stream-dashboard")["data"].values()
    queries = [t["expr"] for panel in json.loads(board)["panels"] for t in panel["targets"]]
    for old, new in (("$__rate_interval", "5m"), ("$namespace", RELEASE), ("$job", RELEASE)):
        queries = [query.replace(old, new) for query in queries]
    return yaml.safe_load(pressed), queries


@contextmanager
def _scraping(program: Path, folder: Path, service_port: int, port: int) -> Iterator[None]:
    target: dict[str, Any] = {"targets": [f"{HOST}:{service_port}"]}
    target["labels"] = {"namespace": RELEASE, "pod": "scores-sentiment-stream-0"}
    config = {
        "global": {"scrape_interval": "500ms", "scrape_timeout": "400ms",
                   "evaluation_interval": "500ms"},
        "rule_files": [str(folder / "pressed.yaml")],
        "scrape_configs": [{"job_name": RELEASE, "static_configs": [target]}],
    }  # fmt: skip
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    command = [str(program), f"--config.file={folder / 'prometheus.yaml'}"]
    command += [f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address={HOST}:{port}"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - a fixed command, no shell
            command, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait()
