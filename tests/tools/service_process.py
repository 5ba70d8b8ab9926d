"""The service as operators run it: a process of its own, set by its environment, ended by signals.

May not import the service: what it says is read from its endpoints, exit code and logs.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

# More than a start needs on a busy machine, less than the limit of a test.
READY_SECONDS = 60
STOP_SECONDS = 60


@dataclass
class ServiceProcess:
    """A running `sentiment-stream run`."""

    process: subprocess.Popen[bytes]
    port: int
    log_file: Path
    started: float = field(default_factory=time.monotonic)

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a request to the service; status 0 where it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def wait_ready(self) -> float:
        """Wait until /readyz says yes; gives the seconds it took."""
        deadline = time.monotonic() + READY_SECONDS
        while self.get("/readyz")[0] != 200:
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)
        return time.monotonic() - self.started

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples with these labels."""
        total = 0.0
        for line in self.get("/metrics")[1].splitlines():
            sample, _, value = line.rpartition(" ")
            base, _, given = sample.partition("{")
            if base == name and all(f'{k}="{v}"' in given for k, v in labels.items()):
                total += float(value)
        return total

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; gives the exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)

    def peak_memory_bytes(self) -> int:
        """The most memory that the process has held."""
        with open(f"/proc/{self.process.pid}/status") as status:  # noqa: PTH123 - no real file
            line = next(line for line in status if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    def log(self) -> str:
        """All that the service has logged."""
        return self.log_file.read_text()

    def log_lines(self) -> list[dict[str, Any]]:
        """The log, parsed."""
        return [json.loads(line) for line in self.log().splitlines()]


@contextlib.contextmanager
def running_service(
    folder: Path, settings: Mapping[str, str], program: Sequence[str] = ("-m", "service", "run")
) -> Iterator[ServiceProcess]:
    """Start the service with settings given as {"KAFKA__GROUP_ID": …}, and kill it at last.

    `program` is what Python is given to run.
    """
    port = free_port()
    log_file = folder / f"service-{port}.log"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SENTIMENT_")}
    environment |= {"SENTIMENT_HTTP__PORT": str(port), "SENTIMENT_HTTP__HOST": "127.0.0.1"}
    environment |= {f"SENTIMENT_{name}": value for name, value in settings.items()}
    with log_file.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - the tests' own words
            [sys.executable, *program],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield ServiceProcess(process, port, log_file)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait(STOP_SECONDS)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
