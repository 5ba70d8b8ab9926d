"""Plays a phase: faults under load, then the end of all that, then the judgement.

What is wrong is gathered in lines, never raised: a run tells all that it found.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException

from chaos.accounts import account
from chaos.cluster import until
from chaos.load import UNKNOWN
from chaos.messages import OVERSIZED, POISONS
from chaos.oracle import Findings, Place, counted, differences, judge, missing
from chaos.readers import read_inputs
from tools.kafka.jars import BrokerUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chaos.breaking.faults import Fault
    from chaos.oracle import Input
    from chaos.readers import Outcomes
    from chaos.stage import Part, Stage

# A long run's part of the records at a tenth of the rate.
LOAD_SECONDS = 3600
# Transactions of killed processes are ended by the brokers after two thirds of the session.
SETTLE_SECONDS = 60
# A fault takes a minute and a half at most, by the bounds of its own waiting; then the run goes on.
FAULT_SECONDS = 400

POISON_FAULT, OVERSIZED_FAULT = "poison records", "oversized records"
RECORD_FAULTS = {
    POISON_FAULT: f"a dead letter of each of {len(POISONS)} reasons was read",
    OVERSIZED_FAULT: f"dead letters for {OVERSIZED} were read",
}


# What a cluster or a process that does not come back ends in.
HARNESS_ERRORS = (
    OSError,
    TimeoutError,
    AssertionError,
    subprocess.TimeoutExpired,
    KafkaException,
    KafkaError,
    BrokerUnavailableError,
)


@dataclass
class Played:
    """What came of a phase."""

    part: Part
    done: Counter[str] = field(default_factory=Counter)
    observed: Counter[str] = field(default_factory=Counter)
    findings: Findings = field(default_factory=Findings)
    problems: list[str] = field(default_factory=list)
    records: int = 0
    events: int = 0
    letters: int = 0
    aborted: int = 0
    deleted: int = 0
    seconds: float = 0.0
    engines: set[str] = field(default_factory=set)

    @property
    def wrong(self) -> list[str]:
        """All that may not be; empty where the phase passed."""
        exactly_once = self.part.mode == "exactly_once"
        return [*self.problems, *self.findings.wrong(exactly_once=exactly_once)]


async def play(
    stage: Stage,
    lanes: Sequence[Sequence[Fault]],
    records: int,
    say: Callable[[str], None],
) -> Played:
    """Play faults, one after the other in each lane and the lanes side by side, and judge.

    The load goes on until all is played and so many records were put in.
    """
    played, started = Played(stage.part), time.monotonic()
    try:
        await stage.start()
        await stage.calm()
        alone = len(lanes) == 1
        # Each has choices of its own, whichever lane is quicker.
        seeded = [[(f, random.Random(stage.rng.random())) for f in lane] for lane in lanes]
        await asyncio.gather(*(_lane(stage, lane, played, say, alone=alone) for lane in seeded))
        await until(lambda: _sent(stage, records), f"{records} records are sent", LOAD_SECONDS)
        say(f"{stage.load.sent:,} records sent; waiting for the rest of them")
        await _finish(stage, played)
        await _judge(stage, played)
    except HARNESS_ERRORS as error:
        played.problems.append(f"{type(error).__name__}: {error}")
    finally:
        await stage.close()
    played.seconds = time.monotonic() - started
    return played


async def _sent(stage: Stage, records: int) -> bool:
    return stage.load.sent >= records


async def _lane(
    stage: Stage,
    faults: Sequence[tuple[Fault, random.Random]],
    played: Played,
    say: Callable[[str], None],
    *,
    alone: bool,
) -> None:
    """Play faults one after the other; alone, each waits until the last one is mended."""
    for fault, rng in faults:
        started = time.monotonic()
        played.done[fault.kind] += 1
        try:
            async with asyncio.timeout(FAULT_SECONDS):
                seen = await fault.do(stage, rng)
                if alone:
                    await stage.calm()
        except HARNESS_ERRORS as error:
            # It did its harm, and the service did not come back from it.
            played.problems.append(f"{fault.kind}: {type(error).__name__}: {error}")
            seen = False
        played.observed[fault.kind] += seen
        word = "observed" if seen else "NOT OBSERVED"
        seconds = time.monotonic() - started
        say(f"{fault.kind}: {word} after {seconds:.0f} s; {stage.outputs.count:,} outcomes")
        while stage.notes:
            say(stage.notes.pop())


async def _finish(stage: Stage, played: Played) -> None:
    """Let the service work off what is left, and end it as an operator would."""
    await asyncio.to_thread(stage.load.stop)
    goal = {n: end for n, end in (await stage.cluster.ends(stage.input)).items() if end}

    async def all_committed() -> bool:
        return await stage.cluster.groups.committed(stage.group, stage.input) == goal

    try:
        await until(all_committed, "all input is committed", stage.part.finish_s)
    except TimeoutError as error:
        at = await stage.cluster.groups.committed(stage.group, stage.input)
        played.problems.append(f"{error}: {at} of {goal}")
    # One that is just being started does not know the signal yet.
    await stage.replicas.wait_ready()
    codes = await stage.replicas.stop()
    if any(codes):
        played.problems.append(f"SIGTERM at the end: exit codes {codes}, all 0 expected")


async def _judge(stage: Stage, played: Played) -> None:
    async def settled() -> bool:
        return await stage.outputs.ends() == await stage.outputs.ends(committed=True)

    await until(settled, "no transaction is open", SETTLE_SECONDS)
    early, whole = await stage.outputs.finish()
    late = await stage.outputs.read_again("read_committed")
    uncommitted = await stage.outputs.read_again("read_uncommitted")
    ends = await stage.cluster.ends(stage.input)
    left = await asyncio.to_thread(read_inputs, stage.cluster, stage.input, ends, stage.era)
    inputs = [*stage.ledger.inputs, *left]
    played.problems += [f"two readers differ: {line}" for line in differences(early, late)]
    played.problems += [f"not read uncommitted: {line}" for line in missing(late, uncommitted)]
    played.problems += _load_problems(stage, inputs)
    seen = {one.identity for records in whole.values() for one in records}
    exactly_once = stage.part.mode == "exactly_once"
    gone, said = account(stage.ledger, stage.claims(), seen, exactly_once=exactly_once)
    played.findings = judge(inputs, whole, gone)
    played.findings.merge(said)
    played.findings.merge(stage.findings)
    played.records = len(inputs)
    played.deleted = len(gone - seen)
    played.events, played.letters = counted(whole)
    played.aborted = sum(counted(uncommitted)) - sum(counted(late))
    _look_at_kinds(whole, played)


def _load_problems(stage: Stage, inputs: Sequence[Input]) -> list[str]:
    """Kafka itself must have kept what it acknowledged, where it said."""
    kept = {one.id: one.place for one in inputs}
    wrong = []
    for identity, told in stage.load.acknowledged.items():
        found = kept.get(identity)
        if found is None or told not in (found, Place(found.partition, UNKNOWN)):
            wrong.append(f"{identity} at {told}, found at {found}")
    return [f"Kafka moved or lost {len(wrong)} inputs, first {wrong[:3]}"] if wrong else []


def _look_at_kinds(outcomes: Outcomes, played: Played) -> None:
    became = {one.became for records in outcomes.values() for one in records}
    played.engines = {one.engine for records in outcomes.values() for one in records if one.engine}
    for kind, wanted in ((POISON_FAULT, set(POISONS)), (OVERSIZED_FAULT, {OVERSIZED})):
        played.done[kind] += 1
        played.observed[kind] += wanted <= became
