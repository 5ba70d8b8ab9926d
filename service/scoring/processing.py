"""What stands around a model: texts to the tokens that it was trained on, its logits to readings.

Exists so that the service and what measures it (`lab`) put both together in one way, from the files
beside the weights. No engine here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from service.checkpoint.calibration import Calibration, read_calibration, read_file
from service.checkpoint.files import load_tokenizer
from service.errors import SettingsError
from service.scoring.readings import KEEP, LogitsReader
from service.text.encoder import TextEncoder

if TYPE_CHECKING:
    from service.checkpoint.files import Checkpoint
    from service.settings import ModelSettings


class Processing(NamedTuple):
    """Of one model; the encoder, and with it all, is for one thread."""

    calibration: Calibration
    encoder: TextEncoder
    reader: LogitsReader


def load_processing(settings: ModelSettings, checkpoint: Checkpoint) -> Processing:
    """Read what belongs to a checkpoint; takes up to a second.

    Raises:
        SettingsError: the calibration file cannot be used, or the model is never unsure.
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


def load_calibration(settings: ModelSettings, checkpoint: Checkpoint) -> Calibration:
    """What the calibration file says, where the settings name one, else the model's own file.

    Raises:
        SettingsError: the calibration file cannot be used, or is for another model.
        ModelError: the model's own file cannot be used.
    """
    if settings.calibration_file is None:
        return read_calibration(checkpoint.folder, len(checkpoint.labels))
    named = f"SENTIMENT_MODEL__CALIBRATION_FILE={settings.calibration_file}"
    remedy = "write it anew with `sentiment-stream evaluate --target-accuracy`, or unset it"
    try:
        calibration = read_file(settings.calibration_file, len(checkpoint.labels))
    except ValueError as error:
        raise SettingsError(f"{named} cannot be used ({error}); {remedy}") from None
    if calibration.revision not in ("", checkpoint.revision):
        raise SettingsError(
            f"{named} is for the model at {calibration.revision}, but {checkpoint.name} at "
            f"{checkpoint.revision} runs; {remedy}"
        )
    return calibration


def window_tokens_max(calibration: Calibration, checkpoint: Checkpoint) -> int:
    """Most tokens of one window, special tokens counted: as the model asks, at most what it takes.

    A model that asks for nothing, as published ones do, has windows of all its positions.
    """
    return min(checkpoint.tokens_max, calibration.window_tokens or checkpoint.tokens_max)
