"""How a model's scores depend on who a text speaks of: `sentiment-stream bias`.

Exists so that this can be measured of any model before it is believed. Sentences alone are scored
here; which ones is in `bias_templates` and `bias_data`, how it is shown in `bias_report`.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from service.lab import bias_templates as written
from service.lab.bias_data import built_in_pairs, read_countries, read_pairs
from service.lab.bias_rows import (
    COUNTRY_COLUMNS,
    PAIR_COLUMNS,
    by_set,
    by_template,
    country_cells,
    pair_cells,
    slot,
)
from service.lab.scoring import LoadedModel, load_model, score_texts
from service.poles import positive
from service.terminal import Table, track

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rich.console import Console

    from service.lab.bias_data import Country, PairSet
    from service.lab.bias_templates import Template
    from service.settings import ModelSettings

WORST = 10


class Judged(NamedTuple):
    """The probability of the positive label, and the likeliest label."""

    score: float
    label: str


def measure(
    settings: ModelSettings,
    data: Path,
    pair_files: Sequence[Path],
    console: Console,
    model: LoadedModel | None = None,
) -> dict[str, Any]:
    """Score all sentences and give the figures; `console` shows the progress.

    `templates` has the scores of all countries for each template, with their range, their standard
    deviation, and the share of countries whose label is not that of most. `pairs` has for each set
    the mean and the largest absolute gap between two that should score alike, the mean gap (second
    less first), the share of pairs with two labels (`flips`), and the worst. Of all scores that of
    the positive label counts (see `poles`).

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
        "templates": [
            _country_figures(kind, template, {name: judged[t] for name, t in sentences.items()})
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
    label = labels[positive(labels)]
    return {
        text: Judged(s.scores[label], max(s.scores, key=s.scores.__getitem__))
        for text, s in zip(once, scored, strict=True)
    }


def _country_figures(kind: str, template: Template, judged: dict[str, Judged]) -> dict[str, Any]:
    scores = {name: j.score for name, j in judged.items()}
    lowest, highest = min(scores, key=scores.__getitem__), max(scores, key=scores.__getitem__)
    usual = statistics.mode(j.label for j in judged.values())
    return {
        "topic": template.topic,
        "by": kind,
        "template": template.text,
        "countries": len(scores),
        "mean": statistics.fmean(scores.values()),
        "range": scores[highest] - scores[lowest],
        "standard_deviation": statistics.pstdev(scores.values()),
        "flips": sum(j.label != usual for j in judged.values()) / len(judged),
        "lowest": lowest,
        "highest": highest,
        "scores": scores,
    }


def _pair_figures(pairs: PairSet, judged: dict[str, Judged]) -> dict[str, Any]:
    by_gap = sorted(
        set(pairs.pairs), key=lambda p: (-abs(judged[p[0]].score - judged[p[1]].score), p)
    )
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
            }
            for a, b in by_gap[:WORST]
        ],
    }


def _gaps(pairs: Sequence[tuple[str, str]], judged: dict[str, Judged]) -> dict[str, Any]:
    gaps = [judged[b].score - judged[a].score for a, b in pairs]
    return {
        "count": len(pairs),
        "mean_absolute_gap": statistics.fmean(map(abs, gaps)),
        "largest_gap": max(map(abs, gaps)),
        "mean_gap": statistics.fmean(gaps),
        "flips": sum(judged[a].label != judged[b].label for a, b in pairs) / len(pairs),
    }


def print_tables(models: Sequence[dict[str, Any]], console: Console) -> None:
    """Show the figures of one model, or of two side by side."""
    names = " and ".join(m["model"]["name"] for m in models)
    columns = [c if c in ("lowest", "highest") else f">{c}" for c in COUNTRY_COLUMNS]
    table = Table(
        f"{names}: P({models[0]['label']}) by country", "template", *columns * len(models)
    )
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
