"""The file beside a model's weights: what it may contain, and how errors are reported."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from service.checkpoint.calibration import (
    FILE,
    FILE_BYTES_MAX,
    UNCALIBRATED,
    Calibration,
    Reference,
    read_calibration,
    read_file,
    write_calibration,
)
from service.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = Calibration(
    normaliser=1,
    temperature=1.5,
    bias=(0.25, -0.25),
    thresholds=(0.75, None),
    target_accuracy=0.95,
    window_tokens=128,
    precision="int8",
    reference=Reference(
        (0.5, 0.5), (1.0,), 0.125, {"en": 1.0}, {"NEGATIVE": 0.25, "POSITIVE": 0.75}
    ),
)


def _reference_with(**changed: Any) -> bytes:
    reference = {"scores": [], "tokens": [], "unknown": 0, "languages": {}, **changed}
    return json.dumps({"reference": reference}).encode()


def test_a_reference_without_labels_is_read(tmp_path: Path) -> None:
    """Older files have no shares of labels."""
    (tmp_path / FILE).write_bytes(_reference_with())
    reference = read_calibration(tmp_path, 2).reference
    assert reference is not None
    assert {} == reference.labels


@pytest.mark.parametrize("calibration", [WHOLE, UNCALIBRATED])
def test_what_is_written_is_read(calibration: Calibration, tmp_path: Path) -> None:
    """All of it."""
    write_calibration(tmp_path, calibration)

    assert calibration == read_calibration(tmp_path, 2)


def test_a_model_without_the_file_is_not_calibrated(tmp_path: Path) -> None:
    """So a published model gives its published figures."""
    assert UNCALIBRATED == read_calibration(tmp_path, 2)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b"3",
        b"[" * 20_000,
        b" " * (FILE_BYTES_MAX + 1),
        json.dumps({"temperature": 0}).encode(),
        json.dumps({"temperature": "hot"}).encode(),
        b'{"temperature": NaN}',
        b'{"threshold": 1.5}',
        b'{"thresholds": [0.5]}',
        b'{"thresholds": [0.5, 1.01]}',
        b'{"thresholds": [0.5, true]}',
        b'{"threshold": 0.5, "thresholds": [0.5, 0.5]}',
        b'{"window_tokens": 31}',
        b'{"window_tokens": -1}',
        b'{"window_tokens": 64.0}',
        b'{"normaliser": 1, "precision": "float64"}',
        b'{"normaliser": 1, "precision": null}',
        b'{"bias": [0.1]}',
        b'{"bias": ["a", "b"]}',
        b'{"bias": 3}',
        b'{"unheard_of": 1}',
        b'{"reference": {}}',
        b'{"reference": {"scores": 1, "tokens": [], "unknown": 0, "languages": {}}}',
        b'{"reference": {"scores": [], "tokens": [], "unknown": 0, "languages": []}}',
        _reference_with(labels=["NEGATIVE"]),
        _reference_with(labels={"NEGATIVE": 1.5}),
        _reference_with(labels={"NEGATIVE": "half"}),
    ],
)
def test_what_cannot_be_used_is_named(content: bytes, tmp_path: Path) -> None:
    """One line, with the file and what to do."""
    (tmp_path / FILE).write_bytes(content)

    with pytest.raises(ModelError, match=r"sentiment\.json: cannot be used") as caught:
        read_calibration(tmp_path, 2)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{}", "there is no calibration in it"),
        ('{"revision": "a", "target_accuracy": 0.9}', "there is no calibration in it"),
        ('{"temperature": 2, "heat": 1}', "it is no calibration file: none has 'heat'"),
        ('{"label": "POSITIVE", "score": 0.5}', "it is no calibration file: none has 'label'"),
        (
            '{"version": 1, "engine": "onnx_packed", "messages_per_s": 1, "difference_p99": 0}',
            "it is no calibration file but one of `tune`, for SENTIMENT_MODEL__TUNING_FILE",
        ),
        ("[]", "it is no JSON object"),
        ("text,label", "it is no JSON: Expecting value: line 1 column 1 (char 0)"),
        ('{"reference": {"scores": [], "tokens": []}}', "its reference has no unknown"),
    ],
)
def test_another_file_is_no_calibration(content: str, why: str, tmp_path: Path) -> None:
    """It would leave scores raw without a word; the reason is in words, not Python's."""
    (tmp_path / "ours.json").write_text(content)

    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        read_file(tmp_path / "ours.json", 2)


@pytest.mark.parametrize("wrong", [{"normaliser": -1}, {"normaliser": "1"}, {"normaliser": True}])
def test_a_version_is_a_number(wrong: Any, tmp_path: Path) -> None:
    """Whether the version exists is checked elsewhere."""
    (tmp_path / FILE).write_text(json.dumps(wrong))

    with pytest.raises(ModelError):
        read_calibration(tmp_path, 2)


@pytest.mark.parametrize(("content", "thresholds"), [({"threshold": 0.5}, (0.5,) * 3),
                                                     ({"threshold": 0.0}, ())])  # fmt: skip
def test_one_threshold_is_that_of_all_labels(
    content: Any, thresholds: tuple[float, ...], tmp_path: Path
) -> None:
    """In files from before each label had its own; 0 was no threshold."""
    (tmp_path / FILE).write_text(json.dumps(content))

    assert thresholds == read_calibration(tmp_path, 3).thresholds
