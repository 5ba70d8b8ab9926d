"""A real schema registry: Apicurio's, fetched by Maven the first time, and run on Java.

It has an API of its own and Confluent's. May not import the service.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from tools.kafka.jars import BrokerUnavailableError, one_line, run

if TYPE_CHECKING:
    from collections.abc import Iterator

# The last one that runs on Java 17.
VERSION = "3.0.9"
ARTIFACT = f"io.apicurio:apicurio-registry-app:{VERSION}:tar.gz:all"
# 130 MB: seconds on a good line, minutes on a bad one.
FETCH_SECONDS = 600
# Half a minute on two cores; a machine busy with other work needs some times that.
START_SECONDS = 270


def fetched() -> Path:
    """The folder of the registry, fetched by Maven the first time.

    Raises:
        BrokerUnavailableError: Maven is missing, or the fetch fails.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sentiment-stream"
    folder = cache / f"apicurio-{VERSION}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix="fetch-", dir=cache))
    try:
        command = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={ARTIFACT}"]
        result = run([*command, f"-DoutputDirectory={partial}"], FETCH_SECONDS)
        if result.returncode:
            raise BrokerUnavailableError(f"Maven failed: {one_line(result.stdout)}")
        [archive] = partial.glob("*.tar.gz")
        with tarfile.open(archive) as tar:
            tar.extractall(partial, filter="data")
        archive.unlink()
        # Refused where another run was quicker: its files are the same.
        with contextlib.suppress(OSError):
            partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


@contextlib.contextmanager
def running_apicurio(folder: Path) -> Iterator[str]:
    """A registry without schemas, in memory; gives its address, to which an API's path belongs."""
    [jar] = fetched().glob("*-runner.jar")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = ["java", "-Xmx512m", f"-Dquarkus.http.port={port}", "-Dquarkus.http.host=127.0.0.1"]
    with (folder / "apicurio.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - fixed arguments
            [*command, "-jar", str(jar)], stdout=log, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(url):
            text = (folder / "apicurio.log").read_text(errors="replace")
            assert process.poll() is None, text
            assert time.monotonic() < deadline, text
            time.sleep(0.2)
        yield url
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    with contextlib.suppress(OSError):
        address = f"{url}/apis/registry/v3/system/info"
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - this machine
            return bool(answer.status == 200)
    return False
