"""From which probability on a label may be called with confidence, with a guarantee.

Exists so that `confident` means what it says on every domain, of which the worst decides. Arrays
in, thresholds out: nothing is scored, read or written here.

The method is fixed-sequence testing with exact binomial p-values: Angelopoulos, Bates, Candès,
Jordan and Lei, "Learn then Test: Calibrating Predictive Algorithms to Achieve Risk Control", 2021
(arXiv:2110.01052). For each requirement on each domain, thresholds are tried from high to low,
until "it is broken" cannot be rejected any more; the highest of what is found is the threshold. It
is too low for any of them with a probability of at most `DELTA` over the drawing of the examples,
as long as no more is wrong where more is asked for: it would have to be too low for the one that
needs the highest.
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
# So much more may be wrong on one domain than on all together: with the examples that a domain has,
# a share this close to the target cannot be told from it.
DOMAIN_SLACK = 0.02
# How often the examples may mislead: one set of examples in ten.
DELTA = 0.1
# What is asked of the texts of all domains together.
ALL = "all domains"
OTHER = "other pole among the poles called"
# Of texts at no pole, those of all domains together, the share that may be called a pole with
# confidence: of one domain alone, there are too many about which people do not agree.
STRAY_MAX = 0.15
# Of texts at a pole, the share that may be called neutral with confidence. How many of the neutral
# calls are right is not asked: people agree so little on what is neutral that no threshold would
# make it the share that poles have.
MISSED_MAX = 0.02
# Where sequences begin: the share of the texts that could be called, and how many of these may be
# wrong, for which some number of texts is needed. Each has its part of `DELTA`. The second is for
# few examples, and for a domain of which half would be too much.
STARTS = ((0.5, 2), (0.1, 0))
# Thresholds that are tried, from high to low: even steps of log odds, of 0.005 at most, finer near
# 1 as scores are there; and at last 0, which calls everything.
GRID = np.append(np.round(1 / (1 + np.exp(-np.arange(12, -5, -0.02))), 7), 0.0)


class Domain(NamedTuple):
    """Calibrated probabilities, shape (texts, labels), and true labels, shape (texts,)."""

    probabilities: Floats
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Found:
    """Thresholds by label, None where none holds; `stopped_by` says for each what forbids less.

    `domains` has figures by domain: `coverage` is the share of texts called with confidence,
    `accuracy` the share of these that is right, and then that of each requirement which is to be
    small; None where there is nothing to take a share of.
    """

    thresholds: tuple[float | None, ...]
    stopped_by: tuple[str, ...]
    domains: dict[str, dict[str, float | None]]


@dataclass(frozen=True, slots=True)
class _Requirement:
    """Of some texts of a domain at most a share is `bad`: of those called, or of all.

    `shares` are probabilities of the label called, -1 where it is not one that the threshold is of.
    """

    domain: str
    what: str
    shares: Floats
    bad: Booleans
    at_most: float
    of_called: bool

    def counts(self, thresholds: Floats) -> tuple[Counts, Counts]:
        """How many are bad, and of how many, for each threshold."""
        bad = _at_least(self.shares[self.bad], thresholds)
        if self.of_called:
            return bad, _at_least(self.shares, thresholds)
        return bad, np.full(len(thresholds), len(self.shares))

    def lowest(self) -> float | None:
        """The lowest threshold that is shown to hold; None where none is."""
        if not self.of_called:
            # Fewer are called the higher the threshold, so that no place to begin is better.
            return self._walk(1.0, DELTA)
        delta = DELTA / len(STARTS)
        # With a higher start the rest of the sequence is the same: it would come no lower.
        walks = (self._walk(self._start(*start, delta), delta) for start in STARTS)
        return next((found for found in walks if found is not None), None)

    def too_few(self) -> str:
        """In words, where not even a domain in which none is bad could show anything."""
        delta = DELTA / len(STARTS) if self.of_called else DELTA
        needed = math.ceil(math.log(delta) / math.log1p(-self.at_most))
        there = int((self.shares >= 0).sum()) if self.of_called else len(self.shares)
        return f" ({there} examples, {needed} are needed)" if there < needed else ""

    def _walk(self, start: float, delta: float) -> float | None:
        thresholds = np.array([start, *GRID[start > GRID]])
        bad, count = self.counts(thresholds)
        # So few would be bad with at most this probability, were the requirement broken.
        holds = (count > 0) & (bdtr(bad, count, self.at_most) <= delta)
        end = len(holds) if holds.all() else int(holds.argmin())
        return float(thresholds[end - 1]) if end else None

    def _start(self, share: float, bad: int, delta: float) -> float:
        """The threshold from which on this share of the texts is called, or as many as are needed.

        It is above the text that comes next in order, not at the last one called: given that text,
        those above it are drawn independently. Where not so many are there, all are called.
        """
        ordered = np.sort(self.shares[self.shares >= 0])[::-1]
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
    """The lowest thresholds that hold on every domain, for the labels of these names.

    Both poles share one threshold. Of the texts at a pole that are called a pole with confidence,
    at most 1 - `target_accuracy` are called the other one over all domains together, and at most
    `DOMAIN_SLACK` more in each; and of all domains' texts at no pole at most `STRAY_MAX` are called
    a pole with confidence. Of texts at a pole, at most `MISSED_MAX` are called another label with
    confidence. Where the labels do not name two poles, each has a threshold of its own, from which
    on at most 1 - `target_accuracy` of the texts called so have another label.

    `target_accuracy` is above 0 and below 1. The examples, at least one in each domain, have fitted
    and chosen nothing.
    """
    thresholds: list[float | None] = [None] * len(names)
    stopped_by = [""] * len(names)
    broken: dict[str, dict[str, float | None]] = {name: {} for name in (*domains, ALL)}
    for group in _groups(names):
        # Of all together first: if they are too few, that is what to say.
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
            broken[one.domain][one.what] = float(bad / count) if count else None
    figures = {
        name: _figures(domain, thresholds) | broken[name] for name, domain in domains.items()
    }
    figures[ALL] = broken[ALL]
    return Found(tuple(thresholds), tuple(stopped_by), figures)


def confident(probabilities: Floats, thresholds: Sequence[float | None]) -> Booleans:
    """Which texts are called with confidence, shape (texts,), of such (texts, labels)."""
    lowest = np.array([math.inf if one is None else one for one in thresholds])
    enough: Booleans = probabilities.max(axis=1) >= lowest[probabilities.argmax(axis=1)]
    return enough


def _figures(domain: Domain, thresholds: Sequence[float | None]) -> dict[str, float | None]:
    called = confident(domain.probabilities, thresholds)
    right = domain.probabilities.argmax(axis=1) == domain.labels
    accuracy = float(right[called].mean()) if called.any() else None
    return {"coverage": float(called.mean()), "accuracy": accuracy}


def _groups(names: Sequence[str]) -> list[tuple[int, ...]]:
    """Labels that share a threshold: the poles, and each other one by itself."""
    poles = both(names)
    alone: list[tuple[int, ...]] = [(n,) for n in range(len(names)) if n not in (poles or ())]
    return alone if poles is None else [poles, *alone]


def _requirements(
    name: str, domain: Domain, group: tuple[int, ...], names: Sequence[str], wrong_max: float
) -> Iterator[_Requirement]:
    poles = both(names)
    shares = _shares_of(group, domain)
    wrong = domain.probabilities.argmax(axis=1) != domain.labels
    at_pole = np.isin(domain.labels, poles or ())
    if group == poles:
        at_most = wrong_max + DOMAIN_SLACK
        yield _Requirement(name, OTHER, shares[at_pole], wrong[at_pole], at_most, of_called=True)
    elif poles is not None and at_pole.any():
        missed, what = shares[at_pole], f"at a pole, called {names[group[0]]}"
        bad = np.ones(len(missed), bool)
        yield _Requirement(name, what, missed, bad, MISSED_MAX, of_called=False)
    elif poles is None and (domain.labels == group[0]).any():
        what = f"other label among the {names[group[0]]} called"
        yield _Requirement(name, what, shares, wrong, wrong_max, of_called=True)


def _of_all(
    domains: Iterable[Domain], poles: tuple[int, ...], wrong_max: float
) -> Iterator[_Requirement]:
    """What is asked of all texts at a pole together, and of all at no pole, where there are any."""
    whole = Domain(*(np.concatenate(parts) for parts in zip(*domains, strict=True)))
    shares, at_pole = _shares_of(poles, whole), np.isin(whole.labels, poles)
    wrong = whole.probabilities.argmax(axis=1) != whole.labels
    yield _Requirement(ALL, OTHER, shares[at_pole], wrong[at_pole], wrong_max, of_called=True)
    if not at_pole.all():
        bad = np.ones(int((~at_pole).sum()), bool)
        what = "no pole, called one"
        yield _Requirement(ALL, what, shares[~at_pole], bad, STRAY_MAX, of_called=False)


def _shares_of(group: tuple[int, ...], domain: Domain) -> Floats:
    """The probability of the label called, -1 where it is none of the group."""
    likeliest = domain.probabilities.argmax(axis=1)
    shares: Floats = np.where(np.isin(likeliest, group), domain.probabilities.max(axis=1), -1.0)
    return shares


def _lowest(requirements: Sequence[_Requirement]) -> tuple[float | None, str]:
    """The threshold, and what forbids a lower one: the requirement that needs the highest."""
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
