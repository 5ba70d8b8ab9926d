"""The number of CPUs that this process may use, container limit included.

Exists because thread pools start one thread per CPU of the machine: in a container limited to 2
CPUs of 64, the kernel would then throttle all of them for most of each period. No torch here.
"""

from __future__ import annotations

import math
import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MACHINE = Path("/")


def cpu_limit(root: Path = _MACHINE, available: int | None = None) -> int:
    """CPUs to use, at least 1: the minimum of affinity and cgroup quotas (v1 and v2), rounded up.

    For tests: `root` is the folder of /proc and /sys, `available` replaces the affinity.
    """
    limits = [float(available or _affinity()), *_quotas(root)]
    return max(1, math.ceil(min(limits)))


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
