"""How a model's scores depend on who a text speaks of: `sentiment-stream bias`.

Exists so that this can be measured of any model before it is believed. Sentences alone are scored
here; which ones is in `bias_templates` and `bias_data`, how it is shown in `bias_report`.
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


# Below this the ranges of both poles are one: the probabilities are 32-bit numbers.
SAME_RANGE = 1e-6


class Judged(NamedTuple):
    """The probability of the positive and of the negative label, and the likeliest label.

    `pole` is -1, 0 or 1: whether the likeliest is the negative one, another, or the positive one.
    """

    score: float
    negative: float
    label: str
    pole: int

    @property
    def polarity(self) -> float:
        """From 0, negative, to 1, positive; of two labels the score."""
        return polarity(self.negative, self.score)


def measure(
    settings: ModelSettings,
    data: Path,
    pair_files: Sequence[Path],
    console: Console,
    model: LoadedModel | None = None,
) -> dict[str, Any]:
    """Score all sentences and give the figures; `console` shows the progress.

    `templates` has for each template the probabilities of both poles for all countries. `range` is
    the larger of the two poles' `ranges`, and `range_of` says whose: with a neutral label the one
    may stand still while the other moves. `standard_deviation` is of the same. `flips` is the share
    of countries whose label is not that of most, `pole_flips` the share at the rarer of the poles.
    `lowest` and `highest` are by the polarity (see `poles`).

    `pairs` has for each set the mean and the largest absolute gap between two that should score
    alike, a gap being that of the pole which differs more; the mean gap of the polarity, second
    less first; the share of pairs with two labels (`flips`), and with opposite poles
    (`pole_flips`); and the worst. With two labels each figure is that of P(positive).

    Raises:
        InputError: a file of the data is missing or of another form.
        SettingsError, ModelError: as `load_model`, or the model has stopped working.
    """
    countries = read_countries(data)
    sets = [*built_in_pairs(data), *map(read_pairs, pair_files)]
    asked = [(kind, template, _sentences(kind, template, countries)) for kind, template in _all()]
    model = model or load_model(settings)
    started = time.monotonic()
    texts = [text for _, _, sentences in asked for text in sentences.values()]
    texts += [text for pairs in sets for pair in pairs.pairs for text in pair]
    judged = _judge(texts, model, console)
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
                **_country_figures({n: judged[t] for n, t in sentences.items()}, info.labels),
            }
            for kind, template, sentences in asked
        ],
        "pairs": [_pair_figures(pairs, judged) for pairs in sets],
        "all_pairs": _gaps([pair for pairs in sets for pair in pairs.pairs], judged),
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
    """The sentence of each country's name; those without an adjective have none by that."""
    if kind == "adjective":
        return {c.name: template.text.format(c.adjective) for c in countries if c.adjective}
    if template is written.CARD:
        return {c.name: template.text.format(c.name) for c in countries}
    return {c.name: template.text.format(c.spoken) for c in countries}


def _judge(texts: Iterable[str], model: LoadedModel, console: Console) -> dict[str, Judged]:
    once = list(dict.fromkeys(texts))
    scored = track(score_texts(once, model), "bias", len(once), console)
    labels = model.engine.info.labels
    bad, good = labels[negative(labels)], labels[positive(labels)]
    found = {}
    for text, one in zip(once, scored, strict=True):
        label = max(one.scores, key=one.scores.__getitem__)
        found[text] = Judged(one.scores[good], one.scores[bad], label, pole(label, labels))
    return found


def _country_figures(judged: dict[str, Judged], labels: Sequence[str]) -> dict[str, Any]:
    bad, good = labels[negative(labels)], labels[positive(labels)]
    of = {bad: {n: j.negative for n, j in judged.items()},
          good: {n: j.score for n, j in judged.items()}}  # fmt: skip
    ranges = {label: max(shares.values()) - min(shares.values()) for label, shares in of.items()}
    wider = bad if ranges[bad] > ranges[good] + SAME_RANGE else good
    by_polarity = {name: j.polarity for name, j in judged.items()}
    usual = statistics.mode(j.label for j in judged.values())
    poles = [j.pole for j in judged.values()]
    return {
        "countries": len(judged),
        "mean": statistics.fmean(of[good].values()),
        "range": ranges[wider],
        "range_of": wider,
        "ranges": ranges,
        "standard_deviation": statistics.pstdev(of[wider].values()),
        "flips": sum(j.label != usual for j in judged.values()) / len(judged),
        "pole_flips": min(poles.count(-1), poles.count(1)) / len(judged),
        "lowest": min(by_polarity, key=by_polarity.__getitem__),
        "highest": max(by_polarity, key=by_polarity.__getitem__),
        "scores": of[good],
        "negative_scores": of[bad],
    }


def _pair_figures(pairs: PairSet, judged: dict[str, Judged]) -> dict[str, Any]:
    by_gap = sorted(set(pairs.pairs), key=lambda p: (-_gap(judged[p[0]], judged[p[1]]), p))
    return {
        "set": pairs.name,
        "differ_in": pairs.differ_in,
        **_gaps(pairs.pairs, judged),
        "worst": [
            {
                "first": a,
                "second": b,
                "first_score": judged[a].score,
                "second_score": judged[b].score,
                "first_negative": judged[a].negative,
                "second_negative": judged[b].negative,
            }
            for a, b in by_gap[:WORST]
        ],
    }


def _gaps(pairs: Sequence[tuple[str, str]], judged: dict[str, Judged]) -> dict[str, Any]:
    both = [(judged[a], judged[b]) for a, b in pairs]
    gaps = [_gap(a, b) for a, b in both]
    return {
        "count": len(pairs),
        "mean_absolute_gap": statistics.fmean(gaps),
        "largest_gap": max(gaps),
        "mean_gap": statistics.fmean(b.polarity - a.polarity for a, b in both),
        "flips": sum(a.label != b.label for a, b in both) / len(pairs),
        "pole_flips": sum(a.pole * b.pole < 0 for a, b in both) / len(pairs),
    }


def _gap(first: Judged, second: Judged) -> float:
    """Of the pole that differs more; of two labels both differ alike."""
    return max(abs(second.score - first.score), abs(second.negative - first.negative))


def print_tables(models: Sequence[dict[str, Any]], console: Console) -> None:
    """Show the figures of one model, or of two side by side."""
    names = " and ".join(m["model"]["name"] for m in models)
    columns = [c if c in ("lowest", "highest") else f">{c}" for c in COUNTRY_COLUMNS]
    table = Table(f"{names}: the poles by country", "template", *columns * len(models))
    for rows in by_template(models):
        table.add_row(slot(rows[0]), *country_cells(rows))
    console.print(table)
    columns = [f">{c}" for c in PAIR_COLUMNS]
    table = Table(
        f"{names}: pairs that should score alike", "set", ">pairs", *columns * len(models)
    )
    for rows in by_set(models):
        table.add_row(rows[0]["set"], str(rows[0]["count"]), *pair_cells(rows))
    console.print(table)
