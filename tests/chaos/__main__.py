"""The command: plays a run, prints its table, and writes it as Markdown."""

from __future__ import annotations

import logging
import random
import shutil
import sys
import time
from pathlib import Path

import click
from rich.console import Console

from chaos.breaking.faults_upgrade import UPGRADE_FAULTS
from chaos.plan import (
    CONTROLS,
    FAULTS,
    RECORDS,
    SHORT_RECORDS,
    chosen_form,
    long_form,
    short_form,
    upgrade_form,
)
from chaos.run import run
from tools.kafka.jars import BrokerUnavailableError

CACHE = Path(__file__).resolve().parents[2] / ".cache"
# Asked of a long run; a short one is too short to ask for all kinds.
FAULTS_LEAST = 30
FAULTS_LEAST_SHORT = 8


@click.command(epilog=f"Kinds of faults: {'; '.join(FAULTS)}.")
@click.option("--seed", type=int, help="Play the faults of an earlier run; else one is drawn.")
@click.option("--short", is_flag=True, help="A few minutes: fewer faults, fewer records.")
@click.option("--records", default=RECORDS, show_default=True, help="At least so many; not short.")
@click.option(
    "--fault",
    "kinds",
    metavar="KIND",
    multiple=True,
    type=click.Choice(list(FAULTS)),
    help="Play only this kind, exactly once, without controls; may be repeated.",
)
@click.option(
    "--upgrade-from",
    "tree",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    help="Replace replicas of this older tree one by one, exactly once; play nothing else.",
)
def main(
    seed: int | None, short: bool, records: int, kinds: tuple[str, ...], tree: Path | None
) -> None:
    """Hold the service on three Kafka brokers against faults; ends with 1 where it fails.

    Harmed are the service's processes and model, brokers, the network between, the topics and
    what is in them. An independent judge holds all that came out against all that was put in, and
    what is missing against what the harness has deleted.
    """
    console = Console()
    # What its admin client meets is what the run is about.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    console.print(f"seed {seed}")
    folder = CACHE / "chaos"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if tree is not None:
        phases = upgrade_form(tree, SHORT_RECORDS)
        kinds = tuple(fault.kind for fault in UPGRADE_FAULTS)
        command = f"python -m chaos --seed {seed} --upgrade-from {tree}"
    elif kinds:
        phases = chosen_form(kinds)
        command = f"python -m chaos --seed {seed}" + "".join(f" --fault '{k}'" for k in kinds)
    else:
        phases = short_form(seed) if short else long_form(seed, records)
        command = f"make chaos SEED={seed}" + (" SHORT=1" if short else "")

    def say(line: str) -> None:
        console.print(f"{time.strftime('%H:%M:%S')} {line}", markup=False, highlight=False)

    try:
        report = run(command, seed, phases, folder, say, () if kinds else CONTROLS)
    except BrokerUnavailableError as error:
        console.print(f"no Apache Kafka to harm: install Java 17 and Maven ({error})")
        sys.exit(1)
    few = short or kinds
    wrong = report.wrong(
        SHORT_RECORDS if few else records,
        len(kinds) or (FAULTS_LEAST_SHORT if short else FAULTS_LEAST),
        every_kind=not few,
    )
    for table in report.tables():
        console.print(table.rich())
    console.print(report.headline())
    page = CACHE / "chaos.md"
    page.write_text(report.markdown())
    console.print(f"the same as Markdown: {page}")
    if wrong:
        for line in wrong:
            console.print(f"WRONG: {line}", markup=False)
        console.print(f"the services' logs: {folder}")
        sys.exit(1)
    shutil.rmtree(folder)
    console.print("nothing lost, nothing doubled, nothing out of order")


if __name__ == "__main__":
    main()
