"""How many CPUs this process may use, container limit included.

Exists because compute pools take one thread per CPU of the machine: in a container limited to 2
CPUs of 64 the kernel would then stop all of them for most of each period. No torch here.
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
    """CPUs to use, at least 1: the least of affinity and cgroup quotas (v1 and v2), rounded up.

    `root` is where /proc and /sys are looked for; `available` stands in for the affinity.
    """
    limits = [float(available or _affinity()), *_quotas(root)]
    return max(1, math.ceil(min(limits)))


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas(root: Path) -> Iterator[float]:
    """Every limit in CPUs from the process's cgroup up to the top one; each of them binds."""
    hierarchies = root / "sys/fs/cgroup"
    # A container sees its own cgroup as the top one, under whatever path /proc tells.
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
    # A path with `..` lies outside this namespace, where nothing is mounted.
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
    """Nothing where there is no limit: `max` in v2, -1 in v1."""
    if quota.isdecimal() and period.isdecimal() and int(period):
        yield int(quota) / int(period)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return []
