"""What each rule for joining windows is worth, on long texts made of posts.

    python tests/bench/long_texts.py ../shared/data [MODEL]

Posts of one sentiment, with a share of the other one among them, become a text of some 1,500
tokens, whose sentiment is that of the most; the posts are labelled ones that no model of ours was
trained on. Prints a table in Markdown: accuracy by rule and by share.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import click
import numpy as np

from service.lab.labelled import read_labelled
from service.lab.scoring import LoadedModel, load_model
from service.settings import ModelSettings
from service.windows import Rule, joined

# Of one share: enough that chance is 0.06 either way at most.
TEXTS = 300
CHARACTERS = 6000
SHARES = (0.6, 0.7, 0.8)
RULES: tuple[Rule, ...] = ("mean", "weighted", "strongest")


def long_text(posts: dict[int, list[str]], label: int, share: float, chance: random.Random) -> str:
    """Posts in any order, of which so many are of this label."""
    picked: list[str] = []
    while sum(map(len, picked)) < CHARACTERS:
        same = sum(map(len, picked)) == 0 or chance.random() < share
        picked.append(chance.choice(posts[label if same else 1 - label]))
    chance.shuffle(picked)
    return "\n".join(picked)


def accuracies(model: LoadedModel, texts: list[str], labels: list[int]) -> dict[str, float]:
    """The share of texts called rightly, by each rule and by reading the first window alone."""
    encoded = [windows for windows, _ in model.encoder.encode(texts)]
    logits = model.engine.logits([window for windows in encoded for window in windows])
    lengths = [[len(window) for window in windows] for windows in encoded]
    first = np.cumsum([0, *map(len, lengths)])[:-1]
    found = {"first window alone": logits[first]}
    found |= {rule: joined(logits, lengths, rule) for rule in RULES}
    return {
        # Calibrated, as the service has it: where windows disagree, the bias may decide.
        name: float((model.calling.probabilities(said).argmax(axis=1) == labels).mean())
        for name, said in found.items()
    }


def main(data: Path, settings: ModelSettings) -> None:
    """Print the table."""
    model = load_model(settings)
    examples = [
        *read_labelled(data / "tweets" / "vader_tweets.tsv", "ratings"),
        *read_labelled(data / "reddit" / "dev.tsv", "emotions"),
    ]
    posts = {label: [e.text for e in examples if e.label == label] for label in (0, 1)}
    columns = {}
    for share in SHARES:
        chance = random.Random(7)
        labels = [number % 2 for number in range(TEXTS)]
        texts = [long_text(posts, label, share, chance) for label in labels]
        columns[share] = accuracies(model, texts, labels)
    shares = [f"{share:.0%} of the posts" for share in SHARES]
    click.echo(f"| rule | {' | '.join(shares)} |\n|{'---|' * (1 + len(shares))}")
    for rule in columns[SHARES[0]]:
        cells = [f"{columns[share][rule]:.3f}" for share in SHARES]
        click.echo(f"| {rule} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]), ModelSettings(name=[*sys.argv, "bundled"][2], device="cpu"))
