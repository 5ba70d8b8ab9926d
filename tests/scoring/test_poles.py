"""The poles of models with two labels, with three, and with others, by their names."""

from __future__ import annotations

import pytest

from service.scoring.poles import meaning, negative, neutral, polarity, pole, positive, two_way


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (("NEGATIVE", "POSITIVE"), (0, None, 1)),
        (("NEGATIVE", "NEUTRAL", "POSITIVE"), (0, 1, 2)),
        (("Positive", "negative", "neutral"), (1, 2, 0)),
        (("NEU", "POS", "NEG"), (2, 0, 1)),
        (("LABEL_0", "LABEL_1", "LABEL_2"), (0, None, 2)),
        (("1 star", "5 stars"), (0, None, 1)),
        (("positive", "other"), (1, None, 0)),
        (("other", "negative"), (1, None, 0)),
    ],
)
def test_poles_are_found_by_name(
    labels: tuple[str, ...], found: tuple[int, int | None, int]
) -> None:
    """In any order and case; a neutral label is never guessed."""
    assert found == (negative(labels), neutral(labels), positive(labels))


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ({"NEGATIVE": 0.2, "POSITIVE": 0.8}, {"NEGATIVE": 0.2, "POSITIVE": 0.8}),
        ({"NEGATIVE": 0.1, "NEUTRAL": 0.6, "POSITIVE": 0.3}, {"NEGATIVE": 0.25, "POSITIVE": 0.75}),
        ({"pos": 0.25, "neu": 0.5, "neg": 0.25}, {"neg": 0.5, "pos": 0.5}),
        ({"NEGATIVE": 0.0, "NEUTRAL": 1.0, "POSITIVE": 0.0}, {"NEGATIVE": 0.5, "POSITIVE": 0.5}),
    ],
)
def test_two_of_three(scores: dict[str, float], expected: dict[str, float]) -> None:
    """The poles alone, scaled to a sum of 1; the negative one comes first."""
    found = two_way(scores)
    assert found is not None
    assert list(expected) == list(found)
    assert pytest.approx(expected) == found
    assert pytest.approx(1) == sum(found.values())


@pytest.mark.parametrize("labels", [("LABEL_0", "LABEL_1"), ("negative", "other"), ("positive",)])
def test_poles_without_a_name_are_not_guessed(labels: tuple[str, ...]) -> None:
    """There are no two-way scores then."""
    assert two_way(dict.fromkeys(labels, 0.5)) is None


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("NEGATIVE", "POSITIVE"), [-1, 1, 0]),
        (("pos", "neu", "neg"), [1, 0, -1, 0]),
        (("LABEL_0", "LABEL_1"), [-1, 1, 0]),
        (("1 star", "3 stars", "5 stars"), [-1, 0, 1, 0]),
    ],
)
def test_which_pole_a_label_is(labels: tuple[str, ...], expected: list[int]) -> None:
    """The label of unsure texts is no pole."""
    assert expected == [pole(label, labels) for label in (*labels, "UNSURE")]


def test_meaning() -> None:
    """Another label means itself."""
    assert ["negative", "neutral", "positive", "UNSURE"] == [
        meaning(label) for label in ("Neg", "NEUTRAL", "positive", "UNSURE")
    ]


@pytest.mark.parametrize(
    ("bad", "good", "expected"), [(0.2, 0.8, 0.8), (0, 0, 0.5), (1, 0, 0), (0.1, 0.3, 0.6)]
)
def test_polarity(bad: float, good: float, expected: float) -> None:
    """Other labels count as halfway; with two labels it is the positive one's probability."""
    assert pytest.approx(expected) == polarity(bad, good)
