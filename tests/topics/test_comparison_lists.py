"""Comparing topics whose messages were elements of lists: they share an offset."""

from __future__ import annotations

import json

from service.topics.comparison import Comparison


def _event(index: int | None, score: float) -> bytes:
    origin = {"topic": "in", "partition": 0, "offset": 7, "timestamp": None}
    event = {
        "source_id": None,
        "text": None,
        "label": "POSITIVE" if score >= 0.5 else "NEGATIVE",
        "scores": {"NEGATIVE": 1 - score, "POSITIVE": score},
        "model": {"name": "m", "revision": "r", "precision": "float32", "engine": "e"},
        "origin": origin if index is None else {**origin, "index": index},
    }
    return json.dumps(event).encode()


def test_elements_of_a_record_are_told_apart() -> None:
    """By their index; an event without one is a single message's, as before."""
    comparison = Comparison(("a", "b"), 10)
    for index, score in ((0, 0.9), (1, 0.1), (None, 0.6)):
        comparison.add(0, _event(index, score))
    for index, score in ((1, 0.2), (None, 0.6), (0, 0.9)):
        comparison.add(1, _event(index, score))
    figures = comparison.figures()
    assert 3 == figures["joined"]
    assert 0 == sum(side.repeats for side in comparison.sides)
    assert {"topic": "in", "partition": 0, "offset": 7, "index": 1} == (
        figures["shifted_examples"][0]["origin"]
    )
