"""A group is upgraded under load: from the version that had a producer for each input partition.

Replicas of both versions are in the group for a while, and either takes over from the other while
one of them stands still. See `chaos.breaking.faults_upgrade`.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from chaos.plan import UPGRADE_CONTROL, play_control, play_phase, upgrade_form
from chaos.replicas import HERE

if TYPE_CHECKING:
    from pathlib import Path

    from chaos.cluster import Cluster

pytestmark = [pytest.mark.kafka, pytest.mark.model]

# The last one with a transactional producer for each input partition.
BEFORE = "81ccfaa707b7e2001a66efc119ebdee859d3e03a"
SEED = 20_260
RECORDS = 5000


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the tree of the version before."""
    folder = tmp_path_factory.mktemp("before")
    archive = folder / "tree.tar"
    command = ["git", "-C", str(HERE), "archive", "--output", str(archive), BEFORE]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - own words
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", "") or error
        pytest.skip(f"no history to take the version before from: {reason}")
    tree = folder / "tree"
    with tarfile.open(archive) as opened:
        opened.extractall(tree, filter="data")
    archive.unlink()
    return tree


@pytest.mark.timeout(900)
def test_upgrade(before: Path, cluster: Cluster, tmp_path: Path) -> None:
    """Nothing lost, doubled or out of order while replicas are replaced one by one."""
    [phase] = upgrade_form(before, RECORDS)

    played = asyncio.run(play_phase(phase, cluster, tmp_path, SEED, print))

    assert played.wrong == []
    assert played.records >= RECORDS
    kinds = {fault.kind for lane in phase.lanes for fault in lane}
    assert {kind: played.done[kind] for kind in kinds} == {k: played.observed[k] for k in kinds}


@pytest.mark.skipif(
    not os.environ.get("UPGRADE_CONTROL"),
    reason="the planted bug needs a stall at one moment, which busy machines miss: "
    "UPGRADE_CONTROL=1",
)
@pytest.mark.timeout(900)
def test_negative_control(before: Path, cluster: Cluster, tmp_path: Path) -> None:
    """The judge finds what an older replica does that is not fenced."""
    control = UPGRADE_CONTROL

    played = asyncio.run(play_control(control, cluster, tmp_path, SEED, print, before))

    assert played.honest.wrong == []
    assert played.sabotaged.findings.counts[control.found] > 0
