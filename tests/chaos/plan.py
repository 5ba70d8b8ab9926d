"""Which faults are played, in which phases, how many at a time: by the seed alone.

The long form plays each kind alone, then mixes them; the short one draws from each group. How a
fault is done is in `faults`; what it did is judged elsewhere.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chaos.breaking.faults import MODEL_FAULTS, PROCESS_FAULTS, SCALE_FAULTS
from chaos.breaking.faults_between import BETWEEN_FAULTS
from chaos.breaking.faults_load import LOAD_FAULTS
from chaos.breaking.faults_outside import BROKER_FAULTS, NETWORK_FAULTS
from chaos.breaking.faults_topics import TOPIC_FAULTS
from chaos.breaking.faults_upgrade import OLDER_FROZEN, REPLACED, UPGRADE_FAULTS
from chaos.messages import OVERSIZED_ONES
from chaos.play import Played, play
from chaos.replicas import HERE
from chaos.stage import Part, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from chaos.breaking.faults import Fault
    from chaos.cluster import Cluster

GROUPS = (
    PROCESS_FAULTS, BROKER_FAULTS, NETWORK_FAULTS, MODEL_FAULTS, SCALE_FAULTS, TOPIC_FAULTS,
    LOAD_FAULTS, BETWEEN_FAULTS,
)  # fmt: skip
FAULTS = {fault.kind: fault for group in GROUPS for fault in group}

# What one load may give: with the faults' own pauses three replicas and three brokers on two cores
# keep up with it.
RATE = 500.0
# Two at a time overlap in all ways that are not excluded, and the machine still makes progress.
LANES = 2
MIXED_FAULTS = 18
SHORT_RECORDS = 10_000
# Takes a minute or two for the waiting that it is about: not in the short form.
SLOW = ("half-open, never told",)
RECORDS = 200_000


@dataclass(frozen=True)
class Phase:
    """A part, its faults by lane, and the least number of records."""

    part: Part
    lanes: Sequence[Sequence[Fault]]
    records: int


def in_lanes(faults: Sequence[Fault]) -> list[Sequence[Fault]]:
    """Deal them out."""
    return [faults[lane::LANES] for lane in range(LANES)]


def long_form(seed: int, records: int) -> list[Phase]:
    """Every kind alone, then both deliveries under all at random."""
    rng = random.Random(f"{seed}/plan")
    alone = rng.sample(list(FAULTS.values()), len(FAULTS))
    repeatable = [fault for fault in alone if not fault.transactional]
    return [
        Phase(Part("alone", "exactly_once", RATE), [alone], records // 2),
        Phase(
            Part("mixed", "exactly_once", RATE),
            in_lanes(rng.sample(alone, MIXED_FAULTS)),
            records // 4,
        ),
        Phase(
            Part("mixed-at-least-once", "at_least_once", RATE),
            in_lanes(rng.sample(repeatable, MIXED_FAULTS)),
            records - records // 2 - records // 4,
        ),
    ]


def short_form(seed: int) -> list[Phase]:
    """Of each group one, side by side; a few for delivery at least once."""
    rng = random.Random(f"{seed}/plan")
    quick = [[fault for fault in group if fault.kind not in SLOW] for group in GROUPS]
    drawn = [rng.choice(group) for group in (*quick, PROCESS_FAULTS)]
    few = [
        rng.choice([fault for fault in group if not fault.transactional])
        for group in (PROCESS_FAULTS, BROKER_FAULTS)
    ]
    rng.shuffle(drawn)
    return [
        Phase(
            Part("mixed", "exactly_once", RATE),
            in_lanes(drawn),
            SHORT_RECORDS,
        ),
        Phase(Part("mixed-at-least-once", "at_least_once", RATE), [few], SHORT_RECORDS // 2),
    ]


def chosen_form(kinds: Sequence[str]) -> list[Phase]:
    """These kinds, one after the other."""
    faults = [FAULTS[kind] for kind in kinds]
    return [Phase(Part("alone", "exactly_once", RATE), [faults], SHORT_RECORDS)]


def upgrade_form(tree: Path, records: int) -> list[Phase]:
    """Two replicas of an older tree, replaced one by one."""
    part = Part("upgrade", "exactly_once", RATE, replicas="ab", tree=tree)
    return [Phase(part, [UPGRADE_FAULTS], records)]


@dataclass(frozen=True)
class Control:
    """A sabotage, the scenario that brings it out, and what the judge must find then.

    Those that are `short` are among the tests.
    """

    sabotage: str
    faults: Sequence[Fault]
    found: str
    oversized: int = OVERSIZED_ONES
    short: bool = False


CONTROLS = (
    Control(
        "no generation",
        [FAULTS["SIGSTOP before the transaction, SIGCONT after the session"]],
        "doubled",
        oversized=0,
        short=True,
    ),
    Control(
        "open offsets not waited for",
        [FAULTS["SIGSTOP between offsets and end, SIGCONT after the session"]],
        "doubled",
        oversized=0,
        short=True,
    ),
    Control("a send not awaited", [], "lost", oversized=5000, short=True),
    Control("no rewind", [FAULTS["answer lost after send"]], "lost", short=True),
    Control(
        "expired records not told",
        [FAULTS["records expired unread, the group away"]],
        "lost unsaid",
        short=True,
    ),
    Control("a new log from its end", [FAULTS["partitions added"]], "lost"),
    Control("a new log from its end", [FAULTS["input topic deleted, made anew later"]], "lost"),
    Control("offsets without events", [FAULTS["output topic deleted, made anew later"]], "lost"),
    Control("a quota not noticed", [FAULTS["produce quota"]], "stuck"),
)
# Of an upgrade: its replicas are of an older tree at first.
UPGRADE_CONTROL = Control("older producers not fenced", [REPLACED, OLDER_FROZEN], "doubled")
CONTROL_RECORDS = 4000
CONTROL_RATE = 400.0
# Sabotaged, it may never work off what it was given.
CONTROL_FINISH_S = 60.0
# A fault that met nothing, such as a transaction without records, brings nothing out.
CONTROL_TRIES = 3


@dataclass(frozen=True)
class Controlled:
    """What came of a control: the honest service in its scenario, and the sabotaged one."""

    control: Control
    honest: Played
    sabotaged: Played
    tries: int

    @property
    def caught(self) -> bool:
        """Whether the judge found the sabotage, and nothing without it."""
        return self.sabotaged.findings.counts[self.control.found] > 0 and not self.honest.wrong


async def play_phase(
    phase: Phase, cluster: Cluster, folder: Path, seed: int, say: Callable[[str], None]
) -> Played:
    """Play one phase of a run with this seed."""
    rng = random.Random(f"{seed}/{phase.part.name}")
    say(f"phase {phase.part.name}: {phase.part.mode}")
    stage = Stage(phase.part, cluster, folder, rng)
    played = await play(stage, phase.lanes, phase.records, say)
    say(f"{phase.part.name}: {played.records:,} records, {'; '.join(played.wrong) or 'all right'}")
    return played


async def play_control(
    control: Control,
    cluster: Cluster,
    folder: Path,
    seed: int,
    say: Callable[[str], None],
    tree: Path = HERE,
) -> Controlled:
    """Play a control's scenario with the honest service, then sabotaged until it is caught.

    The replicas are of a tree at first.
    """
    number = (*CONTROLS, UPGRADE_CONTROL).index(control)
    name = f"control-{number}-{control.sabotage.replace(' ', '-')}"
    honest = Part(
        name,
        "exactly_once",
        CONTROL_RATE,
        engine="null",
        replicas="ab",
        oversized=control.oversized,
        tree=tree,
    )
    lanes = [control.faults] if control.faults else []
    first = await play_phase(Phase(honest, lanes, CONTROL_RECORDS), cluster, folder, seed, say)
    for tries in range(1, CONTROL_TRIES + 1):
        part = replace(
            honest,
            name=f"{name}-{tries}",
            sabotage=control.sabotage,
            finish_s=CONTROL_FINISH_S,
        )
        phase = Phase(part, lanes, CONTROL_RECORDS)
        sabotaged = await play_phase(phase, cluster, folder, seed, say)
        found = sabotaged.findings.counts[control.found]
        say(f"sabotage, {control.sabotage}: {found} {control.found}")
        if found:
            break
    return Controlled(control, first, sabotaged, tries)
