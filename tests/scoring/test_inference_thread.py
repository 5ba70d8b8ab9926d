"""The thread that the model runs on, and its priority."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from service.scoring.inference import NICENESS, Inference
from tools.scripted_engine import WARM_UP, ScriptedEngine, documents, scorer


async def test_everything_runs_on_one_thread() -> None:
    """Loading, warming up and scoring."""
    engine = ScriptedEngine()
    loaded_on: list[str] = []

    def load() -> ScriptedEngine:
        loaded_on.append(threading.current_thread().name)
        return engine

    inference = Inference(load, WARM_UP, scorer())
    assert engine.info == await inference.start()
    await inference.score(documents(3))
    await inference.stop()

    assert ["inference"] == loaded_on
    assert {"inference"} == engine.threads


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priorities elsewhere")
async def test_it_has_a_lower_priority() -> None:
    """Than the thread that started it, whose priority is unchanged."""
    inference = Inference(ScriptedEngine, WARM_UP, scorer())
    await inference.start()
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    (thread,) = (t for t in threading.enumerate() if t.name == "inference" and t.native_id)
    native_id = thread.native_id or 0
    assert min(19, own + NICENESS) == os.getpriority(os.PRIO_PROCESS, native_id)
    assert own == os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    await inference.stop()
