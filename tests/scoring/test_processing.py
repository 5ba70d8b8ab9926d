"""The processing around a model comes from the files in its folder, and from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from service.checkpoint.calibration import UNCALIBRATED, Calibration, write_calibration
from service.checkpoint.files import resolve
from service.errors import ModelError
from service.scoring.processing import Processing, load_processing
from service.scoring.readings import LogitsReader
from service.settings import ModelSettings
from tools.tiny_model import VOCABULARY, write_files

if TYPE_CHECKING:
    from pathlib import Path

ENGLISH = frozenset({"en"})
GOOD_DAY = [VOCABULARY[word] for word in ("[CLS]", "good", "day", "[SEP]")]


def loaded(settings: ModelSettings) -> Processing:
    """The processing of the model that the settings name."""
    return load_processing(settings, resolve(settings))


def test_a_published_model_is_neither_calibrated_nor_normalised(tmp_path: Path) -> None:
    """It has no calibration file."""
    calibration, encoder, reader = loaded(ModelSettings(name=str(write_files(tmp_path))))

    assert (UNCALIBRATED, LogitsReader(languages=ENGLISH)) == (calibration, reader)
    assert [GOOD_DAY] == encoder.sequences(["good day"])
    assert [GOOD_DAY] != encoder.sequences(["#GoodDay"])


def test_the_calibration_file_applies(tmp_path: Path) -> None:
    """To text and score; the settings give the length of a text and the unsure label."""
    folder = write_files(tmp_path, problem_type="multi_label_classification")
    kept = Calibration(normaliser=1, temperature=2.0, thresholds=(0.75, 0.75))
    write_calibration(folder, kept)

    calibration, encoder, reader = loaded(
        ModelSettings(name=str(folder), unsure_label="NEUTRAL", text_tokens_max=100)
    )

    assert kept == calibration
    assert LogitsReader(kept, True, "NEUTRAL", ENGLISH) == reader
    assert [GOOD_DAY] == encoder.sequences(["#GoodDay"])
    [(windows, stats)] = encoder.encode(["good " * 200])
    # Two windows that cover the text, and its end.
    assert (3, 100, True) == (len(windows), stats.tokens, stats.truncated)
    assert max(map(len, windows)) > 32


@pytest.mark.parametrize(("window_tokens", "longest"), [(0, 64), (32, 32), (64, 64), (500, 64)])
def test_windows_are_as_long_as_the_calibration_says(
    tmp_path: Path, window_tokens: int, longest: int
) -> None:
    """At most the model's limit, which is also the default."""
    folder = write_files(tmp_path)
    write_calibration(folder, Calibration(window_tokens=window_tokens))
    _, encoder, _ = loaded(ModelSettings(name=str(folder)))

    [(one, _), (several, stats)] = encoder.encode(["good " * (longest - 2), "good " * 2000])

    assert [longest] == [len(window) for window in one]
    assert longest - 2 <= max(map(len, several)) <= longest
    assert len(several) == stats.windows


def test_a_model_for_a_later_version_is_refused(tmp_path: Path) -> None:
    """Its text would be normalised in an unknown way."""
    folder = write_files(tmp_path)
    write_calibration(folder, Calibration(normaliser=99))

    with pytest.raises(ModelError, match="install the version"):
        loaded(ModelSettings(name=str(folder)))
