"""The windows of a text give one label, in which its end counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.scoring.joining import END_SHARE, joined
from service.scoring.readings import LogitsReader
from service.scoring.texts import load_model, score_texts
from service.settings import ModelSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

FINITE = st.floats(-30, 30, width=32)
# Windows of one text: two or more, and the same two to five labels for all of them.
WINDOWS = st.integers(2, 5).flatmap(
    lambda labels: st.lists(
        st.lists(FINITE, min_size=labels, max_size=labels), min_size=2, max_size=6
    )
)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """The probabilities of a model without calibration."""
    return LogitsReader().probabilities(logits)


@pytest.mark.parametrize("multi_label", [False, True])
def test_single_windows_are_unchanged(multi_label: bool) -> None:
    """To the last bit, also beside longer texts."""
    logits = np.array([[0.1, 0.2], [3.3, -1.7], [1, 2], [2, 1], [0.7, 0.3]], np.float32)
    found = joined(logits, [1, 3, 1], multi_label=multi_label)

    assert joined(logits, [1] * 5) is logits
    assert logits[[0, 4]].tolist() == found[[0, 2]].tolist()
    assert np.float32 == found.dtype
    assert found.shape == (3, 2)


@given(WINDOWS)
def test_the_end_has_its_share(windows: list[list[float]]) -> None:
    """In the probability of every label; the remaining share is that of the other windows' mean."""
    logits = np.array(windows, np.float32)
    rest = softmax(logits[:-1].astype(np.float64).mean(axis=0, keepdims=True))
    expected = (1 - END_SHARE) * rest + END_SHARE * softmax(logits[-1:])

    np.testing.assert_allclose(softmax(joined(logits, [len(logits)])), expected, atol=1e-5)


@given(WINDOWS)
def test_the_labels_of_a_multi_label_model_are_mixed_separately(windows: list[list[float]]) -> None:
    """Each label independently of the others."""
    logits = np.array(windows, np.float32)
    read = LogitsReader(multi_label=True).probabilities
    rest = read(logits[:-1].astype(np.float64).mean(axis=0, keepdims=True))
    expected = (1 - END_SHARE) * rest + END_SHARE * read(logits[-1:])

    found = joined(logits, [len(logits)], multi_label=True)
    np.testing.assert_allclose(read(found), expected, atol=1e-5)


@given(WINDOWS, st.integers(0, 100))
def test_the_order_of_labels_does_not_matter(windows: list[list[float]], seed: int) -> None:
    """Each label gets the same logit in any order."""
    logits = np.array(windows, np.float32)
    order = np.random.default_rng(seed).permutation(logits.shape[1])
    counts = [len(logits)]

    np.testing.assert_allclose(
        joined(logits[:, order], counts), joined(logits, counts)[:, order], rtol=1e-5, atol=1e-5
    )


def test_an_end_that_disagrees_lowers_the_score_and_keeps_the_label() -> None:
    """If the rest is sure; if it is not, the end decides."""
    sure, unsure, end = [0, 0, 9], [0, 0, 0.5], [9, 0, 0]
    logits = np.array([sure, sure, end, unsure, unsure, end], np.float32)
    of_sure, of_unsure = softmax(joined(logits, [3, 3]))

    assert of_sure.argmax() == 2
    assert 0.5 < of_sure[2] < 0.6
    assert of_unsure.argmax() == 0


@pytest.mark.model
@pytest.mark.parametrize(
    ("rest", "end", "contrary"),
    [
        ("The room was lovely and the staff were wonderful.", "Bedbugs, never again.", "POSITIVE"),
        ("Great hotel, lovely staff.", "There were bedbugs. I will never come back.", "POSITIVE"),
        ("The room was dirty, the staff rude to us.", "I loved it all the same!", "NEGATIVE"),
    ],
)
def test_the_end_counts(rest: str, end: str, contrary: str) -> None:
    """Sixty equal sentences and a contrary end: the bundled model is not sure of the former."""
    model = load_model(ModelSettings(device="cpu"))
    alone, mixed = score_texts([rest, f"{' '.join([rest] * 60)} {end}"], model)

    assert alone.scores[contrary] > 0.8
    assert mixed.scores[contrary] < 0.65
    assert mixed.label != contrary or not mixed.confident
