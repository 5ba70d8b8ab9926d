"""What a model is worth on every domain: the table of the bundled model's card.

`python tests/weights/measure.py ../shared/data --model-name bundled [--precision int8]`

Exists so that before and after are measured in one way, on rows that neither taught nor chose: the
5,000 tweets put aside, SST-2 dev, the comments of reddit dev that have one label, the even half of
the rated tweets; and what was held out of the other domains. For a model of two labels the figures
that need a neutral one are left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from service.lab.data.domains import NEGATIVE, NEUTRAL, POSITIVE, read_domains
from service.lab.data.files import read_lines
from service.lab.data.glue import Example, read_glue
from service.lab.data.labelled import RATING_MIN, read_ratings
from service.lab.teaching.mixture import read_mixture
from service.lab.teaching.recipe import Recipe
from service.lab.teaching.sources import Sources
from service.scoring.poles import both, neutral
from service.scoring.texts import load_model, score_texts
from service.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from service.records import Reading

# As `reddit/labels.txt` has them: 0 is ambiguous.
_COMMENTS = {"1": NEGATIVE, "2": NEUTRAL, "3": POSITIVE}


class Row(NamedTuple):
    """One line of the table, shares from 0 to 1; None where the domain or the model has no such."""

    texts: int
    polar_accuracy: float
    macro_recall: float | None
    right_if_confident: float
    called: float
    neutral_called: float | None


def domains(data: Path) -> Iterator[tuple[str, list[Example]]]:
    """Each domain that is measured, with labels 0 negative, 1 neutral, 2 positive."""
    three = read_domains(data / "three")
    yield "tweets put aside (SemEval)", three["semeval"].reserved
    yield "tweets (Kaggle), held out", three["kaggle"].held_out
    yield "customer reviews, held out", three["customer_reviews"].held_out
    # What is held out of SST-5 depends on what SST-2 holds out.
    sources = Sources(data / "sst2" / "train.tsv", domains=data / "three")
    yield "SST-5, held out", read_mixture(sources, Recipe()).held_out["sst5"]
    rows = (line.split("\t") for line in read_lines(data / "reddit" / "dev.tsv") if line)
    comments = [Example(text, _COMMENTS[label]) for text, label, _ in rows if label in _COMMENTS]
    yield "comments, reddit dev", comments
    reviews = read_glue(data / "sst2" / "dev.tsv")
    yield "SST-2 dev", [Example(e.text, POSITIVE if e.label else NEGATIVE) for e in reviews]
    yield (
        "tweets, rated",
        [
            Example(text, POSITIVE if rating > 0 else NEGATIVE)
            for number, rating, text in read_ratings(data / "tweets" / "vader_tweets.tsv")
            if number % 2 == 0 and abs(rating) >= RATING_MIN
        ],
    )


def measured(examples: Sequence[Example], readings: Sequence[Reading], names: Sequence[str]) -> Row:
    """The figures of one domain."""
    poles = both(names)
    if poles is None:
        sys.exit("the labels of this model name no poles; give one whose labels do")
    own = {NEGATIVE: poles[0], NEUTRAL: neutral(names), POSITIVE: poles[1]}
    truth = np.array([own[e.label] if own[e.label] is not None else -1 for e in examples])
    scores = np.array([list(r.scores.values()) for r in readings])
    confident = np.array([r.confident for r in readings])
    called = scores.argmax(axis=1)
    polar, at_pole = np.isin(truth, poles), np.isin(called, poles)
    right = np.where(scores[:, poles[1]] > scores[:, poles[0]], poles[1], poles[0]) == truth
    labels = [label for label in own.values() if label is not None and (truth == label).any()]
    recalls = [float((called[truth == label] == label).mean()) for label in labels]
    others = ~polar
    sure = polar & confident
    return Row(
        texts=len(examples),
        polar_accuracy=float(right[polar].mean()),
        macro_recall=sum(recalls) / len(recalls) if len(recalls) == len(own) else None,
        right_if_confident=float((called == truth)[sure].mean()) if sure.any() else float("nan"),
        called=float(confident[polar].mean()),
        neutral_called=float((confident & at_pole)[others].mean()) if others.any() else None,
    )


def main() -> None:
    """Print the table in Markdown; with --json its figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path, help="folder with sst2, reddit, tweets and three")
    arguments.add_argument("--model-name", default="bundled", help="bundled, or a folder")
    arguments.add_argument("--precision", default="auto", help="auto, float32 or int8")
    arguments.add_argument("--json", action="store_true", help="figures instead of a table")
    given = arguments.parse_args()
    settings = load_settings({"model": {"name": given.model_name, "precision": given.precision}})
    model = load_model(settings.model)
    names = model.engine.info.labels
    rows = {
        domain: measured(examples, list(score_texts((e.text for e in examples), model)), names)
        for domain, examples in domains(given.data)
    }
    if given.json:
        print(json.dumps({domain: row._asdict() for domain, row in rows.items()}, indent=2))
        return
    print("| domain |", " | ".join(Row._fields), "|")
    print("|---" * (len(Row._fields) + 1) + "|")
    for domain, row in rows.items():
        cells = ("" if v is None else f"{v:.3f}" if isinstance(v, float) else str(v) for v in row)
        print(f"| {domain} |", " | ".join(cells), "|")


if __name__ == "__main__":
    main()
