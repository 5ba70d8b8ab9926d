"""What each way to read long texts is worth: how long the windows are, and how they are joined.

    python tests/bench/texts/long_texts.py ../shared/data [MODEL] [WINDOW_TOKENS,...]

Texts of 20 to 80 labelled sentences, in three sets: of both sentiments, four sentences in five of
one; of one sentiment, and at the end one strong sentence of the other; of neutral sentences, three
in ten of one sentiment. Prints a table in Markdown with a row for each way to join, a column for
each length, and in a cell, of the first set the share called rightly by the likelier pole, of the
second the share where the pole against the end has 0.6 or more, of the third as of the first. Most
sentences are from files that the bundled model was trained on: they compare ways, and do not say
how good the model is. Takes one to two minutes of a core for each length.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
import numpy as np

from service.checkpoint.files import resolve
from service.checkpoint.tokenizer import load_tokenizer
from service.lab.data.glue import read_glue
from service.scoring.joining import joined
from service.scoring.poles import negative, positive
from service.scoring.processing import load_processing
from service.scoring.texts import LoadedModel, load_model
from service.settings import ModelSettings
from service.text.encoder import TextEncoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Rule = Callable[[NDArray[np.float64]], NDArray[np.float64]]

# Of one set: the standard error of a share of 0.9 is 0.03, of the difference of two ways less.
TEXTS = 120
SIZES = "64,96,128,192,256,512"
SENTENCE_WORDS_MIN = 12
AGAINST_THE_END_MIN = 0.6


class Sentences(NamedTuple):
    """Those of each pole (0 negative, 1 positive), the strongest of each, and neutral ones."""

    poles: tuple[list[str], list[str]]
    strong: tuple[list[str], list[str]]
    neutral: list[str]


class Texts(NamedTuple):
    """One set: the pole of each text, or that of its end."""

    texts: list[str]
    poles: list[int]
    by_end: bool = False


def weighted(last: Callable[[int], float]) -> Rule:
    """The mean of logits in which the last one has the weight that is given for their number."""

    def rule(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        weights = [*[1.0] * (len(rows) - 1), last(len(rows))]
        mean: NDArray[np.float64] = np.average(rows, axis=0, weights=weights)
        return mean

    return rule


def mean_probability(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithm of the mean of probabilities."""
    logs = rows - np.logaddexp.reduce(rows, axis=1, keepdims=True)
    mean: NDArray[np.float64] = np.logaddexp.reduce(logs, axis=0) - np.log(len(rows))
    return mean


def surer(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The last, or the mean: whichever is surer of its label."""
    both = np.stack([rows.mean(axis=0), rows[-1]])
    ordered = np.sort(both, axis=1)
    found: NDArray[np.float64] = both[int((ordered[:, -1] - ordered[:, -2]).argmax())]
    return found


# Of the windows that cover the text; what the service does reads its end once more.
RULES: dict[str, Rule] = {
    "mean of logits": lambda rows: rows.mean(axis=0),
    "the last window twice": weighted(lambda _: 2),
    "the last as all others": weighted(lambda count: max(1, count - 1)),
    "half the last, half the mean": weighted(lambda count: 1 + count),
    "the last or the mean, the surer": surer,
    "mean of probabilities": mean_probability,
}
OURS = "the end apart (the service)"


def read_sentences(data: Path) -> Sentences:
    """Those of SST-2 that are no fragments, of SST-5, and Reddit's comments."""
    poles: tuple[list[str], list[str]] = ([], [])
    strong: tuple[list[str], list[str]] = ([], [])
    neutral = []
    for example in read_glue(data / "sst2" / "train.tsv"):
        if len(example.text.split()) >= SENTENCE_WORDS_MIN:
            poles[example.label].append(example.text.strip())
    for line in (data / "three" / "sst5.tsv").read_text().split("\n")[1:]:
        text, _, label = line.rpartition("\t")
        if label == "neutral":
            neutral.append(text)
        if not label.endswith(("negative", "positive")):
            continue
        pole = int(label.endswith("positive"))
        poles[pole].append(text)
        if label.startswith("very"):
            strong[pole].append(text)
    for line in (data / "reddit" / "train.tsv").read_text().split("\n"):
        text, label, _ = line.split("\t") if line else ("", "", "")
        if label in ("1", "2", "3"):
            {"1": poles[0], "2": neutral, "3": poles[1]}[label].append(text)
    return Sentences(poles, strong, neutral)


def sets(sentences: Sentences) -> list[Texts]:
    """The three sets, the same in every run."""
    chance = random.Random(7)
    labels = [number % 2 for number in range(TEXTS)]

    def some(sources: list[str], count: int) -> list[str]:
        return [chance.choice(sources) for _ in range(count)]

    def shuffled(pole: int, share: float, others: list[str]) -> str:
        count = chance.randint(15, 60)
        same = max(2, round(count * share))
        lines = some(sentences.poles[pole], same) + some(others, count - same)
        chance.shuffle(lines)
        return "\n".join(lines)

    def turning(end: int) -> str:
        lines = some(sentences.poles[1 - end], chance.randint(20, 80))
        return "\n".join([*lines, *some(sentences.strong[end], 1)])

    mixed = [shuffled(pole, 0.8, sentences.poles[1 - pole]) for pole in labels]
    ending = [turning(pole) for pole in labels]
    diluted = [shuffled(pole, 0.3, sentences.neutral) for pole in labels]
    return [Texts(mixed, labels), Texts(ending, labels, by_end=True), Texts(diluted, labels)]


def figure(model: LoadedModel, logits: NDArray[np.float32], texts: Texts) -> float:
    """One number of a cell."""
    names = model.engine.info.labels
    both = model.reader.probabilities(logits)[:, [negative(names), positive(names)]]
    if not texts.by_end:
        return float((both.argmax(axis=1) == np.array(texts.poles)).mean())
    against = both[np.arange(len(both)), [1 - pole for pole in texts.poles]]
    return float((against >= AGAINST_THE_END_MIN).mean())


def column(model: LoadedModel, texts: list[Texts]) -> tuple[dict[str, list[float]], int]:
    """By way to join, the figure of each set; and how many tokens were computed."""
    figures: dict[str, list[float]] = {name: [] for name in [*RULES, OURS]}
    tokens = 0
    for one in texts:
        encoded = [windows for windows, _ in model.encoder.encode(one.texts)]
        windows = [window for windows in encoded for window in windows]
        tokens += sum(map(len, windows))
        logits = model.engine.logits(windows)
        counts = [len(windows) for windows in encoded]
        parts = np.split(logits.astype(np.float64), np.cumsum(counts)[:-1])
        for name, rule in RULES.items():
            rows = [rule(part[:-1] if len(part) > 1 else part) for part in parts]
            figures[name].append(figure(model, np.array(rows, np.float32), one))
        ours = joined(logits, counts, multi_label=model.reader.multi_label)
        figures[OURS].append(figure(model, ours, one))
    return figures, tokens


def main(data: Path, settings: ModelSettings, sizes: list[int]) -> None:
    """Print the table."""
    checkpoint = resolve(settings)
    calibration, _, reader = load_processing(settings, checkpoint)
    engine = load_model(settings).engine
    texts = sets(read_sentences(data))
    columns = []
    for size in sizes:
        encoder = TextEncoder(
            load_tokenizer(checkpoint),
            size,
            text_tokens_max=2048,
            normaliser=calibration.normaliser,
        )
        columns.append(column(LoadedModel(engine, encoder, reader), texts))
    click.echo(f"| joined by | {' | '.join(map(str, sizes))} |\n|{'---|' * (1 + len(sizes))}")
    for name in [*RULES, OURS]:
        cells = ["/".join(f"{value:.2f}" for value in figures[name]) for figures, _ in columns]
        click.echo(f"| {name} | {' | '.join(cells)} |")
    per_text = [f"{tokens / TEXTS / len(texts):.0f}" for _, tokens in columns]
    click.echo(f"| tokens computed of a text | {' | '.join(per_text)} |")


if __name__ == "__main__":
    folder, name, sizes = [*sys.argv[1:], *["bundled", SIZES][len(sys.argv) - 2 :]]
    main(
        Path(folder),
        ModelSettings(name=name, device="cpu"),
        [int(size) for size in sizes.split(",")],
    )
