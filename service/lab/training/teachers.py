"""Soft labels for training: the probabilities that larger models give to sentences.

Exists because a label is one bit, and the probability from a model too large for a stream also says
how clear the label is (Hinton, Vinyals, Dean 2015, arXiv:1503.02531). The teachers run once, before
training. No loss and no weights here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from service.errors import InputError
from service.scoring.poles import negative, positive
from service.scoring.texts import load_model, logits_of
from service.settings import ModelSettings
from service.terminal import track

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

# Divides the logits of teacher and student, so that a clear label is still a probability below 1.
TEMPERATURE = 2.0


def teacher_probabilities(
    teachers: Sequence[Path], texts: Sequence[str], console: Console
) -> dict[str, float]:
    """The probability of POSITIVE at `TEMPERATURE` for each text, averaged over the teachers.

    Empty without teachers. The texts are normalised already, so a teacher's folder should name no
    normaliser.

    Raises:
        InputError: a teacher does not have two labels.
        SettingsError, ModelError: a teacher cannot be loaded, or has stopped working.
    """
    if not teachers:
        return {}
    once = list(dict.fromkeys(texts))
    total = np.zeros(len(once))
    for folder in teachers:
        model = load_model(ModelSettings(name=str(folder)))
        labels = model.engine.info.labels
        if len(labels) != 2:
            message = f"{folder}: has {len(labels)} labels, a teacher needs two; give another"
            raise InputError(message)
        chunks = logits_of(track(once, f"teacher {folder.name}", len(once), console), model)
        logits = np.concatenate(list(chunks)).astype(np.float64)
        margin = logits[:, positive(labels)] - logits[:, negative(labels)]
        total += 1 / (1 + np.exp(-margin / TEMPERATURE))
    return dict(zip(once, (total / len(teachers)).tolist(), strict=True))
