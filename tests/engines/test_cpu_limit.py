"""The CPUs that a process may use, for every way to limit a container."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from service.engines.cpu_limit import cpu_limit

if TYPE_CHECKING:
    from pathlib import Path


def _machine(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content + "\n")
    return root


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("max 100000", 8),
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("5000 100000", 1),
        ("6400000 100000", 8),
        ("", 8),
        ("nonsense", 8),
        ("100000 0", 8),
    ],
)
def test_cgroup_v2(tmp_path: Path, quota: str, expected: int) -> None:
    """The quota is rounded up to whole CPUs; without a readable quota all are used."""
    files = {"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": quota}
    assert cpu_limit(_machine(tmp_path, files), available=8) == expected


def test_cgroup_v2_limit_of_a_parent(tmp_path: Path) -> None:
    """The limits of all parents apply too."""
    files = {
        "proc/self/cgroup": "0::/kubepods/pod1/main",
        "sys/fs/cgroup/kubepods/pod1/main/cpu.max": "max 100000",
        "sys/fs/cgroup/kubepods/pod1/cpu.max": "300000 100000",
        "sys/fs/cgroup/kubepods/cpu.max": "700000 100000",
    }
    assert cpu_limit(_machine(tmp_path, files), available=16) == 3


@pytest.mark.parametrize("path", ["/docker/0123abcd", "/../../elsewhere", "/"])
def test_cgroup_v2_path_of_another_namespace(tmp_path: Path, path: str) -> None:
    """In a container the limit is at the root of the mount, whatever path /proc shows."""
    files = {"proc/self/cgroup": f"0::{path}", "sys/fs/cgroup/cpu.max": "200000 100000"}
    assert cpu_limit(_machine(tmp_path, files), available=16) == 2


def test_cgroup_v2_without_proc(tmp_path: Path) -> None:
    """If /proc cannot be read, the root of the mount is used."""
    files = {"sys/fs/cgroup/cpu.max": "200000 100000"}
    assert cpu_limit(_machine(tmp_path, files), available=16) == 2


@pytest.mark.parametrize(("quota", "expected"), [("-1", 8), ("250000", 3), ("50000", 1), ("x", 8)])
@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
def test_cgroup_v1(tmp_path: Path, mount: str, quota: str, expected: int) -> None:
    """The quota of the cpu controller counts, alone or mounted with another."""
    files = {
        "proc/self/cgroup": "9:memory:/\n4:cpu,cpuacct:/docker/0123\n1:name=systemd:/",
        f"sys/fs/cgroup/{mount}/cpu.cfs_quota_us": quota,
        f"sys/fs/cgroup/{mount}/cpu.cfs_period_us": "100000",
    }
    assert cpu_limit(_machine(tmp_path, files), available=8) == expected


def test_no_container(tmp_path: Path) -> None:
    """Without cgroups, the affinity alone counts."""
    assert cpu_limit(tmp_path, available=3) == 3


def test_this_machine() -> None:
    """There is always at least one CPU."""
    assert cpu_limit() >= 1
