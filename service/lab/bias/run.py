"""Measures how a model's scores depend on the people in a text: `sentiment-stream bias`.

Exists so that the bias of any model can be measured before it is used. The sentences are in
`templates` and `data`, the report in `report`.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from service.lab.bias import templates as written
from service.lab.bias.data import built_in_pairs, read_countries, read_pairs
from service.lab.bias.rows import (
    COUNTRY_COLUMNS,
    PAIR_COLUMNS,
    by_set,
    by_template,
    country_cells,
    pair_cells,
    slot,
)
from service.scoring.poles import negative, polarity, pole, positive
from service.scoring.texts import LoadedModel, load_model, score_texts
from service.terminal import Table, track

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rich.console import Console

    from service.lab.bias.data import Country, PairSet
    from service.lab.bias.templates import Template
    from service.settings import ModelSettings

WORST = 10
# Ranges of the two poles that differ by less are equal: probabilities are 32-bit numbers.
SAME_RANGE = 1e-6


class Prediction(NamedTuple):
    """What the model predicts for a text.

    Attributes:
        score: the probability of the positive label.
        negative: the probability of the negative label.
        label: the likeliest label.
        pole: -1 if that is the negative label, 1 if it is the positive one, else 0.
    """

    score: float
    negative: float
    label: str
    pole: int

    @property
    def polarity(self) -> float:
        """From 0, negative, to 1, positive; with two labels it is the score."""
        return polarity(self.negative, self.score)


def measure(
    settings: ModelSettings,
    data: Path,
    pair_files: Sequence[Path],
    console: Console,
    model: LoadedModel | None = None,
) -> dict[str, Any]:
    """Score all sentences and return the figures; `console` shows the progress.

    `templates` has an entry for each template, over the countries:
        scores, negative_scores: the probability of the positive and the negative label.
        ranges: for each of these labels, the largest probability minus the smallest.
        range, range_of: the larger range, and its label. With a neutral label, one pole's
            probability can be constant while the other's varies.
        standard_deviation, mean: the deviation for the label `range_of`, the mean of `scores`.
        flips: the share of countries with another label than most.
        pole_flips: the share of countries at the rarer pole.
        lowest, highest: the countries with the lowest and highest polarity (see `scoring.poles`).

    `pairs` has an entry for each set of pairs, and `all_pairs` one for all of them:
        mean_absolute_gap, largest_gap: of the gaps, each for the pole that differs more.
        mean_gap: the mean difference in polarity, second text minus first.
        flips: the share of pairs with different labels.
        pole_flips: the share of pairs with opposite poles.
        worst: the pairs with the largest gaps (not in `all_pairs`).

    With two labels every figure is that of P(positive).

    Raises:
        InputError: a data file is missing or has another form.
        SettingsError, ModelError: as `load_model`, or the model has stopped working.
    """
    countries = read_countries(data)
    sets = [*built_in_pairs(data), *map(read_pairs, pair_files)]
    cases = [(kind, template, _sentences(kind, template, countries)) for kind, template in _all()]
    model = model or load_model(settings)
    started = time.monotonic()
    texts = [text for _, _, sentences in cases for text in sentences.values()]
    texts += [text for pairs in sets for pair in pairs.pairs for text in pair]
    predictions = _predict(texts, model, console)
    info = model.engine.info
    return {
        "model": model.described(),
        "label": info.labels[positive(info.labels)],
        "negative_label": info.labels[negative(info.labels)],
        "templates": [
            {
                "topic": template.topic,
                "by": kind,
                "template": template.text,
                **_country_figures({n: predictions[t] for n, t in sentences.items()}, info.labels),
            }
            for kind, template, sentences in cases
        ],
        "pairs": [_pair_figures(pairs, predictions) for pairs in sets],
        "all_pairs": _gaps([pair for pairs in sets for pair in pairs.pairs], predictions),
        "numbers": {country.name: country.number for country in countries},
        "texts": len(set(texts)),
        "seconds": round(time.monotonic() - started, 3),
    }


def _all() -> list[tuple[str, Template]]:
    return [
        ("name", written.CARD),
        *(("name", template) for template in written.BY_NAME),
        *(("adjective", template) for template in written.BY_ADJECTIVE),
    ]


def _sentences(kind: str, template: Template, countries: Iterable[Country]) -> dict[str, str]:
    """The sentence for each country, by its name; without an adjective it has none by adjective."""
    if kind == "adjective":
        return {c.name: template.text.format(c.adjective) for c in countries if c.adjective}
    if template is written.CARD:
        return {c.name: template.text.format(c.name) for c in countries}
    return {c.name: template.text.format(c.in_sentence) for c in countries}


def _predict(texts: Iterable[str], model: LoadedModel, console: Console) -> dict[str, Prediction]:
    once = list(dict.fromkeys(texts))
    scored = track(score_texts(once, model), "bias", len(once), console)
    labels = model.engine.info.labels
    bad, good = labels[negative(labels)], labels[positive(labels)]
    found = {}
    for text, one in zip(once, scored, strict=True):
        label = max(one.scores, key=one.scores.__getitem__)
        found[text] = Prediction(one.scores[good], one.scores[bad], label, pole(label, labels))
    return found


def _country_figures(predictions: dict[str, Prediction], labels: Sequence[str]) -> dict[str, Any]:
    bad, good = labels[negative(labels)], labels[positive(labels)]
    of = {bad: {n: p.negative for n, p in predictions.items()},
          good: {n: p.score for n, p in predictions.items()}}  # fmt: skip
    ranges = {label: max(shares.values()) - min(shares.values()) for label, shares in of.items()}
    wider = bad if ranges[bad] > ranges[good] + SAME_RANGE else good
    by_polarity = {name: p.polarity for name, p in predictions.items()}
    usual = statistics.mode(p.label for p in predictions.values())
    poles = [p.pole for p in predictions.values()]
    return {
        "countries": len(predictions),
        "mean": statistics.fmean(of[good].values()),
        "range": ranges[wider],
        "range_of": wider,
        "ranges": ranges,
        "standard_deviation": statistics.pstdev(of[wider].values()),
        "flips": sum(p.label != usual for p in predictions.values()) / len(predictions),
        "pole_flips": min(poles.count(-1), poles.count(1)) / len(predictions),
        "lowest": min(by_polarity, key=by_polarity.__getitem__),
        "highest": max(by_polarity, key=by_polarity.__getitem__),
        "scores": of[good],
        "negative_scores": of[bad],
    }


def _pair_figures(pairs: PairSet, predictions: dict[str, Prediction]) -> dict[str, Any]:
    by_gap = sorted(
        set(pairs.pairs), key=lambda p: (-_gap(predictions[p[0]], predictions[p[1]]), p)
    )
    return {
        "set": pairs.name,
        "differ_in": pairs.differ_in,
        **_gaps(pairs.pairs, predictions),
        "worst": [
            {
                "first": a,
                "second": b,
                "first_score": predictions[a].score,
                "second_score": predictions[b].score,
                "first_negative": predictions[a].negative,
                "second_negative": predictions[b].negative,
            }
            for a, b in by_gap[:WORST]
        ],
    }


def _gaps(pairs: Sequence[tuple[str, str]], predictions: dict[str, Prediction]) -> dict[str, Any]:
    both = [(predictions[a], predictions[b]) for a, b in pairs]
    gaps = [_gap(a, b) for a, b in both]
    return {
        "count": len(pairs),
        "mean_absolute_gap": statistics.fmean(gaps),
        "largest_gap": max(gaps),
        "mean_gap": statistics.fmean(b.polarity - a.polarity for a, b in both),
        "flips": sum(a.label != b.label for a, b in both) / len(pairs),
        "pole_flips": sum(a.pole * b.pole < 0 for a, b in both) / len(pairs),
    }


def _gap(first: Prediction, second: Prediction) -> float:
    """The difference in the probability of the pole that differs more."""
    return max(abs(second.score - first.score), abs(second.negative - first.negative))


def print_tables(models: Sequence[dict[str, Any]], console: Console) -> None:
    """Print the figures of one model, or of two next to each other."""
    names = " and ".join(m["model"]["name"] for m in models)
    columns = [c if c in ("lowest", "highest") else f">{c}" for c in COUNTRY_COLUMNS]
    table = Table(f"{names}: the poles by country", "template", *columns * len(models))
    for rows in by_template(models):
        table.add_row(slot(rows[0]), *country_cells(rows))
    console.print(table)
    columns = [f">{c}" for c in PAIR_COLUMNS]
    table = Table(
        f"{names}: pairs that should have equal scores", "set", ">pairs", *columns * len(models)
    )
    for rows in by_set(models):
        table.add_row(rows[0]["set"], str(rows[0]["count"]), *pair_cells(rows))
    console.print(table)
