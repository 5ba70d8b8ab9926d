"""On a CPU a model runs in the precision of its calibration, unless the settings name another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from service.checkpoint.calibration import Calibration, write_calibration
from service.checkpoint.files import resolve
from service.engines import load_engine
from service.scoring.texts import Scorer, load_model
from service.settings import ModelSettings
from tools.tiny_checkpoints import write_tiny

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.model


def precision_of(**settings: object) -> str:
    """What the service and what commands run in, which must be the same."""
    given = ModelSettings.model_validate({"device": "cpu", "threads": 1} | settings)
    engine = load_engine(given, resolve(given))
    assert engine.info.precision == load_model(given).engine.info.precision
    return engine.info.precision


def test_the_bundled_model_runs_in_int8() -> None:
    """Its thresholds were found in int8; float32 remains a setting."""
    assert precision_of() == "int8"
    assert precision_of(precision="float32") == "float32"
    assert Scorer().info.precision == "int8"
    assert Scorer(precision="float32").info.precision == "float32"


def test_commands_take_a_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the service does; int8 is for the CPU."""
    monkeypatch.setattr("service.engines._torch_may_find_a_gpu", lambda: True)
    info = load_model(ModelSettings()).engine.info
    assert (info.engine, info.precision) == ("torch_packed", "float32")


def test_other_models_run_in_float32(tmp_path: Path) -> None:
    """Without a calibration, or with one of float32."""
    folder = write_tiny("distilbert", tmp_path)
    assert precision_of(name=str(folder)) == "float32"
    write_calibration(folder, Calibration(temperature=2.0))
    assert precision_of(name=str(folder)) == "float32"
    write_calibration(folder, Calibration(temperature=2.0, precision="int8"))
    assert precision_of(name=str(folder)) == "int8"


def test_a_calibration_file_has_the_say(tmp_path: Path) -> None:
    """The one that the settings name, and not the folder's own."""
    folder = write_tiny("distilbert", tmp_path)
    write_calibration(folder, Calibration(temperature=2.0, precision="int8"))
    file = tmp_path / "ours.json"
    write_calibration(file, Calibration(temperature=1.5))
    assert precision_of(name=str(folder), calibration_file=file) == "float32"


def test_an_engine_of_torch_has_its_own(tmp_path: Path) -> None:
    """It computes no int8, so auto stays float32 on a CPU."""
    folder = write_tiny("distilbert", tmp_path)
    write_calibration(folder, Calibration(temperature=2.0, precision="int8"))
    assert precision_of(name=str(folder), engine="torch_packed") == "float32"
