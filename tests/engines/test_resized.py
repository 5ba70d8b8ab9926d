"""A container that is resized while it runs: the engines' threads follow its limit."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest
from structlog.testing import capture_logs

from service.checkpoint.files import resolve
from service.engines.cpu_limit import LOOK_S, Threads
from service.engines.onnx_packed import OnnxPacked
from service.errors import ModelError
from service.settings import ModelSettings
from tools.tiny_checkpoints import write_tiny

if TYPE_CHECKING:
    from pathlib import Path


class Container:
    """A limit and a clock that a test sets."""

    def __init__(self, cpus: int) -> None:
        """Begin with so many CPUs."""
        self.cpus = cpus
        self.now = 0.0

    def threads(self, fixed: int = 0) -> Threads:
        """Threads that follow it."""
        return Threads(fixed, lambda: self.cpus, lambda: self.now)

    def resize(self, cpus: int) -> None:
        """Give it so many CPUs, and let the time pass after which they are noticed."""
        self.cpus = cpus
        self.now += LOOK_S


def test_threads_follow_the_limit_once_in_a_while() -> None:
    """Up and down, told in a line each; however often it changes in between."""
    container = Container(2)
    threads = container.threads()
    with capture_logs() as logs:
        container.cpus = 8
        assert not threads.changed()
        container.now = LOOK_S
        assert (threads.changed(), threads.count) == (True, 8)
        container.resize(8)
        assert not threads.changed()
        container.cpus = 1
        assert not threads.changed()
        container.now += LOOK_S
        assert (threads.changed(), threads.count) == (True, 1)

    assert [(2, 8), (8, 1)] == [(line["before"], line["threads"]) for line in logs]


def test_threads_that_are_set_are_left_alone() -> None:
    """By a setting, or by the file of `tune`."""
    container = Container(2)
    threads = container.threads(fixed=3)
    container.resize(8)
    assert (threads.changed(), threads.count) == (False, 3)


def lanes() -> list[threading.Thread]:
    """The threads of all engines' lanes."""
    return [thread for thread in threading.enumerate() if thread.name == "inference-lane"]


@pytest.mark.model
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_an_engine_goes_on_with_other_threads(
    precision: Literal["float32", "int8"], tmp_path: Path
) -> None:
    """It gives the same logits, and leaves no thread behind."""
    settings = ModelSettings(
        name=str(write_tiny("distilbert", tmp_path)), device="cpu", threads=1, precision=precision
    )
    engine = OnnxPacked(resolve(settings), settings)
    before = set(lanes())
    container = Container(1)
    engine._threads = container.threads()
    texts = [[5, 6, 7], [8, 9]]
    logits = engine.logits(texts)
    for cpus in (4, 1, 2):
        container.resize(cpus)
        np.testing.assert_allclose(logits, engine.logits(texts), atol=1e-5)
        new = set(lanes()) - before
        for lane in new if cpus == 1 else ():
            lane.join(30)
        assert sum(lane.is_alive() for lane in new) == (cpus > 1)


@pytest.mark.model
def test_a_model_that_cannot_be_loaded_again_says_why(tmp_path: Path) -> None:
    """Each time, until the service ends by it."""
    folder = write_tiny("distilbert", tmp_path)
    settings = ModelSettings(name=str(folder), device="cpu", threads=1)
    engine = OnnxPacked(resolve(settings), settings)
    container = Container(1)
    engine._threads = container.threads()
    (folder / "model.safetensors").unlink()
    container.resize(2)
    for _ in range(2):
        with pytest.raises(ModelError, match="cannot be loaded again for 2 threads"):
            engine.logits([[5, 6]])
