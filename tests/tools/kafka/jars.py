"""Apache Kafka's jars, fetched by Maven the first time, and the running of what comes with them.

Exists apart from `jar_broker`, which runs a broker of them. May not import the service.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

KAFKA_VERSION = "4.1.0"
POM = Path(__file__).with_name("pom.xml")
# 46 jars, 43 MB: seconds on a good line, minutes on a bad one.
FETCH_SECONDS = 300
# Java says its version in a second; a machine busy with other work needs some times that.
JAVA_SECONDS = 60
# The end of a log says why a broker stopped; the beginning is its settings.
LOG_TAIL_BYTES = 4000


class BrokerUnavailableError(Exception):
    """This kind of broker cannot be had here; the message is one line and says why."""


def fetch_jars() -> Path:
    """Give the folder of Kafka's jars, fetched by Maven the first time.

    Raises:
        BrokerUnavailableError: Maven or Java is missing, or the fetch fails.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sentiment-stream"
    folder = cache / f"kafka-{KAFKA_VERSION}"
    version = re.search(r'version "(\d+)', run(["java", "-version"], JAVA_SECONDS).stdout)
    if version is None or int(version[1]) < 17:
        raise BrokerUnavailableError("Kafka needs Java 17 or newer")
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    # Renamed when whole: a fetch that was cut short is never taken for the jars.
    partial = Path(tempfile.mkdtemp(prefix="fetch-", dir=cache))
    try:
        command = ["mvn", "-q", "-B", "--strict-checksums", "-f", str(POM)]
        command += ["dependency:copy-dependencies", f"-DoutputDirectory={partial}"]
        result = run(command, FETCH_SECONDS)
        if result.returncode:
            raise BrokerUnavailableError(f"Maven failed: {one_line(result.stdout)}")
        # Refused where another run was quicker: its jars are the same.
        with contextlib.suppress(OSError):
            partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def run(command: list[str], timeout_seconds: float) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; gives its output, errors among it.

    Raises:
        BrokerUnavailableError: it is not installed, or takes longer.
    """
    try:
        return subprocess.run(  # noqa: S603 - fixed commands, no shell
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout_seconds,
        )
    except FileNotFoundError:
        raise BrokerUnavailableError(f"{command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise BrokerUnavailableError(f"{command[0]} took over {timeout_seconds} s") from None


def one_line(text: str) -> str:
    """Fold a program's output into one line, as much of its end as a message can hold."""
    return " ".join(text.split())[-LOG_TAIL_BYTES:]
