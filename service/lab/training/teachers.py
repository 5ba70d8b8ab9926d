"""What other, larger models say of the sentences to train on: soft labels.

Exists because a label is one bit, and a model too large for a stream knows more of a sentence:
which pole, how clearly, and what it is torn between (Hinton, Vinyals, Dean 2015, arXiv:1503.02531).
Teachers are asked once, before training. No loss and no weights here.
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

# Of the logits of teacher and pupil: flat enough that what a teacher is sure of still tells more
# than its label would.
TEMPERATURE = 2.0


def told(teachers: Sequence[Path], texts: Sequence[str], console: Console) -> dict[str, float]:
    """The probability of POSITIVE at `TEMPERATURE` for each text, the mean over the teachers.

    Texts are normalised already; a teacher's folder should ask for no normaliser of its own.

    Raises:
        InputError: a teacher does not have two labels.
        SettingsError, ModelError: a teacher cannot be loaded, or has stopped working.
    """
    once = list(dict.fromkeys(texts))
    total = np.zeros(len(once))
    for folder in teachers:
        model = load_model(ModelSettings(name=str(folder)))
        labels = model.engine.info.labels
        if len(labels) != 2:
            message = f"{folder}: has {len(labels)} labels, a teacher needs two; give another"
            raise InputError(message)
        chunks = logits_of(track(once, f"ask {folder.name}", len(once), console), model)
        logits = np.concatenate(list(chunks)).astype(np.float64)
        margin = logits[:, positive(labels)] - logits[:, negative(labels)]
        total += 1 / (1 + np.exp(-margin / TEMPERATURE))
    return dict(zip(once, (total / len(teachers)).tolist(), strict=True))
