"""`tune` finds a way to run the model that is close enough, and writes a file that `run` reads.

Which way is fastest on this machine is not asserted.
"""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
import pytest
from click.testing import CliRunner
from rich.console import Console

from service.checkpoint.files import resolve
from service.checkpoint.tuning import tuned
from service.cli import main
from service.engines.packing import pack
from service.errors import SettingsError
from service.lab.data.texts import TEXTS_MIN, is_guess, read_texts
from service.lab.tune import DIFFERENCE_P99_MAX, Candidate, print_candidates, tune
from service.records import ModelInfo
from service.settings import ModelSettings
from tools.pipeline_tools import FakeClock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray


def test_the_choice_is_close_enough_and_becomes_settings(tmp_path: Path) -> None:
    """All candidates without torch are measured."""
    settings = ModelSettings(device="cpu", engine="onnx_packed")
    found, candidates = tune(settings, read_texts(None, 64), 1, Console(file=io.StringIO()))

    assert {"float32", "int8"} == {c.precision for c in candidates if not c.error}
    assert found.difference_p99 <= DIFFERENCE_P99_MAX
    assert found.messages_per_s > 0
    far = [c for c in candidates if c.difference_p99 > DIFFERENCE_P99_MAX]
    assert found.precision not in {c.precision for c in far}

    file = tmp_path / "tuning.json"
    file.write_text(found.model_dump_json())
    chosen = tuned(ModelSettings(tuning_file=file), resolve(settings))
    assert ("onnx_packed", found.precision) == (chosen.engine, chosen.precision)
    shown = io.StringIO()
    print_candidates(candidates, found, Console(file=shown, width=200))
    assert "chosen: onnx_packed" in shown.getvalue()


def test_what_the_calibration_was_fitted_in_is_close_enough() -> None:
    """Its thresholds mean that precision, so it is not held against float32."""
    far = Candidate(ModelSettings(), difference_p99=0.5)
    assert not far.close_enough
    assert Candidate(ModelSettings(), difference_p99=0.5, calibrated=True).close_enough
    assert not Candidate(ModelSettings(), error="none", calibrated=True).close_enough


def test_no_candidate_is_close_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says how far the candidates are off, and which settings to change."""
    monkeypatch.setattr("service.lab.tune.DIFFERENCE_P99_MAX", 1e-9)
    settings = ModelSettings(device="cpu", engine="torch_packed", precision="bfloat16")
    said = r"torch_packed bfloat16: 1 % of texts differ .* at auto"
    with pytest.raises(SettingsError, match=said):
        tune(settings, read_texts(None, 16), 0.1, Console(file=io.StringIO()))


class _SlowEngine:
    """Computes nothing, by a clock that it moves itself."""

    info = ModelInfo("bundled", "1", "onnx_packed", "float32", "cpu", ())

    def __init__(self, clock: FakeClock, loads: list[float], load_s: float) -> None:
        loads.append(clock.now)
        clock.now += load_s
        self._clock = clock

    def logits(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        self._clock.now += 0.001 * len(sequences)
        return np.zeros((len(sequences), 3), np.float32)


@pytest.mark.parametrize(
    ("load_s", "seconds", "loaded", "took_s"),
    # Thrice each in just as many seconds as were given, or once each however few.
    [(1.0, 100.0, 3, 100.0), (10.0, 1.0, 1, 0.0)],
)
def test_the_seconds_are_those_of_all_of_it(
    monkeypatch: pytest.MonkeyPatch, load_s: float, seconds: float, loaded: int, took_s: float
) -> None:
    """Loading is part of them; only the first measurement of each way is made in any case."""
    clock, loads = FakeClock(), list[float]()
    time = SimpleNamespace(perf_counter=clock.monotonic)
    monkeypatch.setattr("service.lab.tune.time", time)
    monkeypatch.setattr(
        "service.lab.tune.load_engine", lambda *_: _SlowEngine(clock, loads, load_s)
    )
    settings = ModelSettings(device="cpu", engine="onnx_packed")
    _, candidates = tune(settings, read_texts(None, 64), seconds, Console(file=io.StringIO()))
    assert 1 + loaded * len(candidates) == len(loads)
    assert {loaded} == {len(candidate.rates) for candidate in candidates}
    if took_s:
        assert took_s == pytest.approx(clock.now, abs=0.2)


def test_the_commands_write_files(tmp_path: Path) -> None:
    """`export` writes both precisions; ONNX Runtime alone can run the graphs."""
    for precision in ("float32", "int8"):
        file = tmp_path / f"{precision}.onnx"
        done = CliRunner().invoke(
            main,
            ["export", "--precision", precision, "--output", str(file)],
            catch_exceptions=False,
        )
        assert 0 == done.exit_code, done.output
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        (logits,) = session.run(None, pack([[101, 2204, 102], [101, 102]]))
        assert (2, 3) == logits.shape
        assert precision == session.get_modelmeta().custom_metadata_map["precision"]


def test_few_texts_are_a_guess(tmp_path: Path) -> None:
    """Repeated to the number that is measured, they are as few; the demo's are enough."""
    file = tmp_path / "few.txt"
    file.write_text("\n".join(f"text {number}" for number in range(TEXTS_MIN - 1)))
    assert is_guess(read_texts(file, 512)) == (
        f"measured on {TEXTS_MIN - 1} different texts, so this is a guess; --texts with "
        f"{TEXTS_MIN} or more of yours decides it"
    )
    file.write_text("\n".join(f"text {number}" for number in range(TEXTS_MIN)))
    assert is_guess(read_texts(file, 512)) is None
    assert is_guess(read_texts(None, 512)) is None


def test_the_command_says_that_it_guesses_and_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a pipe too."""
    monkeypatch.setattr("service.terminal.PACE_FIRST_S", 0.0)
    (tmp_path / "few.txt").write_text("good\nbad\n")
    done = CliRunner().invoke(
        main,
        ["tune", "--engine", "onnx_packed", "--precision", "float32", "--seconds", "0.2",
         "--texts", str(tmp_path / "few.txt"), "--output", str(tmp_path / "tuning.json")],
        catch_exceptions=False,
    )  # fmt: skip
    assert 0 == done.exit_code
    assert "1 of 2, engines: 1 measurements, " in done.stderr
    assert "2 of 2, threads and sizes: 1 measurements, " in done.stderr
    assert "measured on 2 different texts, so this is a guess" in done.stderr
