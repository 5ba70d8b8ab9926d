"""Small files of every domain that three labels are trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.lab.teaching.sources import Sources

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("negative", "neutral", "positive")


def write_domains(folder: Path, tweets: int = 60) -> Path:
    """A small file for each domain, with every label; a tweet says its number."""
    files = {
        "tweets_semeval.tsv": [(f"tweet number {i}", NAMES[i % 3]) for i in range(tweets)],
        "tweets_kaggle.tsv": [(f"status number {i}", NAMES[i % 3]) for i in range(60)],
        "sst5.tsv": [(f"scene {i} of a film", ("very ", "")[i % 2] + NAMES[2 * (i % 2)])
                     for i in range(60)] + [(f"plain scene {i}", "neutral") for i in range(24)],
        "customer_reviews.tsv": [(f"player {i}", NAMES[2 * (i % 2)]) for i in range(60)],
        "goemotions28.tsv": [(f"comment {i}", ("anger", "desire,neutral", "joy")[i % 3])
                             for i in range(60)],
    }  # fmt: skip
    folder.mkdir(exist_ok=True)
    for name, rows in files.items():
        lines = ["text\tlabel", *(f"{text}\t{label}" for text, label in rows)]
        (folder / name).write_text("\n".join(lines) + "\n")
    return folder


def sources(folder: Path) -> Sources:
    """Reviews, tweets and the domains."""
    data, tweets = folder / "train.tsv", folder / "tweets.tsv"
    rows = (f"scene {i} of a film\t{i % 2}" for i in range(30))
    more = (f"{'word ' * 12}{i}\t{i % 2}" for i in range(12))
    data.write_text("\n".join(["sentence\tlabel", *rows, *more]) + "\n")
    tweets.write_text("".join(f"{i}\t{(i % 5 - 2) * 0.8}\trated {i}\n" for i in range(60)))
    return Sources(data, tweets=tweets, domains=write_domains(folder / "three"))
