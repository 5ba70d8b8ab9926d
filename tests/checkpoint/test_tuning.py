"""A tuning file completes the settings, and is refused for another model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from service.checkpoint.files import resolve
from service.checkpoint.tuning import Tuning, tuned
from service.errors import SettingsError
from service.processor import parsed
from service.scoring.texts import load_model
from service.settings import ModelSettings

if TYPE_CHECKING:
    from pathlib import Path


def written(folder: Path, **changes: Any) -> Path:
    """A file for the bundled model."""
    checkpoint = resolve(ModelSettings())
    tuning = Tuning(
        model=checkpoint.name,
        revision=checkpoint.revision,
        device="cpu",
        engine="onnx_packed",
        precision="int8",
        threads=3,
        run_tokens_max=1024,
        messages_per_s=1000,
        difference_p99=0.01,
    )
    file = folder / "tuning.json"
    file.write_text(tuning.model_copy(update=changes).model_dump_json())
    return file


def chosen(**settings: Any) -> tuple[Any, ...]:
    """The engine settings of a service with these settings."""
    model = ModelSettings(**settings)
    found = tuned(model, resolve(model))
    return found.engine, found.precision, found.device, found.threads, found.run_tokens_max


def test_it_completes_the_settings(tmp_path: Path) -> None:
    """All of it."""
    file = written(tmp_path)
    assert ("onnx_packed", "int8", "cpu", 3, 1024) == chosen(tuning_file=file)


def test_it_counts_where_the_settings_agree_with_it(tmp_path: Path) -> None:
    """A setting that names what the file has does not turn the rest of it off."""
    file = written(tmp_path, precision="float32")
    for same in ({"device": "cpu"}, {"engine": "onnx_packed"}, {"precision": "float32"}):
        found = chosen(tuning_file=file, **same)
        assert ("onnx_packed", "float32", "cpu", 3, 1024) == found
    other = chosen(tuning_file=file, engine="torch_packed")
    assert ("torch_packed", "auto", "auto", 3, 1024) == other


def test_the_engine_chooses_the_size_of_a_run_if_the_file_does_not(tmp_path: Path) -> None:
    """When no other size was faster."""
    file = written(tmp_path, run_tokens_max=None)
    assert ("onnx_packed", "int8", "cpu", 3, None) == chosen(tuning_file=file)


def test_settings_win(tmp_path: Path) -> None:
    """A setting of the precision leads to the default engine for it."""
    file = written(tmp_path)
    assert ("auto", "float32", "auto", 2, 512) == chosen(
        tuning_file=file, precision="float32", threads=2, run_tokens_max=512
    )


def test_without_a_file_nothing_changes() -> None:
    """The documented defaults."""
    assert ("auto", "auto", "auto", 0, None) == chosen()


def test_another_model_is_refused(tmp_path: Path) -> None:
    """An engine that is fast and exact enough for one model may not be for another."""
    with pytest.raises(SettingsError, match=r"TUNING_FILE=.* is for the model bundled at other,"):
        chosen(tuning_file=written(tmp_path, revision="other"))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "Invalid JSON: EOF"),
        ("{}", "model: Field required"),
        ("[]", "Input should be an object"),
        ("\x00", "Invalid JSON: expected value"),
        ('{"version": 2}', "version: Input should be 1"),
        ("text,label", "Invalid JSON: expected"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, content: str, why: str) -> None:
    """In one line, with the first thing that is wrong and the remedy; by texts too, as by `run`."""
    file = tmp_path / "tuning.json"
    file.write_text(content)
    expected = rf"TUNING_FILE=.* is no file of `sentiment-stream tune` \({why}.*unset it$"
    with pytest.raises(SettingsError, match=expected):
        load_model(ModelSettings(tuning_file=file))
    with pytest.raises(SettingsError, match=r"is no file of `sentiment-stream tune` \(.*unset it"):
        chosen(tuning_file=file)


@pytest.mark.model
def test_texts_are_scored_as_the_stream_would(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the file's precision, where none is set; no warning is among the results."""
    file = written(tmp_path, kernel="that of another machine")
    for settings, precision in (
        ({"tuning_file": file}, "int8"),
        ({"tuning_file": file, "precision": "float32"}, "float32"),
        ({}, "int8"),
    ):
        model = load_model(ModelSettings(**settings))
        assert precision == model.engine.info.precision
    assert ("", "") == capsys.readouterr()


@pytest.mark.parametrize(("measured", "warned"), [("AMX", True), ("AVX2", False), ("", False)])
def test_another_kind_of_processor_is_told_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measured: str, warned: bool
) -> None:
    """Replicas with one file agree, wherever they run."""
    here = parsed("processor: 0\nflags: avx fma avx2", "x86_64")
    monkeypatch.setattr("service.checkpoint.tuning.this_processor", lambda: here)
    with capture_logs() as logs:
        found = chosen(tuning_file=written(tmp_path, kernel=measured))
    assert ("onnx_packed", "int8", "cpu", 3, 1024) == found
    assert [("AMX", "AVX2")] * warned == [(e["measured_on"], e["runs_on"]) for e in logs]
