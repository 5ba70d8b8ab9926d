"""Thousands of seeded runs break no rule of delivery, and bugs that are planted are noticed."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from rich.console import Console

from simulation.__main__ import table
from simulation.faults import STEPS
from simulation.plants import PLANTS, planted
from simulation.run import run_seed, run_seeds

# Elsewhere than in CI as many as nobody minds to wait for.
SEEDS = 10_000 if os.environ.get("CI") == "true" else 1000
PLANTED_SEEDS_MAX = 500
# What a reader of committed records finds, whatever the simulation itself can see.
HARM = ("lost", "doubled", "out of order", "not all is committed")
# Where brokers refuse what would be harm, and another producer repairs it each time.
REFUSED = "of the transaction before"
# Some steps are rare: each kind still has to hit something this often in a thousand seeds.
HITS_MIN = 1

EXPECTED = {
    *(f"killed {moment} {step}" for step in STEPS for moment in ("before", "after")),
    "answer lost",
    "brokers away",
    "frozen beyond the session",
    "frozen in a publish",
    "frozen within the session",
    "input ends in what nobody reads",
    "killed",
    "model broken",
    "model hanging",
    "model short of memory",
    "model slow",
    "partition added",
    "process ended by itself",
    "producer fenced",
    "rebalance",
    "records expired",
    "replica added",
    "replica removed",
    "request late",
    "request late, its connection lost",
    "request lost",
    "terminated",
    "transaction aborted",
    "transaction of the input aborted",
    "transaction of the input committed",
    "transaction timed out",
    "version of transactions changed",
}


@pytest.mark.timeout(1500)
def test_no_seed_breaks_a_rule(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing lost, doubled or out of order, no offset ahead of its events; it always goes on.

    Every kind of fault has hit something, many times.
    """
    outcomes = list(run_seeds(range(SEEDS)))

    with capsys.disabled():
        Console().print(table(outcomes))
    broken = [f"make simulation SEED={o.seed}: {o.violations}" for o in outcomes if o.violations]
    assert broken[:5] == []
    faults: Counter[str] = Counter()
    for outcome in outcomes:
        faults.update(outcome.faults)
    assert {name for name in EXPECTED if faults[name] < HITS_MIN * SEEDS / 1000} == set()
    assert min(outcome.records for outcome in outcomes) >= 200
    assert min(sum(outcome.faults.values()) for outcome in outcomes) >= 5


def test_a_seed_is_always_the_same() -> None:
    """Each request of each process, at the same time: what fails can be run again."""
    first, second = run_seed(7), run_seed(7)

    assert first == second
    assert first.trace != run_seed(8).trace


@pytest.mark.parametrize("bug", PLANTS)
def test_a_planted_bug_is_noticed(bug: str) -> None:
    """By what a reader gets, not only by what the simulation sees inside."""
    with planted(bug):
        for seed in range(PLANTED_SEEDS_MAX):
            found = run_seed(seed).violations
            if any(harm in violation for violation in found for harm in (*HARM, REFUSED)):
                return
    pytest.fail(f"{PLANTED_SEEDS_MAX} seeds and nothing was noticed")
