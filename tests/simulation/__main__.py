"""Many seeds with a bar and a table, or one seed step by step: `make simulation SEED=648`."""

from __future__ import annotations

import sys
from collections import Counter

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from simulation.run import Outcome, run_seed, run_seeds

SHOWN_MAX = 10


@click.command()
@click.option("--seed", type=int, help="Run this one alone, and print each of its steps.")
@click.option("--seeds", type=int, default=10_000, show_default=True, help="Run so many.")
@click.option("--first", type=int, default=0, show_default=True, help="Begin with this one.")
def main(seed: int | None, seeds: int, first: int) -> None:
    """Run the service under simulated faults; ends with 1 where a rule of delivery is broken."""
    console = Console()
    if seed is not None:
        outcomes = [run_seed(seed, tell=lambda line: console.print(line, highlight=False))]
    else:
        running = run_seeds(range(first, first + seeds))
        outcomes = list(track(running, "simulating", total=seeds, console=console))
    console.print(table(outcomes))
    broken = [outcome for outcome in outcomes if outcome.violations]
    for outcome in broken[:SHOWN_MAX]:
        console.print(f"make simulation SEED={outcome.seed}: {'; '.join(outcome.violations)}")
    sys.exit(bool(broken))


def table(outcomes: list[Outcome]) -> Table:
    """How often each kind of fault has hit something."""
    faults: Counter[str] = Counter()
    for outcome in outcomes:
        faults.update(outcome.faults)
    records = sum(outcome.records for outcome in outcomes)
    hours = sum(outcome.virtual_s for outcome in outcomes) / 3600
    shown = Table(title=f"{len(outcomes)} seeds, {records} records, {hours:.1f} virtual hours")
    shown.add_column("fault")
    shown.add_column("times", justify="right")
    for name, count in sorted(faults.items()):
        shown.add_row(name, str(count))
    return shown


if __name__ == "__main__":
    main()
