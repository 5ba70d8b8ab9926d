"""The model card that training writes beside the weights: what it is, from what, how good."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_CARD = """---
license: apache-2.0
language: en
pipeline_tag: text-classification
---

# Bundled sentiment model

A `DistilBertForSequenceClassification` with the labels NEGATIVE (0) and POSITIVE (1), English
only. It was fine-tuned by `sentiment-stream train` from {base} on `{data}`.

| figure | value |
|---|---|
| training examples | {examples} |
| held-out sentences (none of their fragments is trained on) | {held_out_examples} |
| held-out accuracy | {held_out_accuracy} |
| held-out loss | {held_out_loss} |
| accuracy on the test file (measured once, used for no choice) | {test_accuracy} |
| best step | {best_step} of {steps} |
| minutes | {minutes} |

Recipe:

```json
{recipe_json}
```

## Limits

Scores are those of a model of film reviews: text of other kinds, sarcasm, other languages and
neutral statements are forced to a pole. Names of countries, people and groups can move the score
of an otherwise equal sentence. It is meant for measuring opinion over many messages, not for
deciding about a person.
"""


def write_card(folder: Path, figures: dict[str, Any]) -> None:
    """Write `README.md` and `training.json` into the model's folder."""
    recipe_json = json.dumps(figures["recipe"], indent=2)
    shown = {"test_accuracy": "not measured", **figures, "recipe_json": recipe_json}
    (folder / "README.md").write_text(_CARD.format(**shown))
    (folder / "training.json").write_text(json.dumps(figures, indent=2) + "\n")
