"""Calibration: known parameters are recovered, and written where the service reads them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from rich.console import Console

from service.checkpoint.calibration import Calibration, read_calibration
from service.errors import InputError
from service.scoring.readings import LogitsReader

torch = pytest.importorskip("torch")
from service.lab.teaching.recipe import Recipe  # noqa: E402
from service.lab.teaching.sources import Sources  # noqa: E402
from service.lab.training.averaged import train  # noqa: E402
from service.lab.training.calibrate import calibrate, fit, reference  # noqa: E402
from tools.tiny_checkpoints import write_tiny_encoder  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

pytestmark = pytest.mark.model


def _balanced(bias: Sequence[float], labels: NDArray[np.int64]) -> list[float]:
    """The bias for equally frequent labels."""
    counts = np.bincount(labels, minlength=len(bias))
    found = np.asarray(bias) - np.log(counts / counts.sum())
    return (found - found.mean()).tolist()  # type: ignore[no-any-return] # of numpy


def test_the_temperature_and_bias_of_made_up_labels_are_found() -> None:
    """Labels are drawn from known probabilities, which the fit recovers for equal frequencies."""
    random = np.random.default_rng(1)
    logits = random.normal(0, 4, (40_000, 2))
    true = LogitsReader(Calibration(temperature=2.5, bias=(0.3, -0.3))).probabilities(
        logits.astype(np.float32)
    )
    labels = (random.random(len(true)) < true[:, 1]).astype(np.int64)
    temperature, bias = fit([logits[:10_000], logits[10_000:]], [labels[:10_000], labels[10_000:]])
    assert pytest.approx(2.5, rel=0.05) == temperature
    assert pytest.approx(_balanced((0.3, -0.3), labels), abs=0.05) == bias


def test_the_reference_counts_texts_and_tokens() -> None:
    """The shares of scores, labels, lengths and unknown tokens."""
    found = reference(
        np.array([[0.05, 0.9, 0.05], [0, 0.05, 0.95], [0, 0, 1.0], [0.2, 0.25, 0.55]]),
        ["NEGATIVE", "NEUTRAL", "POSITIVE"],
        [[2, 1, 3], [2, 7, 3], [2] * 9, [2] * 200],
        1,
        ["en", "en", None, "de"],
    )
    assert (0.25, 0, 0, 0, 0, 0.25, 0, 0, 0, 0.5) == found.scores
    assert {"NEGATIVE": 0, "NEUTRAL": 0.25, "POSITIVE": 0.75} == found.labels
    assert (0.5, 0.25, 0, 0, 0, 0.25) == found.tokens
    assert {"en": 0.5, "und": 0.25, "de": 0.25} == found.languages
    assert pytest.approx(1 / (1 + 1 + 7 + 198), abs=1e-6) == found.unknown


def test_a_trained_model_gets_what_the_service_reads(tmp_path: Path) -> None:
    """The file has the normaliser of the training, and a reference."""
    data = tmp_path / "train.tsv"
    rows = "".join(f"{' '.join(f'w{(i * 7 + j) % 90}' for j in range(13))}\t{i % 2}\n"
                   for i in range(30))  # fmt: skip
    data.write_text("sentence\tlabel\n" + rows)
    recipe = Recipe(batch_size=8, epochs=1, held_out=10, normaliser=1, precision="float32")
    train(
        write_tiny_encoder(tmp_path / "base"), Sources(data), tmp_path / "model", recipe,
        Console(file=io.StringIO()),
    )  # fmt: skip
    figures = calibrate(tmp_path / "model", Sources(data))
    calibration = read_calibration(tmp_path / "model", 2)
    assert 1 == calibration.normaliser
    assert (figures["temperature"], tuple(figures["bias"])) == (
        calibration.temperature,
        calibration.bias,
    )
    # Five rows are too few for a threshold, so no label is confident.
    assert ((None, None), 0.95) == (calibration.thresholds, calibration.target_accuracy)
    assert "are needed" in figures["stopped_by"][0]
    assert calibration.reference is not None
    assert pytest.approx(1) == sum(calibration.reference.scores)
    assert pytest.approx(1) == sum(calibration.reference.labels.values())
    assert pytest.approx(1) == sum(calibration.reference.tokens)
    assert calibration.precision == "float32"
    # One that is of no use any more is replaced.
    (tmp_path / "model" / "sentiment.json").write_text('{"bias": [1, 2, 3]}')
    calibrate(tmp_path / "model", Sources(data), precision="int8")
    assert read_calibration(tmp_path / "model", 2).precision == "int8"


def test_a_model_of_another_origin_is_refused(tmp_path: Path) -> None:
    """Without a record of what was held out, a fit could use training data."""
    with pytest.raises(InputError, match="train again"):
        calibrate(tmp_path, Sources(tmp_path / "train.tsv"))


def test_rows_of_poles_only_do_not_change_other_labels() -> None:
    """A domain of such rows fits the bias of the poles, one with neutral rows all three."""
    random = np.random.default_rng(2)
    true = Calibration(temperature=1.6, bias=(0.5, 0.1, -0.6))
    logits = [random.normal(0, 3, (30_000, 3)) for _ in range(2)]
    shares = [
        LogitsReader(true).probabilities(x.astype(np.float32)).astype(np.float64) for x in logits
    ]
    shares[1][:, 1] = 0
    labels = [
        (random.random((len(p), 1)) > (p / p.sum(axis=1, keepdims=True)).cumsum(axis=1)).sum(axis=1)
        for p in shares
    ]
    of_both = fit(logits, labels, [np.zeros(30_000, bool), np.ones(30_000, bool)])
    assert pytest.approx(true.temperature, rel=0.05) == of_both[0]
    expected = _balanced(true.bias, labels[0])
    assert pytest.approx(expected, abs=0.06) == of_both[1]
    # As rows that are certainly not neutral, they would lower the neutral label's probability.
    assert fit(logits, labels)[1][1] < expected[1] - 0.3
