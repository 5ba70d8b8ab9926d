"""Readings from logits: uncalibrated, calibrated, and with an unsure label."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from service.checkpoint.calibration import Calibration
from service.records import Encoded, Reading, TextStats
from service.scoring.readings import LogitsReader

LABELS = ("NEGATIVE", "POSITIVE")


def _softmax(logits: np.ndarray) -> Any:
    """The softmax without any calibration."""
    exact = logits.astype(np.float64)
    powers = np.exp(exact - exact.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


@given(arrays.arrays(np.float32, (7, 3), elements=st.floats(-50, 50, width=32)))
def test_without_calibration_it_is_the_softmax_to_the_last_bit(logits: np.ndarray) -> None:
    """So a published model gives its published figures."""
    assert _softmax(logits).tobytes() == LogitsReader().probabilities(logits).tobytes()


@given(
    arrays.arrays(np.float32, (5, 3), elements=st.floats(-20, 20, width=32)),
    st.floats(0.2, 5),
    st.tuples(*[st.floats(-2, 2)] * 3),
)
def test_temperature_and_bias(logits: np.ndarray, heat: float, bias: tuple[float, ...]) -> None:
    """The softmax of logits / temperature + bias; without a bias the likeliest label stays so."""
    expected = _softmax((logits.astype(np.float64) / heat + np.array(bias)).astype(np.float64))
    found = LogitsReader(Calibration(temperature=heat, bias=bias)).probabilities(logits)
    assert np.float32 == found.dtype
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    cooled = LogitsReader(Calibration(temperature=heat)).probabilities(logits)
    best = np.take_along_axis(cooled, logits.argmax(axis=1)[:, None], axis=1)[:, 0]
    assert (best == cooled.max(axis=1)).all()


def test_a_multi_label_model() -> None:
    """Each label has the sigmoid of its calibrated logit."""
    logits = np.array([[0.0, 2.0, -4.0]], np.float32)
    reader = LogitsReader(Calibration(temperature=2, bias=(0.0, 0.0, 2.0)), multi_label=True)
    expected = 1 / (1 + np.exp(-np.array([[0.0, 1.0, 0.0]])))
    np.testing.assert_allclose(reader.probabilities(logits), expected, atol=1e-7)


@given(
    arrays.arrays(np.float32, (5, 3), elements=st.floats(-100, 100, width=32)),
    st.floats(0.01, 5),
    st.booleans(),
)
def test_a_probability_is_never_above_1(logits: np.ndarray, heat: float, several: bool) -> None:
    """Not even by rounding, because the encoder would reject it."""
    with np.errstate(over="ignore"):
        found = LogitsReader(Calibration(temperature=heat), multi_label=several).probabilities(
            logits
        )
    assert found.min() >= 0
    assert found.max() <= 1


def _short(reading: Reading) -> tuple[str, float, bool]:
    return reading.label, reading.score, reading.confident


@pytest.mark.parametrize(
    ("threshold", "unsure", "expected"),
    [
        (0.0, "NEUTRAL", ("POSITIVE", 0.75, True)),
        (0.75, "NEUTRAL", ("POSITIVE", 0.75, True)),
        (0.76, "NEUTRAL", ("NEUTRAL", 0.75, False)),
        (0.76, "keep", ("POSITIVE", 0.75, False)),
    ],
)
def test_unsure(threshold: float, unsure: str, expected: tuple[str, float, bool]) -> None:
    """Below the threshold, and only there, the label is that of the settings."""
    reader = LogitsReader(Calibration(thresholds=(0.0, threshold)), unsure_label=unsure)
    assert expected == _short(reader.reading(LABELS, [0.25, 0.75]))


def test_each_label_has_a_threshold_of_its_own() -> None:
    """A label without one is never confident."""
    reader = LogitsReader(Calibration(thresholds=(0.5, None, 0.9)), unsure_label="UNSURE")
    labels = ("negative", "Neutral", "positive")
    assert ("negative", 0.5, True) == _short(reader.reading(labels, [0.5, 0.3, 0.2]))
    assert ("UNSURE", 0.8, False) == _short(reader.reading(labels, [0.1, 0.8, 0.1]))
    assert ("UNSURE", 0.8, False) == _short(reader.reading(labels, [0.1, 0.1, 0.8]))
    kept = LogitsReader(Calibration(thresholds=(0.5, None, 0.9)))
    assert ("positive", 0.8, False) == _short(kept.reading(labels, [0.1, 0.1, 0.8]))


def _text(language: str | None = None, *, truncated: bool = False, known: bool = True) -> Encoded:
    return Encoded(([0, 1],), TextStats(2, truncated, 1, 0.0, known), language)


@pytest.mark.parametrize("calibration", [Calibration(), Calibration(thresholds=(0.5, 0.5))])
def test_a_text_that_the_model_cannot_judge_is_never_confident(calibration: Calibration) -> None:
    """In another language, without a known token, or cut; whatever the score and thresholds."""
    texts = [
        _text(), _text("en"), _text("fr"), _text("de"), _text("en", truncated=True),
        _text("en", known=False), _text(known=False),
    ]  # fmt: skip
    logits = np.tile(np.array([[0.0, 9.0]], np.float32), (len(texts), 1))
    reader = LogitsReader(calibration, unsure_label="UNSURE", languages=frozenset({"en", "de"}))
    readings = reader.read(LABELS, logits, texts)
    assert [True, True, False, True, False, False, False] == [r.confident for r in readings]
    assert {True: "POSITIVE", False: "UNSURE"} == {r.confident: r.label for r in readings}
    assert all(reading.score > 0.99 for reading in readings)


def test_without_languages_any_language_can_be_judged() -> None:
    """The languages of the model are unknown then."""
    assert LogitsReader().can_judge(_text("fr"))
