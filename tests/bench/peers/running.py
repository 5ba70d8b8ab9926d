"""Installs a peer in an environment of its own, and runs it as a process.

A peer brings its framework; torch and Transformers, the same for all, it finds in the environment
of the interpreter that runs this. May not import the service.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tools.service_process import ServiceProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).resolve().parents[2]
CACHE = TESTS.parent / ".cache" / "peers"


class CandidateError(Exception):
    """A candidate cannot be run, or has failed; says why in one line."""


class Place(NamedTuple):
    """Where a candidate reads and writes, and what it scores with."""

    bootstrap: str
    topic_in: str
    topic_out: str
    model: Path
    threads: int


@contextlib.contextmanager
def running_peer(name: str, folder: Path, place: Place) -> Iterator[ServiceProcess]:
    """Start a peer with the settings that `scoring` reads, and kill it at last.

    Raises:
        CandidateError: it cannot be installed here.
    """
    python = installed(name)
    environment = os.environ | {
        "BOOTSTRAP": place.bootstrap,
        "INPUT": place.topic_in,
        "OUTPUT": place.topic_out,
        "GROUP": place.topic_in,
        "MODEL": str(place.model),
        "THREADS": str(place.threads),
        "OMP_NUM_THREADS": str(place.threads),
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "PYTHONPATH": str(TESTS),
    }
    log_file = folder / f"{name}.log"
    with log_file.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - one of the names beside this file
            [python, "-m", f"bench.peers.{name}"],
            env=environment,
            # What a framework keeps on disk goes to where it is started.
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield ServiceProcess(process, 0, log_file)
    finally:
        process.kill()
        process.wait()


@functools.cache
def installed(name: str) -> Path:
    """Install a peer where it is not yet; gives its Python.

    Raises:
        CandidateError: it cannot be installed here.
    """
    requirements = Path(__file__).with_name(f"{name}.txt")
    folder = CACHE / name
    python, receipt = folder / "bin" / "python", folder / "installed.txt"
    if not receipt.exists() or receipt.read_text() != requirements.read_text():
        own = TESTS.parent / ".tools" / "uv"
        uv = str(own) if own.exists() else shutil.which("uv")
        if uv is None:
            raise CandidateError("unavailable: there is no uv to install it; run `make setup`")
        for arguments in (
            ["venv", "--quiet", "--clear", "--python", sys.executable, str(folder)],
            ["pip", "install", "--quiet", "--python", str(python), "-r", str(requirements)],
        ):
            command = [uv, *arguments]
            done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - the same
            if done.returncode:
                reason = " ".join(done.stderr.split())[:300]
                raise CandidateError(f"unavailable: {reason}")
        receipt.write_text(requirements.read_text())
    # Behind its own packages, so that what it brings is what it gets.
    inside = sysconfig.get_path("purelib", "venv", {"base": str(folder)})
    (Path(inside) / "shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python
