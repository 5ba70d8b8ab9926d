"""The command: proves the chart, prints a table of what was proven, ends with 1 where it fails."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from chart import admission, live, rendering, variants
from chart.cluster import ApiError, start_cluster
from chart.helm import Helm
from chart.tools import HELM, KUBE_SCORE, PROMETHEUS, PROMTOOL, ToolMissingError, build
from tools.kafka.jars import BrokerUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
# Logs and what was rendered stay there until the next run.
FOLDER = HERE.parents[1] / ".cache" / "chart"


class Proofs:
    """What was proven, in order."""

    def __init__(self, console: Console) -> None:
        """Begin with none."""
        self._console = console
        self.table = Table("", "proof", "of", "s")
        self.failed = 0

    def prove(self, proof: Callable[..., str], *arguments: object) -> None:
        """Run one; what fails is said, and the others go on."""
        words = (proof.__doc__ or proof.__name__).splitlines()[0]
        started = time.monotonic()
        try:
            sign, detail = "ok", proof(*arguments)
        except (AssertionError, ApiError, OSError) as error:
            sign, detail = "FAILED", str(error)
            self.failed += 1
        seconds = f"{time.monotonic() - started:.0f}"
        line = f"{sign} {words} {detail}"
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
        self.table.add_row(sign, words, detail if sign == "ok" else "see above", seconds)


@click.command()
@click.option("--quick", is_flag=True, help="Only what needs no cluster and no broker.")
def main(quick: bool) -> None:
    """Hold the chart against Helm, promtool, a running service and a Kubernetes API server."""
    console = Console()
    proofs = Proofs(console)
    started = time.monotonic()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    try:
        _offline(proofs, console, FOLDER)
        if not quick:
            _on_cluster(proofs, console, FOLDER)
            _live(proofs, console, FOLDER)
    except (AssertionError, BrokerUnavailableError, ToolMissingError) as error:
        console.print(f"not all is proven: {error}; logs are in {FOLDER}", markup=False)
        proofs.failed += 1
    console.print(proofs.table)
    console.print(f"{proofs.failed} failed, {time.monotonic() - started:.0f} s")
    sys.exit(1 if proofs.failed else 0)


def _offline(proofs: Proofs, console: Console, folder: Path) -> None:
    helm = Helm(build(HELM, console.print), folder)
    promtool = build(PROMTOOL, console.print)
    kube_score = build(KUBE_SCORE, console.print)
    proofs.prove(rendering.lint, helm)
    proofs.prove(rendering.shape, helm)
    proofs.prove(rendering.refusals, helm)
    proofs.prove(rendering.network, helm)
    proofs.prove(rendering.settings_reach_the_program, helm, folder)
    for proof in (
        variants.backfill, variants.user_of_a_backfill, variants.scaling, variants.logins,
        variants.pods,
    ):  # fmt: skip
        proofs.prove(proof, helm)
    proofs.prove(rendering.alerts, helm, promtool, folder)
    proofs.prove(rendering.queries, helm, promtool)
    proofs.prove(rendering.policies, helm, kube_score, folder)


def _live(proofs: Proofs, console: Console, folder: Path) -> None:
    helm = Helm(build(HELM, console.print), folder)
    prometheus = build(PROMETHEUS, console.print)
    proofs.prove(live.alerts_and_dashboard, helm, prometheus, folder)


def _on_cluster(proofs: Proofs, console: Console, folder: Path) -> None:
    with start_cluster(folder, console.print) as cluster:
        helm = Helm(build(HELM, console.print), folder, cluster.kubeconfig)
        proofs.prove(admission.definitions, cluster, HERE)
        proofs.prove(admission.refuses_what_is_not_restricted, cluster)
        proofs.prove(admission.wrong_values, cluster, helm)
        proofs.prove(admission.every_values_file, cluster, helm)
        proofs.prove(admission.life, cluster, helm)
        proofs.prove(admission.scaling_is_left_alone, cluster, helm)


if __name__ == "__main__":
    main()
