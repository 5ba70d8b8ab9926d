"""What each step of the normaliser is worth: the accuracy without it, on posts and tweets.

    python tests/bench/ablation.py ../shared/data

A model that was trained on normalised text is measured, so a step counts for what training with it
and running with it give together. A step stays only if it helps somewhere and harms nowhere beyond
chance.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from service.engines import load_engine
from service.engines.checkpoint import load_tokenizer, resolve
from service.lab.labelled import read_labelled
from service.normalise import STEPS, VERSION, normalise
from service.settings import ModelSettings
from service.text import TextEncoder

SETTINGS = ModelSettings(precision="float32")
CHUNK_TEXTS = 512


def main(data: Path) -> None:
    """Print the table."""
    checkpoint = resolve(SETTINGS)
    engine = load_engine(SETTINGS, checkpoint)
    encoder = TextEncoder(load_tokenizer(checkpoint), checkpoint.tokens_max)
    sets = {
        "tweets": read_labelled(data / "tweets" / "vader_tweets.tsv", "ratings"),
        "reddit": read_labelled(data / "reddit" / "dev.tsv", "emotions"),
    }

    def predicted(texts: list[str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        parts = (texts[i : i + CHUNK_TEXTS] for i in range(0, len(texts), CHUNK_TEXTS))
        return np.concatenate([engine.logits(encoder.sequences(p)).argmax(1) for p in parts])

    names = {"all steps": set(STEPS), "none": set[str]()}
    names |= {f"without {name}": set(STEPS) - {name} for name in STEPS}
    table = Table("", *(f"{name} ({len(rows)})" for name, rows in sets.items()), "texts changed")
    whole = {n: [normalise(e.text, VERSION) for e in rows] for n, rows in sets.items()}
    for name, steps in names.items():
        cells, changed = [], 0
        for which, rows in sets.items():
            texts = [normalise(e.text, VERSION, steps) for e in rows]
            changed += sum(a != b for a, b in zip(texts, whole[which], strict=True))
            right = predicted(texts) == np.array([e.label for e in rows])
            cells.append(f"{right.mean():.4f}")
        table.add_row(name, *cells, str(changed))
    Console(width=100).print(table)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
