"""The example of an event in the contract is what the bundled model gives now."""

from __future__ import annotations

import pytest

from tools import event_example

# In int8 a last digit decides how a number is rounded, and kinds of processors differ in it.
_CLOSE = 0.03


@pytest.mark.model
def test_the_example_is_what_the_bundled_model_gives() -> None:
    """A new model needs a new example: `python tests/tools/event_example.py`, `make schemas`."""
    example, made = event_example.written(), event_example.made()
    assert pytest.approx(example["scores"], abs=_CLOSE) == made["scores"]
    assert pytest.approx(example["score"], abs=_CLOSE) == made["score"]
    digits = ("score", "scores")
    assert {k: v for k, v in example.items() if k not in digits} == {
        k: v for k, v in made.items() if k not in digits
    }
