"""Finds the probability from which on a predicted label counts as confident, with a guarantee.

Exists so that `confident` keeps its guarantee on every domain, also on the worst. Arrays in,
thresholds out: nothing is scored, read or written here.

The method is fixed-sequence testing with exact binomial p-values: Angelopoulos, Bates, Candès,
Jordan and Lei, "Learn then Test: Calibrating Predictive Algorithms to Achieve Risk Control", 2021
(arXiv:2110.01052). For each requirement on each domain, thresholds are tested from high to low,
until "the requirement is violated" cannot be rejected any more. The result is the highest of the
thresholds found in this way. The probability that it is too low for any requirement is at most
`DELTA`, over the drawing of the examples, if a higher threshold never has a higher error rate: it
would have to be too low for the requirement that needs the highest threshold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

from service.scoring.poles import both

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Counts = NDArray[np.int64]

TARGET_ACCURACY = 0.95
# How much higher the error rate may be on one domain than on all together. The examples of a domain
# are too few to show a smaller difference.
DOMAIN_SLACK = 0.02
# Probability that the guarantee fails: for one set of examples in ten.
DELTA = 0.1
# Names of all domains together, and of the requirement on poles.
ALL = "all domains"
OTHER = "wrong pole among confident poles"
# Largest share of the texts at no pole that may get a confident pole, over all domains. It is no
# requirement on each domain, because in some there are too many texts on which people disagree.
STRAY_MAX = 0.15
# Largest share of the texts at a pole that may get a confident neutral label. The accuracy of
# neutral labels is no requirement: people agree so little on them that no threshold would reach the
# accuracy of poles.
MISSED_MAX = 0.02
# Where to begin a sequence: with the most confident texts, this share of them but at least as many
# as prove the requirement with this number of errors. Each start has an equal part of `DELTA`. The
# second one is for few examples, and for a domain where half of the texts have too many errors.
STARTS = ((0.5, 2), (0.1, 0))
# Thresholds to test, from high to low: even steps of log odds, so at most 0.005 apart and finer
# near 1, where most scores are; at last 0, which makes every label confident.
GRID = np.append(np.round(1 / (1 + np.exp(-np.arange(12, -5, -0.02))), 7), 0.0)


class Domain(NamedTuple):
    """Calibrated probabilities, shape (texts, labels), and true labels, shape (texts,)."""

    probabilities: Floats
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Found:
    """Thresholds by label, None if none holds; `stopped_by` names what prevents a lower one.

    `domains` has figures by domain: `coverage` is the share of texts with a confident label,
    `accuracy` the share of these labels that is correct, and then the error rate of each
    requirement; None if there are no texts to compute it from.
    """

    thresholds: tuple[float | None, ...]
    stopped_by: tuple[str, ...]
    domains: dict[str, dict[str, float | None]]


@dataclass(frozen=True, slots=True)
class _Requirement:
    """At most the share `at_most` of a domain's texts are `bad` and confident.

    It is a share of the confident texts if `of_confident`, else of all. `scores` are the
    probabilities of the predicted labels, -1 for a label that has another threshold.
    """

    domain: str
    what: str
    scores: Floats
    bad: Booleans
    at_most: float
    of_confident: bool

    def counts(self, thresholds: Floats) -> tuple[Counts, Counts]:
        """The number of bad texts, and the number that they are a share of, by threshold."""
        bad = _at_least(self.scores[self.bad], thresholds)
        if self.of_confident:
            return bad, _at_least(self.scores, thresholds)
        return bad, np.full(len(thresholds), len(self.scores))

    def lowest(self) -> float | None:
        """The lowest threshold that is proven to hold; None if there is none."""
        if not self.of_confident:
            # A higher threshold never has more bad texts, so the highest is the best start.
            return self._walk(1.0, DELTA)
        delta = DELTA / len(STARTS)
        # Starts are ordered from low to high. A higher start tests the same thresholds further
        # down, so it would end no lower than one that succeeds.
        walks = (self._walk(self._start(*start, delta), delta) for start in STARTS)
        return next((found for found in walks if found is not None), None)

    def too_few(self) -> str:
        """A remark if the examples are too few to prove anything, even without a bad one."""
        delta = DELTA / len(STARTS) if self.of_confident else DELTA
        needed = math.ceil(math.log(delta) / math.log1p(-self.at_most))
        count = int((self.scores >= 0).sum()) if self.of_confident else len(self.scores)
        return f" ({count} examples, {needed} are needed)" if count < needed else ""

    def _walk(self, start: float, delta: float) -> float | None:
        thresholds = np.array([start, *GRID[start > GRID]])
        bad, count = self.counts(thresholds)
        # The p-value: the probability of at most this many bad texts if the share were `at_most`.
        holds = (count > 0) & (bdtr(bad, count, self.at_most) <= delta)
        end = len(holds) if holds.all() else int(holds.argmin())
        return float(thresholds[end - 1]) if end else None

    def _start(self, share: float, bad: int, delta: float) -> float:
        """The threshold that this share of the texts reaches, or as many texts as are needed.

        It lies just above the next text in order, not at the last one that reaches it: given the
        next text, those above it are drawn independently. It is 0 if there are too few texts.
        """
        ordered = np.sort(self.scores[self.scores >= 0])[::-1]
        fewer = np.arange(1, len(ordered))
        enough = fewer[bdtr(bad, fewer, self.at_most) <= delta]
        if not len(enough):
            return 0.0
        count = max(math.ceil(share * len(ordered)), int(enough[0]))
        last, following = ordered[count - 1], ordered[count]
        return float(following if last == following else np.nextafter(following, 2))


def find(
    domains: Mapping[str, Domain],
    names: Sequence[str],
    target_accuracy: float = TARGET_ACCURACY,
) -> Found:
    """The lowest thresholds that hold on every domain, for labels of these names.

    Both poles share one threshold, any other label has its own. The requirements are:

    - Of texts at a pole with a confident pole, at most 1 - `target_accuracy` have the wrong one
      over all domains, and at most `DOMAIN_SLACK` more in each domain.
    - Of texts at no pole, at most `STRAY_MAX` have a confident pole over all domains.
    - Of texts at a pole, at most `MISSED_MAX` have another confident label in each domain.
    - If the labels do not name two poles, at most 1 - `target_accuracy` of the texts for which a
      label is confident have another one, in each domain.

    `target_accuracy` is above 0 and below 1. The examples, at least one in each domain, must not
    have been used to fit or choose anything.
    """
    thresholds: list[float | None] = [None] * len(names)
    stopped_by = [""] * len(names)
    error_rates: dict[str, dict[str, float | None]] = {name: {} for name in (*domains, ALL)}
    for group in _groups(names):
        # First those on all domains: if their examples are too few, that is the reason to report.
        of_all = _of_all(domains.values(), group, 1 - target_accuracy)
        requirements = list(of_all) if group == both(names) else []
        requirements += [
            requirement
            for name, domain in domains.items()
            for requirement in _requirements(name, domain, group, names, 1 - target_accuracy)
        ]
        seen = any(np.isin(domain.labels, group).any() for domain in domains.values())
        threshold, reason = _lowest(requirements) if seen else (None, "no example has this label")
        for label in group:
            thresholds[label], stopped_by[label] = threshold, reason
        for one in requirements:
            (bad,), (count,) = one.counts(np.array([math.inf if threshold is None else threshold]))
            error_rates[one.domain][one.what] = float(bad / count) if count else None
    figures = {
        name: _figures(domain, thresholds) | error_rates[name] for name, domain in domains.items()
    }
    figures[ALL] = error_rates[ALL]
    return Found(tuple(thresholds), tuple(stopped_by), figures)


def confident(probabilities: Floats, thresholds: Sequence[float | None]) -> Booleans:
    """Which texts have a confident label, shape (texts,); probabilities are (texts, labels)."""
    lowest = np.array([math.inf if one is None else one for one in thresholds])
    enough: Booleans = probabilities.max(axis=1) >= lowest[probabilities.argmax(axis=1)]
    return enough


def _figures(domain: Domain, thresholds: Sequence[float | None]) -> dict[str, float | None]:
    covered = confident(domain.probabilities, thresholds)
    correct = domain.probabilities.argmax(axis=1) == domain.labels
    accuracy = float(correct[covered].mean()) if covered.any() else None
    return {"coverage": float(covered.mean()), "accuracy": accuracy}


def _groups(names: Sequence[str]) -> list[tuple[int, ...]]:
    """Labels that share a threshold: both poles, and every other label by itself."""
    poles = both(names)
    alone: list[tuple[int, ...]] = [(n,) for n in range(len(names)) if n not in (poles or ())]
    return alone if poles is None else [poles, *alone]


def _requirements(
    name: str, domain: Domain, group: tuple[int, ...], names: Sequence[str], wrong_max: float
) -> Iterator[_Requirement]:
    poles = both(names)
    scores = _scores_of(group, domain)
    wrong = domain.probabilities.argmax(axis=1) != domain.labels
    at_pole = np.isin(domain.labels, poles or ())
    if group == poles:
        at_most = wrong_max + DOMAIN_SLACK
        yield _Requirement(name, OTHER, scores[at_pole], wrong[at_pole], at_most, of_confident=True)
    elif poles is not None and at_pole.any():
        missed, what = scores[at_pole], f"at a pole, confident {names[group[0]]}"
        bad = np.ones(len(missed), bool)
        yield _Requirement(name, what, missed, bad, MISSED_MAX, of_confident=False)
    elif poles is None and (domain.labels == group[0]).any():
        what = f"wrong label among confident {names[group[0]]}"
        yield _Requirement(name, what, scores, wrong, wrong_max, of_confident=True)


def _of_all(
    domains: Iterable[Domain], poles: tuple[int, ...], wrong_max: float
) -> Iterator[_Requirement]:
    """The requirements over all domains: on texts at a pole, and on those at no pole, if any."""
    whole = Domain(*(np.concatenate(parts) for parts in zip(*domains, strict=True)))
    scores, at_pole = _scores_of(poles, whole), np.isin(whole.labels, poles)
    wrong = whole.probabilities.argmax(axis=1) != whole.labels
    yield _Requirement(ALL, OTHER, scores[at_pole], wrong[at_pole], wrong_max, of_confident=True)
    if not at_pole.all():
        bad = np.ones(int((~at_pole).sum()), bool)
        what = "at no pole, confident pole"
        yield _Requirement(ALL, what, scores[~at_pole], bad, STRAY_MAX, of_confident=False)


def _scores_of(group: tuple[int, ...], domain: Domain) -> Floats:
    """The probability of the likeliest label, -1 if that is not in the group."""
    likeliest = domain.probabilities.argmax(axis=1)
    scores: Floats = np.where(np.isin(likeliest, group), domain.probabilities.max(axis=1), -1.0)
    return scores


def _lowest(requirements: Sequence[_Requirement]) -> tuple[float | None, str]:
    """The threshold, and the requirement that prevents a lower one."""
    found = 0.0
    reason = ""
    for one in requirements:
        lowest, what = one.lowest(), f"{one.domain}: {one.what}"
        if lowest is None:
            return None, f"{what}{one.too_few()}"
        if lowest > found:
            found, reason = lowest, what
    return found, reason


def _at_least(values: Floats, thresholds: Floats) -> Counts:
    counts: Counts = len(values) - np.searchsorted(np.sort(values), thresholds, side="left")
    return counts
