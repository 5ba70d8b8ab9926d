"""What each step of the normaliser is worth: the loss on posts that it changes, with and without.

    python tests/bench/ablation.py ../shared/data [MODEL] [--version N]

Each text is compared with itself, so a difference is the step's alone, and the interval, by
bootstrap, says which differences are more than chance. A model that was trained on normalised text
is measured, so a step counts for what training with it and running with it give together. The texts
have a clear opinion: of a model with a neutral label, its two poles are held against each other.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

from service.checkpoint.files import resolve
from service.checkpoint.tokenizer import load_tokenizer
from service.engines import load_engine
from service.lab.data.labelled import read_labelled
from service.scoring.poles import negative, positive
from service.settings import ModelSettings
from service.text.encoder import TextEncoder
from service.text.normalise import STEPS, VERSION, apply_steps, normalise

if TYPE_CHECKING:
    from service.text.normalise import Step

CHUNK_TEXTS = 512
RESAMPLES = 2000
Floats = np.ndarray[tuple[int], np.dtype[np.float64]]


def main(data: Path, model: str, version: int) -> None:
    """Print the table for a version of the normaliser."""
    settings = ModelSettings(precision="float32", name=model)
    checkpoint = resolve(settings)
    engine = load_engine(settings, checkpoint)
    encoder = TextEncoder(load_tokenizer(checkpoint), checkpoint.tokens_max)
    rows = [
        *read_labelled(data / "tweets" / "vader_tweets.tsv", "ratings"),
        *read_labelled(data / "reddit" / "dev.tsv", "emotions"),
    ]
    labels = np.array([row.label for row in rows])

    def losses(texts: list[str]) -> Floats:
        parts = (texts[i : i + CHUNK_TEXTS] for i in range(0, len(texts), CHUNK_TEXTS))
        logits = np.concatenate([engine.logits(encoder.sequences(part)) for part in parts])
        named = checkpoint.labels
        margin = (logits[:, positive(named)] - logits[:, negative(named)]) * (1 - 2 * labels)
        return np.asarray(np.logaddexp(0, margin), np.float64)

    whole = [normalise(row.text, version) for row in rows]
    whole_loss = losses(whole)
    resampled = np.random.default_rng(1)
    table = Table("without", "texts changed", "loss more by", "95 %", "labels right more by")
    steps = STEPS[version]
    kept: dict[str, list[Step]] = {"all": []}
    for name in steps:
        kept[name] = [step for other, step in steps.items() if other != name]
    for name, left in kept.items():
        texts = [apply_steps(row.text, left) for row in rows]
        changed = np.array([a != b for a, b in zip(texts, whole, strict=True)])
        if not changed.any():
            table.add_row(name, "0", "", "", "")
            continue
        loss = losses(texts)
        more = (loss - whole_loss)[changed]
        means = [resampled.choice(more, len(more)).mean() for _ in range(RESAMPLES)]
        low, high = np.percentile(means, [2.5, 97.5])
        right = int((loss[changed] < np.log(2)).sum()) - int(
            (whole_loss[changed] < np.log(2)).sum()
        )
        table.add_row(
            name, str(changed.sum()), f"{more.mean():+.4f}", f"{low:+.4f} to {high:+.4f}",
            f"{right:+d}",
        )  # fmt: skip
    Console(width=100).print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("model", nargs="?", default="bundled")
    parser.add_argument("--version", type=int, choices=STEPS, default=VERSION)
    chosen = parser.parse_args()
    main(chosen.data, chosen.model, chosen.version)
