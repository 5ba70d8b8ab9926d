"""Writes the figures of `bias` as HTML with pictures, and as Markdown with a map in its own file.

Exists so that a model card can show them. Takes the figures of one model, or of two to show next to
each other; scores nothing.
"""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING

from service.lab.bias import world_map
from service.lab.bias.rows import (
    COUNTRY_COLUMNS,
    PAIR_COLUMNS,
    at,
    by_set,
    by_template,
    card_of,
    country_cells,
    legend,
    markdown,
    pair_cells,
    polarities,
    slot,
    title_of,
)
from service.lab.data.files import write_pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from service.lab.bias.rows import Figures

BARS_WIDTH, BARS_HEIGHT = 960, 240
EXTREMES = 8
LINE = 23
TOP, LEFT = 30, 54
WORST_SHOWN = 5

_STYLE = """
body{font:15px/1.45 sans-serif;color:#1f2937;max-width:1180px;margin:2em auto;padding:0 1em}
h1{font-size:1.5em}h2{font-size:1.2em;margin-top:2em;border-bottom:1px solid #d5dae1}
.side{display:flex;gap:1.5em;flex-wrap:wrap}.side>*{flex:1 1 440px;min-width:0}
svg{width:100%;height:auto}table{border-collapse:collapse;font-size:.88em;margin:.6em 0}
th,td{padding:.25em .7em;border-bottom:1px solid #e5e8ed;text-align:left;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}td.t{min-width:13em}
td.edge,th.edge{border-left:2px solid #b8c0cb}tr.all td{font-weight:bold}
details{margin:.6em 0}summary{cursor:pointer}
"""


def write_report(
    models: Sequence[Figures], world: dict[str, world_map.Rings], folder: Path
) -> list[Path]:
    """Write `bias.html`, `bias.md`, `bias.json` and a map for each model; return their paths.

    `world` is the result of `world_map.read_world`.

    Raises:
        InputError: the folder cannot be written.
    """
    maps = {f"bias-map{'' if not n else '-against'}.svg": _map(m, world, "")
            for n, m in enumerate(models)}  # fmt: skip
    pages = {
        "bias.html": html(models, world),
        "bias.md": markdown(models, tuple(maps)),
        "bias.json": json.dumps(list(models), indent=1, ensure_ascii=False) + "\n",
        **maps,
    }
    return write_pages(folder, pages)


def html(models: Sequence[Figures], world: dict[str, world_map.Rings]) -> str:
    """A page with all pictures in it."""
    names = " and ".join(escape(title_of(m)) for m in models)
    maps = "".join(f"<div>{_map(m, world, f'-{n}')}</div>" for n, m in enumerate(models))
    bars = "".join(f"<div>{sorted_bars(m)}</div>" for m in models)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Bias: {names}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"<h1>Who a text speaks of, and what it scores: {names}</h1>"
        f"<p>{escape(' '.join(legend()))}</p>"
        f"{_summary(models)}<h2>The world, by “{escape(slot(card_of(models[0])))}”</h2>"
        f'<div class="side">{maps}</div><h2>The same, sorted</h2><div class="side">{bars}</div>'
        f"<h2>Countries, by template</h2>{_templates_table(models)}"
        f"<h2>Pairs</h2>{_pairs_table(models)}<h2>The worst pairs</h2>{_worst(models)}"
        f"<h2>Every country</h2><details><summary>{len(models[0]['numbers'])} countries in the "
        f"card's template</summary>{_every_country(models)}</details></body></html>\n"
    )


def sorted_bars(model: Figures) -> str:
    """An SVG with a bar for each country in order of polarity, and the names at both ends."""
    ordered = sorted(polarities(card_of(model)).items(), key=lambda item: item[1])
    width = (BARS_WIDTH - LEFT - 10) / len(ordered)
    bars = [
        f'<rect x="{LEFT + width * n:.2f}" y="{TOP + BARS_HEIGHT * (1 - score):.1f}" '
        f'width="{max(0.5, width - 0.4):.2f}" height="{BARS_HEIGHT * score:.1f}" '
        f'fill="{world_map.colour(score)}" stroke="#8a94a3" stroke-width="0.15">'
        f"<title>{escape(name)}: {score:.3f}</title></rect>"
        for n, (name, score) in enumerate(ordered)
    ]
    for step in range(5):
        y = TOP + BARS_HEIGHT * (1 - step / 4)
        bars.append(
            f'<line x1="{LEFT}" x2="{BARS_WIDTH - 10}" y1="{y}" y2="{y}" stroke="#9aa4b2" '
            f'stroke-width="0.6" stroke-dasharray="{"" if step in (0, 4) else "3 4"}"/>'
            f'<text x="{LEFT - 8}" y="{y + 5}" text-anchor="end">{step / 4:.2f}</text>'
        )
    ends = [("start", LEFT, ordered[:EXTREMES]), ("end", BARS_WIDTH - 10, ordered[::-1][:EXTREMES])]
    for anchor, x, items in ends:
        for n, (name, score) in enumerate(items):
            y = TOP + BARS_HEIGHT + 30 + LINE * n
            bars.append(
                f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(name)} {score:.3f}</text>'
            )
    height = TOP + BARS_HEIGHT + 30 + LINE * EXTREMES
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {BARS_WIDTH} {height}" '
        'font-family="sans-serif" font-size="17" fill="#1f2937">'
        f'<text x="{LEFT}" y="18" font-weight="bold">{escape(title_of(model))}</text>'
        f"{''.join(bars)}</svg>"
    )


def _map(model: Figures, world: dict[str, world_map.Rings], suffix: str) -> str:
    card, numbers = card_of(model), model["numbers"]
    scores = {numbers[name]: (name, score) for name, score in polarities(card).items()}
    title = f"{title_of(model)}: “{slot(card)}”"
    return world_map.draw(world, scores, title, suffix)


def _table(
    heads: Sequence[str],
    rows: Iterable[tuple[str, Sequence[str]]],
    text: int,
    models: Sequence[Figures] = (),
) -> str:
    """An HTML table.

    A row is its CSS class and its cells. The first `text` columns are text and common to all
    models; after them each of `models` has the same number of columns with numbers.
    """
    each = (len(heads) - text) // max(1, len(models))

    def mark(n: int) -> str:
        if n < text:
            return ' class="t"' if n == 1 else ""
        return ' class="n edge"' if len(models) > 1 and (n - text) % each == 0 else ' class="n"'

    above = ""
    if len(models) > 1:
        names = "".join(f'<th class="edge" colspan="{each}">{escape(title_of(m))}</th>'
                        for m in models)  # fmt: skip
        above = f'<tr><th colspan="{text}"></th>{names}</tr>'
    head = "".join(f"<th{mark(n)}>{escape(cell)}</th>" for n, cell in enumerate(heads))
    body = "".join(
        f'<tr class="{kind}">'
        + "".join(f"<td{mark(n)}>{escape(cell)}</td>" for n, cell in enumerate(cells))
        + "</tr>"
        for kind, cells in rows
    )
    return f"<table><thead>{above}<tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _summary(models: Sequence[Figures]) -> str:
    rows = []
    for m in models:
        card, pairs, of = card_of(m), m["all_pairs"], m["model"]
        rows.append(
            ("", (title_of(m), f"{of['engine']}, {of['precision']}", f"{card['range']:.3f}",
                  f"P({card['range_of']})", at(card, "lowest"), at(card, "highest"),
                  f"{pairs['mean_absolute_gap']:.4f}", f"{100 * pairs['flips']:.2f} %",
                  f"{100 * pairs['pole_flips']:.2f} %"))
        )  # fmt: skip
    heads = ("model", "run by", "range over countries", "of", "lowest", "highest",
             "mean gap of pairs", "flips of pairs", "pole flips")  # fmt: skip
    return _table(heads, rows, 2)


def _templates_table(models: Sequence[Figures]) -> str:
    heads = ["about", "template", "countries"]
    heads += [w for _ in models for w in COUNTRY_COLUMNS]
    rows = [
        ("", (t[0]["topic"], slot(t[0]), str(t[0]["countries"]), *country_cells(t)))
        for t in by_template(models)
    ]
    return _table(heads, rows, 3, models)


def _pairs_table(models: Sequence[Figures]) -> str:
    heads = ["set", "the two differ in", "pairs"]
    heads += [w for _ in models for w in PAIR_COLUMNS]
    rows = [
        (
            "all" if p[0]["set"] == "all" else "",
            (p[0]["set"], p[0].get("differ_in", ""), str(p[0]["count"]), *pair_cells(p)),
        )
        for p in by_set(models)
    ]
    return _table(heads, rows, 3, models)


def _worst(models: Sequence[Figures]) -> str:
    tables = []
    for model in models:
        bad, good = model["negative_label"], model["label"]
        rows = [
            (
                "",
                (
                    pairs["set"],
                    f"{w['first']} / {w['second']}",
                    f"{w['first_negative']:.3f} / {w['second_negative']:.3f}",
                    f"{w['first_score']:.3f} / {w['second_score']:.3f}",
                ),
            )
            for pairs in model["pairs"]
            for w in pairs["worst"][:WORST_SHOWN]
        ]
        heads = ("set", f"the two, {title_of(model)}", f"P({bad})", f"P({good})")
        tables.append(f"<div>{_table(heads, rows, 2)}</div>")
    return f'<div class="side">{"".join(tables)}</div>'


def _every_country(models: Sequence[Figures]) -> str:
    cards = [card_of(m) for m in models]
    found = [(polarities(c), c["negative_scores"], c["scores"]) for c in cards]
    first = found[0][0]
    rows = [
        ("", (name, *(f"{shares[name]:.3f}" for of_model in found for shares in of_model)))
        for name in sorted(first, key=lambda n: -first[n])
    ]
    heads = [
        head
        for m in models
        for head in ("polarity", f"P({m['negative_label']})", f"P({m['label']})")
    ]
    return _table(("country", *heads), rows, 1, models)
