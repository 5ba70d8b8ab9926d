"""Thresholds for a target accuracy: found on labelled text, written to a file, and used."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from rich.console import Console

pytest.importorskip("sklearn", reason="needs sentiment-stream[lab]")
from service.checkpoint.calibration import (
    Calibration,
    Reference,
    read_calibration,
    write_calibration,
)
from service.checkpoint.files import resolve
from service.cli import main
from service.errors import InputError, SettingsError
from service.lab.measuring.evaluate import evaluate, print_table, write_target
from service.records import ModelInfo
from service.scoring.processing import load_processing
from service.scoring.readings import LogitsReader
from service.scoring.texts import LoadedModel
from service.settings import ModelSettings, Settings
from service.text.encoder import TextEncoder
from tools.tiny_model import CountingEngine, tiny_tokenizer, write_files

if TYPE_CHECKING:
    from pathlib import Path

LABELS = ("NEGATIVE", "POSITIVE")
INFO = ModelInfo("tiny", "sha256:0", "fake", "float32", "cpu", LABELS)
# All with a probability of 4/5 are correct, and half of those with 2/3.
ROWS = [("good good good", 1), ("bad bad bad", 0), ("good", 1), ("bad", 1)] * 50
REFERENCE = Reference((1.0,) + (0.0,) * 9, (1.0,) + (0.0,) * 5, 0.1, {"en": 1.0})
OWN = Calibration(normaliser=1, temperature=1.5, window_tokens=32, reference=REFERENCE)


def _data(folder: Path, rows: list[tuple[str, int]]) -> Path:
    file = folder / "data.tsv"
    file.write_text("sentence\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows))
    return file


def _console() -> Console:
    return Console(file=io.StringIO(), width=200)


def _model(reader: LogitsReader | None = None) -> LoadedModel:
    return LoadedModel(
        CountingEngine(INFO), TextEncoder(tiny_tokenizer(), 64), reader or LogitsReader()
    )


def _settings(folder: Path) -> ModelSettings:
    """Settings of a model in this folder, which has a calibration file."""
    write_calibration(write_files(folder), OWN)
    return ModelSettings(name=str(folder))


def test_thresholds_are_written_and_read_back(tmp_path: Path) -> None:
    """All other values are the model's own, and its folder is unchanged."""
    settings = _settings(tmp_path / "model")
    before = {file: file.read_bytes() for file in (tmp_path / "model").iterdir()}
    figures = evaluate(_data(tmp_path, ROWS), Settings(), _console(), _model(), target_accuracy=0.9)
    target = figures["target"]
    assert (0.5, 1.0) == (target["coverage"], target["accuracy"])
    threshold = target["thresholds"]["POSITIVE"]
    assert dict.fromkeys(LABELS, threshold) == target["thresholds"]
    assert 2 / 3 < threshold <= 4 / 5

    file = tmp_path / "ours.json"
    write_target(file, settings, figures)

    used = settings.model_copy(update={"calibration_file": file, "unsure_label": "UNSURE"})
    calibration, _, reader = load_processing(used, resolve(used))
    assert (OWN.temperature, OWN.window_tokens, REFERENCE) == (
        calibration.temperature, calibration.window_tokens, calibration.reference,
    )  # fmt: skip
    assert ((threshold, threshold), 0.9) == (calibration.thresholds, calibration.target_accuracy)
    reading = reader.reading(LABELS, [0.34, 0.66])
    assert ("UNSURE", 0.66, False) == (reading.label, reading.score, reading.confident)
    assert OWN == read_calibration(tmp_path / "model", 2)
    assert before == {file: file.read_bytes() for file in (tmp_path / "model").iterdir()}


def test_figures_of_the_current_thresholds(tmp_path: Path) -> None:
    """How often the model is confident, and how accurate it is then."""
    model = _model(LogitsReader(Calibration(thresholds=(0.7, None))))
    figures = evaluate(_data(tmp_path, ROWS), Settings(), _console(), model)
    assert (0.25, 1.0) == (figures["confident_share"], figures["confident_accuracy"])
    silent = _model(LogitsReader(Calibration(thresholds=(None, None))))
    assert evaluate(_data(tmp_path, ROWS), Settings(), _console(), silent)["confident_share"] == 0


def test_a_target_out_of_reach(tmp_path: Path) -> None:
    """The table says why, and nothing is written."""
    settings = _settings(tmp_path / "model")
    data = _data(tmp_path, ROWS[:4])
    figures = evaluate(data, Settings(), _console(), _model(), target_accuracy=0.9)
    assert {"NEGATIVE": None, "POSITIVE": None} == figures["target"]["thresholds"]
    console = _console()
    print_table(figures, console)
    assert isinstance(console.file, io.StringIO)
    assert "(4 examples, 29 are needed)" in console.file.getvalue()
    file = tmp_path / "ours.json"
    with pytest.raises(InputError, match="give more data, or a lower --target-accuracy"):
        write_target(file, settings, figures)
    assert not file.exists()


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"{", "it is no JSON: "),
        (b"{}", "there is no calibration in it"),
        (b'{"thresholds": [0.5, 2]}', "from 0 to 1; null: not confident"),
        (b'{"thresholds": [0.5]}', "thresholds must have 2 values"),
        (b'{"bias": [], "revision": "sha256:0000000000000000"}', "is for the model at sha256:0"),
    ],
)
def test_a_calibration_file_that_cannot_be_used(tmp_path: Path, content: bytes, error: str) -> None:
    """The error is one line with the variable and what to do."""
    file = tmp_path / "ours.json"
    file.write_bytes(content)
    settings = _settings(tmp_path / "model").model_copy(update={"calibration_file": file})
    with pytest.raises(SettingsError, match="SENTIMENT_MODEL__CALIBRATION_FILE=") as caught:
        load_processing(settings, resolve(settings))
    message = str(caught.value)
    assert error in message
    assert "write one with `sentiment-stream evaluate --data FILE --target-accuracy" in message
    assert "\n" not in message


def test_an_unsure_label_needs_thresholds(tmp_path: Path) -> None:
    """Without them it would have no effect, so `run` and `score` refuse it at the start."""
    settings = _settings(tmp_path / "model").model_copy(update={"unsure_label": "NEUTRAL"})
    with pytest.raises(SettingsError, match="SENTIMENT_MODEL__UNSURE_LABEL=NEUTRAL: model has no"):
        load_processing(settings, resolve(settings))
    done = CliRunner().invoke(
        main, ["score", "good", "--model-name", settings.name, "--model-unsure-label", "NEUTRAL"]
    )
    assert 2 == done.exit_code
    assert "--target-accuracy 0.95 --write FILE" in done.stderr
    assert 1 == done.stderr.count("\n")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--write", "x.json"], "--write keeps what --target-accuracy finds; give both"),
        (["--write", "--target-accuracy", "0.9"], "like --write calibration.json"),
        (["--target-accuracy", "0.9", "--write"], "like --write calibration.json"),
        (["--target-accuracy", "0.9", "--write", "nowhere/x.json"], "there is no folder nowhere"),
        (["--target-accuracy", "1"], "0<x<1"),
    ],
)
def test_a_wrong_command_is_refused_before_the_model_is_loaded(
    arguments: list[str], error: str
) -> None:
    """The error says what to type."""
    done = CliRunner().invoke(main, ["evaluate", "--data", "x.tsv", *arguments])
    assert 2 == done.exit_code
    assert error in done.stderr
    assert 1 == done.stderr.count("\n")
