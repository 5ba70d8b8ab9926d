"""Writes the model card beside the weights: the model, its data, its figures.

Exists so that no figure in the card is typed by hand. Text below `HAND_WRITTEN` in an existing card
is kept. No model code here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

HAND_WRITTEN = "<!-- What stands below is written by hand; training leaves it as it is. -->"

_CARD = """---
license: apache-2.0
language: en
pipeline_tag: text-classification
---

# Bundled sentiment model

A `DistilBertForSequenceClassification` with the labels {labels}, English
only. It was fine-tuned by `sentiment-stream train` from {base} on {data}{taught}.

| figure | value |
|---|---|
| training examples | {examples} |
{held_out}
| held-out loss, mean over domains | {held_out_loss} |
| accuracy of the poles on the test file (chose no checkpoint) | {test_accuracy} |
| best step (of the first run) | {best_step} of {steps} |
| minutes | {minutes} |

No fragment of a held-out sentence is trained on. Held out of the training data, and used to choose
checkpoints and runs and to calibrate, are the examples counted above.

Recipe:

```json
{recipe_json}
```

{marker}
{hand_written}"""
_LIMITS = """
## Limits

Scores are those of a model of film reviews and short posts: sarcasm, other languages and neutral
statements are forced to a pole. It is meant for measuring opinion over many messages, not for
deciding about a person.
"""


def write_card(folder: Path, figures: dict[str, Any]) -> None:
    """Write `README.md` and `training.json` into the model's folder."""
    shown = {
        "test_accuracy": "not measured",
        **figures,
        "labels": ", ".join(f"{name} ({i})" for i, name in enumerate(figures["labels"])),
        "taught": f", taught by {figures['teachers']}" if "teachers" in figures else "",
        "recipe_json": json.dumps(figures["recipe"], indent=2),
        "held_out": "\n".join(
            f"| {figure} on {figures['held_out_examples'][name]} held out of {name} | {value} |"
            for figure, values in (
                ("accuracy of the poles", figures["held_out_accuracy"]),
                ("macro recall", figures["held_out_recall"]),
            )
            for name, value in values.items()
        ),
        "marker": HAND_WRITTEN,
        "hand_written": _hand_written(folder / "README.md"),
    }
    (folder / "README.md").write_text(_CARD.format(**shown))
    write_figures(folder, figures)


def write_figures(folder: Path, figures: dict[str, Any]) -> None:
    """Write `training.json`, which also marks a run as finished."""
    (folder / "training.json").write_text(json.dumps(figures, indent=2) + "\n")


def _hand_written(card: Path) -> str:
    if not card.is_file():
        return _LIMITS
    _, marker, below = card.read_text().partition(HAND_WRITTEN + "\n")
    return below if marker else _LIMITS
