"""Loads what a model needs around its engine: the text encoder and the reader of its logits.

Exists so that the service and `lab` set both up in the same way, from the files in the model's
folder. No engine here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from service.checkpoint.calibration import Calibration  # noqa: TC001 - of a NamedTuple
from service.checkpoint.files import load_calibration
from service.checkpoint.tokenizer import load_tokenizer
from service.errors import SettingsError
from service.scoring.readings import KEEP, LogitsReader
from service.text.encoder import TextEncoder

if TYPE_CHECKING:
    from service.checkpoint.files import Checkpoint
    from service.settings import ModelSettings


class Processing(NamedTuple):
    """The processing around one model; for one thread, as its encoder is."""

    calibration: Calibration
    encoder: TextEncoder
    reader: LogitsReader


def load_processing(settings: ModelSettings, checkpoint: Checkpoint) -> Processing:
    """Load the processing for a checkpoint; takes up to a second.

    Raises:
        SettingsError: the calibration file cannot be used, or an unsure label needs thresholds.
        ModelError: a file of the model cannot be used, or is for a later version of the service.
    """
    calibration = load_calibration(settings, checkpoint)
    if settings.unsure_label != KEEP and not calibration.thresholds:
        raise SettingsError(
            f"SENTIMENT_MODEL__UNSURE_LABEL={settings.unsure_label}: {checkpoint.name} has no "
            "threshold below which it is unsure; find one with `sentiment-stream evaluate --data "
            "FILE --target-accuracy 0.95 --write FILE` and set SENTIMENT_MODEL__CALIBRATION_FILE "
            "to that file, or set keep"
        )
    encoder = TextEncoder(
        load_tokenizer(checkpoint),
        window_tokens_max(calibration, checkpoint),
        text_tokens_max=settings.text_tokens_max,
        normaliser=calibration.normaliser,
    )
    reader = LogitsReader(
        calibration, checkpoint.multi_label, settings.unsure_label, settings.known_languages
    )
    return Processing(calibration, encoder, reader)


def window_tokens_max(calibration: Calibration, checkpoint: Checkpoint) -> int:
    """Most tokens of a window, special tokens included, within the model's own limit.

    Without a length in its calibration, as in published models, windows are as long as that limit.
    """
    return min(checkpoint.tokens_max, calibration.window_tokens or checkpoint.tokens_max)
