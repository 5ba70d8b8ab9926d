"""Thresholds from which on a label is confident: the guarantee, and its conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs sentiment-stream[lab]")
from service.lab.measuring.thresholds import DELTA, DOMAIN_SLACK, STRAY_MAX, Domain, confident, find
from service.lab.measuring.thresholds import OTHER as OTHER_POLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

TWO = ("NEGATIVE", "POSITIVE")
THREE = ("NEGATIVE", "NEUTRAL", "POSITIVE")
OTHER = ("sports", "weather", "news")
# Where a twentieth of confident labels is wrong, with a `harm` of 0.5 and 0.25 in equal parts.
TRUE_THRESHOLD = 1 - 0.1 / 0.375


def _rows(predicted: NDArray[np.int64], shares: NDArray[np.float64], labels: int) -> Any:
    """Probabilities with the given likeliest labels and scores; all others are equal."""
    probabilities = np.repeat((1 - shares)[:, None] / (labels - 1), labels, axis=1)
    probabilities[np.arange(len(predicted)), predicted] = shares
    return probabilities


def _two(random: np.random.Generator, count: int, harm: float) -> Domain:
    """Labels with a probability p from 0.5 to 1, and an error rate of harm * (1 - p).

    Above a threshold t the error rate is harm * (1 - t) / 2.
    """
    shares = random.uniform(0.5, 1, count)
    predicted = random.integers(0, 2, count)
    wrong = random.random(count) < harm * (1 - shares)
    return Domain(_rows(predicted, shares, 2), np.where(wrong, 1 - predicted, predicted))


def _three(random: np.random.Generator, count: int, neutral: float) -> Domain:
    """Predicted poles of 0.4 to 1: a share of their texts is neutral, the others are correct."""
    shares = random.uniform(0.4, 1, count)
    predicted = random.choice([0, 2], count)
    labels = np.where(random.random(count) < neutral, 1, predicted)
    return Domain(_rows(predicted, shares, 3), labels)


def test_the_guarantee_holds() -> None:
    """At most a tenth of many sets of examples, of two domains, give too low a threshold."""
    random = np.random.default_rng(1)
    found = []
    for _ in range(300):
        domains = {"worse": _two(random, 2000, 0.5), "better": _two(random, 2000, 0.25)}
        found.append(find(domains, TWO).thresholds[0])
    thresholds = [1.0 if one is None else one for one in found]
    assert np.mean([one < TRUE_THRESHOLD for one in thresholds]) <= DELTA
    # And it still finds thresholds, which are not too high.
    assert found.count(None) < 60
    assert np.median(thresholds) < 0.9


def test_the_guarantee_of_neutral_texts_holds() -> None:
    """STRAY_MAX of them may have a confident pole: those from 0.91 on, with even scores."""
    random = np.random.default_rng(2)
    found = [find({"a": _three(random, 900, 0.4)}, THREE).thresholds[0] for _ in range(300)]
    thresholds = [one for one in found if one is not None]
    exact = 1 - 0.6 * STRAY_MAX
    assert 0 < np.mean([one < exact for one in thresholds]) <= DELTA
    assert len(thresholds) > 280
    assert np.median(thresholds) < 0.97


def test_the_worst_domain_decides() -> None:
    """One more good domain does not lower the thresholds; a worse one raises them."""
    random = np.random.default_rng(3)
    good = {f"good {n}": _two(random, 4000, 0.02) for n in range(4)}
    three = {name: good[name] for name in list(good)[:3]}
    middle, worse = _two(random, 4000, 0.4), _two(random, 4000, 0.6)
    with_three, with_four = (find(one | {"middle": middle}, TWO) for one in (three, good))
    with_worse = find(good | {"middle": middle, "worse": worse}, TWO)
    assert None not in (*with_three.thresholds, *with_worse.thresholds)
    assert with_three.thresholds == with_four.thresholds
    assert f"middle: {OTHER_POLE}" == with_three.stopped_by[0]
    assert with_three.thresholds[0] < with_worse.thresholds[0]  # type: ignore[operator] # not None
    assert f"worse: {OTHER_POLE}" == with_worse.stopped_by[0]
    assert with_worse.domains["worse"][OTHER_POLE] < 0.05 + DOMAIN_SLACK  # type: ignore[operator]
    assert with_worse.domains["middle"]["coverage"] < with_four.domains["middle"]["coverage"]  # type: ignore[operator]


def test_all_domains_together_reach_the_target() -> None:
    """Though each domain may have an error rate a little higher."""
    random = np.random.default_rng(10)
    domains = {name: _two(random, 4000, 0.4) for name in ("a", "b")}
    found = find(domains, TWO)
    assert f"all domains: {OTHER_POLE}" == found.stopped_by[0]
    assert found.domains["all domains"][OTHER_POLE] < 0.05  # type: ignore[operator]


def test_a_lower_target_has_no_higher_threshold() -> None:
    """And a higher one has no lower threshold."""
    domains = {"a": _two(np.random.default_rng(4), 4000, 0.5)}
    found = [find(domains, TWO, target).thresholds[0] for target in (0.8, 0.9, 0.95, 0.97)]
    assert None not in found
    assert found == sorted(found)  # type: ignore[type-var]
    assert 0.0 == found[0]
    assert found[1] < found[3]  # type: ignore[operator]


@pytest.mark.parametrize("count", [1, 20, 40])
def test_few_examples_prove_nothing(count: int) -> None:
    """Though all are correct: 42 correct ones are needed to prove an accuracy of 93 %."""
    shares = np.linspace(0.6, 0.9, count)
    few = Domain(_rows(np.arange(count) % 2, shares, 2), np.arange(count) % 2)
    found = find({"few": few, "many": _two(np.random.default_rng(5), 4000, 0)}, TWO)
    assert (None, None) == found.thresholds
    assert found.stopped_by[0].startswith("few: ")
    assert {"coverage": 0.0, "accuracy": None} == {
        name: found.domains["few"][name] for name in ("coverage", "accuracy")
    }


def test_a_model_that_guesses_is_never_confident() -> None:
    """However high its scores are."""
    assert (None, None) == find({"a": _two(np.random.default_rng(6), 4000, 4)}, TWO).thresholds


def test_a_domain_of_poles_alone() -> None:
    """Poles have no requirement on neutral texts; neutral has no threshold without examples."""
    found = find({"poles": _three(np.random.default_rng(7), 2000, 0.0)}, THREE)
    assert (0.0, None, 0.0) == found.thresholds
    assert "no example has this label" == found.stopped_by[1]


def test_neutral_has_a_threshold_of_its_own() -> None:
    """Above it hardly any text at a pole is predicted as neutral, in each domain that has some."""
    random = np.random.default_rng(8)
    labels = random.integers(0, 3, 9000)
    shares = random.uniform(0.5, 1, 9000)
    # A tenth of the texts at a pole is predicted as neutral, a fiftieth with 0.9 or more.
    predicted = np.where(random.random(9000) < 0.1, 1, labels)
    one = Domain(_rows(predicted, shares, 3), labels)
    poles, neutral, _ = find({"a": one}, THREE).thresholds
    assert 0.0 == poles
    assert neutral is not None
    assert 0.89 < neutral < 0.95
    # Every text at a pole is predicted as neutral, up to the highest scores.
    all_neutral = np.ones(2000, np.int64)
    other = Domain(_rows(all_neutral, random.uniform(0.5, 1, 2000), 3), 2 * (predicted[:2000] % 2))
    stricter = find({"a": one, "b": other}, THREE)
    assert stricter.thresholds[1] is not None
    assert stricter.thresholds[1] > 0.97
    assert "b: at a pole, confident NEUTRAL" == stricter.stopped_by[1]


def test_labels_that_are_no_poles_have_one_threshold_each() -> None:
    """Above it, each label reaches the target accuracy."""
    random = np.random.default_rng(9)
    predicted = random.integers(0, 3, 9000)
    shares = random.uniform(0.5, 1, 9000)
    wrong = random.random(9000) < np.array([0.0, 0.6, 6.0])[predicted] * (1 - shares)
    labels = np.where(wrong, (predicted + 1) % 3, predicted)
    found = find({"a": Domain(_rows(predicted, shares, 3), labels)}, OTHER)
    sports, weather, news = found.thresholds
    assert 0.0 == sports
    assert weather is not None
    assert weather > 0.7
    assert news is None or news > weather
    assert "a: wrong label among confident weather" == found.stopped_by[1]


def test_confident_uses_the_threshold_of_the_predicted_label() -> None:
    """Inclusive; a label without a threshold is never confident."""
    probabilities = np.array([[0.8, 0.1, 0.1], [0.79, 0.2, 0.01], [0.0, 1.0, 0.0], [0.2, 0.2, 0.6]])
    assert [True, False, False, True] == confident(probabilities, (0.8, None, 0.5)).tolist()
