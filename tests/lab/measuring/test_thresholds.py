"""From where on a label is called with confidence: the guarantee, and what it rests on."""

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
# Where a twentieth of what is called is wrong, with a `harm` of 0.5 and of 0.25 in equal parts.
TRUE_THRESHOLD = 1 - 0.1 / 0.375


def _rows(calls: NDArray[np.int64], shares: NDArray[np.float64], labels: int) -> Any:
    """Probabilities of which the likeliest is as given, and the others are alike."""
    probabilities = np.repeat((1 - shares)[:, None] / (labels - 1), labels, axis=1)
    probabilities[np.arange(len(calls)), calls] = shares
    return probabilities


def _two(random: np.random.Generator, count: int, harm: float) -> Domain:
    """Of what is called with a probability p from a half to 1, harm * (1 - p) is wrong.

    From t on that is harm * (1 - t) / 2.
    """
    shares = random.uniform(0.5, 1, count)
    calls = random.integers(0, 2, count)
    wrong = random.random(count) < harm * (1 - shares)
    return Domain(_rows(calls, shares, 2), np.where(wrong, 1 - calls, calls))


def _three(random: np.random.Generator, count: int, neutral: float) -> Domain:
    """Poles that are right and shares of 0.4 to 1; as many neutral texts as said among them."""
    shares = random.uniform(0.4, 1, count)
    calls = random.choice([0, 2], count)
    return Domain(_rows(calls, shares, 3), np.where(random.random(count) < neutral, 1, calls))


def test_the_guarantee_holds() -> None:
    """Of many sets of examples of two domains at most a tenth gives too low a threshold."""
    random = np.random.default_rng(1)
    found = []
    for _ in range(300):
        domains = {"worse": _two(random, 2000, 0.5), "better": _two(random, 2000, 0.25)}
        found.append(find(domains, TWO).thresholds[0])
    thresholds = [1.0 if one is None else one for one in found]
    assert np.mean([one < TRUE_THRESHOLD for one in thresholds]) <= DELTA
    # Nor is it bought with silence.
    assert found.count(None) < 60
    assert np.median(thresholds) < 0.9


def test_the_guarantee_of_neutral_texts_holds() -> None:
    """So many of them may be called a pole: those from 0.91 on, where shares are even."""
    random = np.random.default_rng(2)
    found = [find({"a": _three(random, 900, 0.4)}, THREE).thresholds[0] for _ in range(300)]
    thresholds = [one for one in found if one is not None]
    exact = 1 - 0.6 * STRAY_MAX
    assert 0 < np.mean([one < exact for one in thresholds]) <= DELTA
    assert len(thresholds) > 280
    assert np.median(thresholds) < 0.97


def test_the_worst_domain_decides() -> None:
    """Where better ones make up for it, one more changes nothing; a worse one does."""
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


def test_all_domains_together_are_right_as_asked() -> None:
    """Though each may be wrong a little more often."""
    random = np.random.default_rng(10)
    domains = {name: _two(random, 4000, 0.4) for name in ("a", "b")}
    found = find(domains, TWO)
    assert f"all domains: {OTHER_POLE}" == found.stopped_by[0]
    assert found.domains["all domains"][OTHER_POLE] < 0.05  # type: ignore[operator]


def test_a_lower_target_calls_no_less() -> None:
    """And a higher one no more."""
    domains = {"a": _two(np.random.default_rng(4), 4000, 0.5)}
    found = [find(domains, TWO, target).thresholds[0] for target in (0.8, 0.9, 0.95, 0.97)]
    assert None not in found
    assert found == sorted(found)  # type: ignore[type-var]
    assert 0.0 == found[0]
    assert found[1] < found[3]  # type: ignore[operator]


@pytest.mark.parametrize("count", [1, 20, 40])
def test_few_examples_show_nothing(count: int) -> None:
    """Though each is right: 42 right ones are needed, so that 93 % are in all likelihood."""
    shares = np.linspace(0.6, 0.9, count)
    few = Domain(_rows(np.arange(count) % 2, shares, 2), np.arange(count) % 2)
    found = find({"few": few, "many": _two(np.random.default_rng(5), 4000, 0)}, TWO)
    assert (None, None) == found.thresholds
    assert found.stopped_by[0].startswith("few: ")
    assert {"coverage": 0.0, "accuracy": None} == {
        name: found.domains["few"][name] for name in ("coverage", "accuracy")
    }


def test_a_model_that_guesses_is_never_confident() -> None:
    """However sure it says to be."""
    assert (None, None) == find({"a": _two(np.random.default_rng(6), 4000, 4)}, TWO).thresholds


def test_a_domain_of_poles_alone_asks_nothing_of_neutral_texts() -> None:
    """But its texts may not be called neutral in bulk; and nothing is known of a call that is."""
    found = find({"poles": _three(np.random.default_rng(7), 2000, 0.0)}, THREE)
    assert (0.0, None, 0.0) == found.thresholds
    assert "no example has this label" == found.stopped_by[1]


def test_neutral_has_a_threshold_of_its_own() -> None:
    """From which on hardly an opinion is called neutral, in each domain that has any."""
    random = np.random.default_rng(8)
    labels = random.integers(0, 3, 9000)
    shares = random.uniform(0.5, 1, 9000)
    # Of the texts at a pole a tenth is called neutral: a fiftieth with 0.9 or more.
    calls = np.where(random.random(9000) < 0.1, 1, labels)
    one = Domain(_rows(calls, shares, 3), labels)
    poles, neutral, _ = find({"a": one}, THREE).thresholds
    assert 0.0 == poles
    assert neutral is not None
    assert 0.89 < neutral < 0.95
    # Where every text at a pole is called neutral, up to the highest probabilities.
    all_neutral = np.ones(2000, np.int64)
    other = Domain(_rows(all_neutral, random.uniform(0.5, 1, 2000), 3), 2 * (calls[:2000] % 2))
    stricter = find({"a": one, "b": other}, THREE)
    assert stricter.thresholds[1] is not None
    assert stricter.thresholds[1] > 0.97
    assert "b: at a pole, called NEUTRAL" == stricter.stopped_by[1]


def test_labels_that_are_no_poles_have_one_each() -> None:
    """Each is right often enough where it is called."""
    random = np.random.default_rng(9)
    calls = random.integers(0, 3, 9000)
    shares = random.uniform(0.5, 1, 9000)
    wrong = random.random(9000) < np.array([0.0, 0.6, 6.0])[calls] * (1 - shares)
    found = find(
        {"a": Domain(_rows(calls, shares, 3), np.where(wrong, (calls + 1) % 3, calls))}, OTHER
    )
    sports, weather, news = found.thresholds
    assert 0.0 == sports
    assert weather is not None
    assert weather > 0.7
    assert news is None or news > weather
    assert "a: other label among the weather called" == found.stopped_by[1]


def test_confident_takes_the_threshold_of_the_label_called() -> None:
    """At it, not below it; never where there is none."""
    probabilities = np.array([[0.8, 0.1, 0.1], [0.79, 0.2, 0.01], [0.0, 1.0, 0.0], [0.2, 0.2, 0.6]])
    assert [True, False, False, True] == confident(probabilities, (0.8, None, 0.5)).tolist()
