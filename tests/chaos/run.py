"""A whole run: the cluster, the phases, the controls, the report.

Exists so that the command and the tests play the same.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from chaos.cluster import running_cluster
from chaos.plan import CONTROLS, play_control, play_phase
from chaos.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chaos.plan import Control, Controlled, Phase
    from chaos.play import Played


def run(
    command: str,
    seed: int,
    phases: Sequence[Phase],
    folder: Path,
    say: Callable[[str], None],
    controls: Sequence[Control] = CONTROLS,
) -> Report:
    """Play all; the services' logs stay in the folder.

    Raises:
        BrokerUnavailableError: this machine cannot run the brokers.
    """
    started = time.monotonic()
    # Kafka may still be deleting a segment when it is killed.
    with (
        tempfile.TemporaryDirectory(
            prefix="sentiment-stream-chaos-", ignore_cleanup_errors=True
        ) as data,
        running_cluster(Path(data)) as cluster,
    ):
        say(f"three brokers at {cluster.bootstrap_servers}")

        async def play_all() -> tuple[list[Played], list[Controlled]]:
            played = [await play_phase(phase, cluster, folder, seed, say) for phase in phases]
            return played, [await play_control(c, cluster, folder, seed, say) for c in controls]

        played, controlled = asyncio.run(play_all())
    return Report(command, seed, time.monotonic() - started, played, controlled)
