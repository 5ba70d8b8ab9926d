"""Training data: which rows have a label, which are held out, and which are never read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.lab.data.glue import Example
from service.lab.data.labelled import read_ratings
from service.lab.teaching.mixture import read_mixture
from service.lab.teaching.recipe import Recipe
from service.lab.teaching.sources import Sources

if TYPE_CHECKING:
    from pathlib import Path


def sources(folder: Path) -> Sources:
    """Twelve sentences, thirty posts and sixty tweets; the text of a tweet has its rating."""
    data, posts, tweets = (folder / f"{name}.tsv" for name in ("train", "posts", "tweets"))
    data.write_text("sentence\tlabel\n" + "".join(f"{'word ' * 12}{i}\t1\n" for i in range(12)))
    labels = ("1", "3", "0", "2", "1,3")
    posts.write_text("".join(f"post {i}\t{labels[i % 5]}\tid{i}\n" for i in range(30)))
    ratings = (-3.0, -1.0, 0.4, 0.7, 2.0)
    tweets.write_text("".join(f"{i}\t{ratings[i % 5]}\ttweet {i}\n" for i in range(60)))
    return Sources(data, posts, tweets)


def test_training_and_held_out_texts_are_disjoint(tmp_path: Path) -> None:
    """No tweet with an even number is in either; of the others only polar ones are."""
    mixture = read_mixture(sources(tmp_path), Recipe(held_out=3, tweet_copies=2))
    train = {e.text for e in mixture.train} | set(mixture.unlabelled)
    held = {e.text for rows in mixture.held_out.values() for e in rows} | set(mixture.messages)
    assert not train & held
    tweets = [text for text in train | held if text.startswith("tweet")]
    assert tweets
    assert all(int(text.split()[1]) % 2 for text in tweets)
    ratings = {n: r for n, r, _ in read_ratings(tmp_path / "tweets.tsv")}
    in_training = [e for e in mixture.train if e.text.startswith("tweet")]
    assert 2 * len({e.text for e in in_training}) == len(in_training)
    assert all(0.5 <= abs(ratings[int(e.text.split()[1])]) for e in in_training)
    assert all(1.0 <= abs(ratings[int(e.text.split()[1])]) for e in mixture.held_out["tweets"])


def test_the_split_depends_only_on_its_seed(tmp_path: Path) -> None:
    """So runs with the same split can be compared, whatever their own seed."""
    files = sources(tmp_path)
    first = read_mixture(files, Recipe(held_out=3, seed=1))
    assert first.held_out == read_mixture(files, Recipe(held_out=3, seed=2)).held_out
    other = read_mixture(files, Recipe(held_out=3, split_seed=2))
    assert first.held_out != other.held_out


def test_text_is_normalised_as_the_model_will_see_it(tmp_path: Path) -> None:
    """All texts, the test set included; version 0 changes nothing."""
    data = tmp_path / "data.tsv"
    data.write_text("sentence\tlabel\nfish &amp; chips\t1\n")
    for version, expected in ((0, "fish &amp; chips"), (1, "fish & chips")):
        mixture = read_mixture(Sources(data, test=data), Recipe(normaliser=version))
        assert [Example(expected, 1)] == mixture.train == mixture.test
