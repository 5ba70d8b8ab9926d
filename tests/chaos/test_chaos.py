"""The service under faults on three real brokers: the short form, and that the judge can see.

The long form is `make chaos`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from chaos.plan import CONTROLS, Control, play_control, play_phase, short_form

if TYPE_CHECKING:
    from pathlib import Path

    from chaos.cluster import Cluster
    from chaos.plan import Phase

pytestmark = [pytest.mark.kafka, pytest.mark.model]

# Any; `make chaos SHORT=1` draws others.
SEED = 20_260
SHORT_CONTROLS = [control for control in CONTROLS if control.short]
PHASES = {phase.part.name: phase for phase in short_form(SEED)}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("phase", PHASES.values(), ids=PHASES.keys())
def test_short_form(phase: Phase, cluster: Cluster, tmp_path: Path) -> None:
    """Nothing lost, doubled or out of order; at least once, repeats under the same event id."""
    played = asyncio.run(play_phase(phase, cluster, tmp_path, SEED, print))

    assert played.wrong == []
    assert played.records >= phase.records
    assert played.engines == {"onnx_packed"}
    # A fault that met nothing is possible on a busy machine; that most do is what this proves.
    assert 2 * played.observed.total() > played.done.total()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("control", SHORT_CONTROLS, ids=[one.sabotage for one in SHORT_CONTROLS])
def test_negative_control(control: Control, cluster: Cluster, tmp_path: Path) -> None:
    """The judge finds what a sabotaged service does, and nothing without the sabotage."""
    played = asyncio.run(play_control(control, cluster, tmp_path, SEED, print))

    assert played.honest.wrong == []
    assert played.sabotaged.findings.counts[control.found] > 0
