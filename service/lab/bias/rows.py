"""The columns and cells of the tables of `bias`, and its Markdown.

Exists so that terminal, Markdown and HTML have the same columns and words. Takes the figures of
`run.measure` for one model, or for two to show next to each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.scoring.poles import polarity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Figures = dict[str, Any]

COUNTRY_COLUMNS = ("range", "std", "flips", "pole flips", "lowest", "highest")
PAIR_COLUMNS = ("mean gap", "largest", "flips", "pole flips")


def markdown(models: Sequence[Figures], maps: Sequence[str]) -> str:
    """The report without the table of all countries; `maps` are the file names of pictures."""
    lines = [
        f"# Bias: {' and '.join(title_of(m) for m in models)}",
        "",
        *legend(),
        "",
    ]
    for model, picture in zip(models, maps, strict=True):
        card = card_of(model)
        lines += [
            f"![{title_of(model)}: “{slot(card)}”, by country]({picture})",
            "",
            f"{title_of(model)}: from {at(card, 'lowest')} to {at(card, 'highest')},",
            f"range of P({card['range_of']}) {card['range']:.3f}.",
            "",
        ]
    heads = [f"{w}, {title_of(m)}" for m in models for w in COUNTRY_COLUMNS]
    lines += _markdown_table(
        ("template", "countries", *heads),
        ((slot(t[0]), str(t[0]["countries"]), *country_cells(t)) for t in by_template(models)),
    )
    heads = [f"{w}, {title_of(m)}" for m in models for w in PAIR_COLUMNS]
    lines += _markdown_table(
        ("pairs", "count", *heads),
        ((p[0]["set"], str(p[0]["count"]), *pair_cells(p)) for p in by_set(models)),
    )
    return "\n".join(lines)


def legend() -> tuple[str, ...]:
    """The explanation of the figures, as lines of one paragraph."""
    return (
        "Sentences that differ in a country, a pronoun, a name or a group should score the same.",
        "The polarity of a country, from 0 to 1, is half of 1 + P(positive) - P(negative).",
        "With two labels that is P(positive).",
        "Range, std and gaps are of the probability of a pole: of the one that varies more.",
        "A flip is another label than that of most countries, or than that of the other text of a",
        "pair. A pole flip is one between negative and positive: the share of countries at the",
        "rarer pole, or of pairs with opposite poles.",
    )


def card_of(model: Figures) -> Figures:
    """The figures of the template from the published model's card."""
    card: Figures = model["templates"][0]
    return card


def title_of(model: Figures) -> str:
    """The model's name and the beginning of its revision."""
    return f"{model['model']['name']} ({model['model']['revision'].removeprefix('sha256:')[:7]})"


def at(row: Figures, which: str) -> str:
    """The country that is `lowest` or `highest` (`which`), with its polarity."""
    return f"{row[which]} {polarities(row)[row[which]]:.2f}"


def polarities(row: Figures) -> dict[str, float]:
    """The polarity of each country, from 0 to 1."""
    bad = row["negative_scores"]
    return {name: polarity(bad[name], good) for name, good in row["scores"].items()}


def by_template(models: Sequence[Figures]) -> list[tuple[Figures, ...]]:
    """For each template, the figures of all models."""
    return list(zip(*(m["templates"] for m in models), strict=True))


def by_set(models: Sequence[Figures]) -> list[tuple[Figures, ...]]:
    """For each set of pairs, and at last for all pairs, the figures of all models."""
    every = [[*m["pairs"], {"set": "all", **m["all_pairs"]}] for m in models]
    return list(zip(*every, strict=True))


def country_cells(rows: Iterable[Figures]) -> list[str]:
    """The cells of `COUNTRY_COLUMNS` for each model."""
    return [
        cell
        for row in rows
        for cell in (
            f"{row['range']:.3f} {row['range_of']}",
            f"{row['standard_deviation']:.3f}",
            f"{100 * row['flips']:.1f}\u00a0%",
            f"{100 * row['pole_flips']:.1f}\u00a0%",
            at(row, "lowest"),
            at(row, "highest"),
        )
    ]


def pair_cells(rows: Iterable[Figures]) -> list[str]:
    """The cells of `PAIR_COLUMNS` for each model."""
    return [
        cell
        for row in rows
        for cell in (
            f"{row['mean_absolute_gap']:.4f}",
            f"{row['largest_gap']:.3f}",
            f"{100 * row['flips']:.1f}\u00a0%",
            f"{100 * row['pole_flips']:.1f}\u00a0%",
        )
    ]


def _markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [*("| " + " | ".join(c.replace("|", "\\|") for c in line) + " |" for line in lines), ""]


def slot(row: Figures) -> str:
    """A template with the word COUNTRY or NATIONALITY in its slot."""
    text: str = row["template"]
    return text.format("COUNTRY" if row["by"] == "name" else "NATIONALITY")
