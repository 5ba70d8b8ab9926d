"""A service process under watch: what it holds and uses, sampled once a second from outside.

May not import the service: it reads /proc, and the file that `watched_run` writes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tools.service_process import ServiceProcess, running_service

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

INTERVAL_S = 1.0
RUN = Path(__file__).with_name("watched_run.py")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Sample:
    """What the process held at one moment; `at` is monotonic, in seconds.

    `tasks` are those that have lasted a second, `kinds` how many of them run what.
    """

    at: float
    phase: str
    rss_bytes: int
    anonymous_bytes: int
    threads: int
    files: int
    tasks: int
    kinds: Mapping[str, int]
    cpu_s: float


@dataclass
class Watched:
    """A service, its samples, and the phase that its user says it is in."""

    service: ServiceProcess
    tasks_file: Path
    phase: str = ""
    samples: list[Sample] = field(default_factory=list)

    async def watch(self) -> None:
        """Sample once a second until cancelled.

        Raises:
            AssertionError: the service has ended.
        """
        while True:
            await asyncio.sleep(INTERVAL_S)
            assert self.service.process.poll() is None, self.service.log()[-3000:]
            self.samples.append(self.sample())

    def sample(self) -> Sample:
        """What the process holds now."""
        folder = Path("/proc", str(self.service.process.pid))
        lines = (folder / "status").read_text().splitlines()
        status = {name: value for name, _, value in (line.partition(":") for line in lines)}
        # The last whole line; the one after it is being written.
        counted = json.loads(self.tasks_file.read_text().rpartition("\n")[0].splitlines()[-1])
        return Sample(
            at=time.monotonic(),
            phase=self.phase,
            rss_bytes=int(status["VmRSS"].split()[0]) * 1024,
            anonymous_bytes=int(status["RssAnon"].split()[0]) * 1024,
            threads=int(status["Threads"]),
            files=len(list((folder / "fd").iterdir())),
            tasks=counted["tasks"],
            kinds=counted["kinds"],
            cpu_s=self.cpu_s(),
        )

    def cpu_s(self) -> float:
        """CPU time that the process has used, in seconds, all threads and the kernel's part."""
        stat = Path("/proc", str(self.service.process.pid), "stat").read_text()
        # The name of the command, in brackets, may hold spaces.
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


@contextlib.contextmanager
def watched_service(folder: Path, settings: Mapping[str, str]) -> Iterator[Watched]:
    """Start the service with its tasks counted; settings as for `running_service`."""
    tasks_file = folder / "tasks.jsonl"
    with running_service(folder, settings, (str(RUN), str(tasks_file))) as service:
        yield Watched(service, tasks_file)
