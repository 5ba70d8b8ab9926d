"""The example of an event is what the bundled model says, by the scores and the files of today."""

from __future__ import annotations

import pytest

from service.contracts import SentimentEvent
from service.lab.scoring import load_model, score_texts
from service.settings import Settings


@pytest.mark.model
def test_the_example_is_what_the_bundled_model_says() -> None:
    """A new model is a new example: take it into contracts.py and schemas/README.md."""
    [example] = SentimentEvent.model_json_schema()["examples"]
    model = load_model(Settings().model)
    [scored] = score_texts([example["text"]], model)
    info = model.engine.info
    assert {"revision": info.revision, "engine": info.engine, "label": scored.label} == {
        "revision": example["model"]["revision"],
        "engine": example["model"]["engine"],
        "label": example["label"],
    }
    # Processors differ in the last digits.
    assert pytest.approx(scored.scores, abs=1e-4) == example["scores"]
    assert pytest.approx(scored.score, abs=1e-4) == example["score"]
