"""The number of CPUs that this process may use, container limit included; threads follow it.

Exists because thread pools start one thread per CPU of the machine: in a container limited to 2
CPUs of 64, the kernel would then throttle all of them for most of each period. Kubernetes resizes a
container while it runs. No torch here.
"""

from __future__ import annotations

import math
import os
import time
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = structlog.get_logger(__name__)

_MACHINE = Path("/")
# How often the limit is looked at. An engine that loads its model anew for another number of
# threads stands still for about a second, so this is also the least time between two such stops.
LOOK_S = 60.0


def cpu_limit(root: Path = _MACHINE, available: int | None = None) -> int:
    """CPUs to use, at least 1: the minimum of affinity and cgroup quotas (v1 and v2), rounded up.

    For tests: `root` is the folder of /proc and /sys, `available` replaces the affinity.
    """
    limits = [float(available or _affinity()), *_quotas(root)]
    return max(1, math.ceil(min(limits)))


class Threads:
    """How many threads an engine is to have: a fixed number, or one for each CPU of the limit."""

    def __init__(
        self,
        fixed: int,
        limit: Callable[[], int] = cpu_limit,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Have `fixed` threads for good, or, where that is 0, as many as `limit` says."""
        self.count = fixed or limit()
        self._limit = None if fixed else limit
        self._clock = clock
        self._looked = clock()

    def changed(self) -> bool:
        """Whether `count` is another than before; to be asked before each run of the model."""
        now = self._clock()
        if self._limit is None or now < self._looked + LOOK_S:
            return False
        self._looked = now
        before, self.count = self.count, self._limit()
        if self.count == before:
            return False
        log.info("the CPU limit has changed: threads follow", threads=self.count, before=before)
        return True


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas(root: Path) -> Iterator[float]:
    """The limits, in CPUs, of the process's cgroup and all its parents; each of them applies."""
    hierarchies = root / "sys/fs/cgroup"
    # In a container its own cgroup is the root of the mount, whatever path /proc shows.
    for line in _lines(root / "proc/self/cgroup") or ["0::/", "1:cpu:/"]:
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if not controllers:
            for folder in _upwards(hierarchies, path):
                yield from _quota_v2(folder)
        elif "cpu" in controllers.split(","):
            for mount in {"cpu", controllers}:
                for folder in _upwards(hierarchies / mount, path):
                    yield from _quota_v1(folder)


def _upwards(top: Path, path: str) -> Iterator[Path]:
    below = PurePosixPath(path.lstrip("/"))
    # A path with `..` is outside of this cgroup namespace, and nothing is mounted there.
    for part in (below, *below.parents) if ".." not in below.parts else [PurePosixPath()]:
        yield top / part


def _quota_v2(folder: Path) -> Iterator[float]:
    for line in _lines(folder / "cpu.max")[:1]:
        quota, _, period = line.partition(" ")
        yield from _share(quota, period)


def _quota_v1(folder: Path) -> Iterator[float]:
    quota = _lines(folder / "cpu.cfs_quota_us")[:1]
    period = _lines(folder / "cpu.cfs_period_us")[:1]
    yield from _share("".join(quota), "".join(period))


def _share(quota: str, period: str) -> Iterator[float]:
    """The quota in CPUs; nothing where there is no limit (`max` in v2, -1 in v1)."""
    if quota.isdecimal() and period.isdecimal() and int(period):
        yield int(quota) / int(period)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return []
