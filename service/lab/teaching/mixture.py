"""Reads and splits the training data: reviews, posts and tweets, each with a held-out part.

Exists so that training and calibration split the files in exactly one way. Texts are normalised
here, as they will be at run time. No model code here.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, TypeVar

from service.lab.data.glue import Example, hold_out, read_glue
from service.lab.data.labelled import RATING_MIN, read_emotions, read_ratings
from service.lab.teaching.mixture_three import read_three
from service.lab.teaching.sources import TWEETS_HELD_OUT, Mixture, Sources
from service.text.normalise import normalise

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.lab.data.labelled import Rated
    from service.lab.teaching.recipe import Recipe

# Held-out posts, labelled or not; they are enough for the reference distributions too.
POSTS_HELD_OUT = 2000
# The least absolute rating to train on; below it, people do not agree on the sign.
TRAINED_RATING_MIN = 0.5

_Row = TypeVar("_Row")


def read_mixture(sources: Sources, recipe: Recipe) -> Mixture:
    """Read and split all files; the split depends only on `recipe.split_seed`.

    Raises:
        InputError: a file cannot be used.
    """
    if sources.domains is not None:
        return read_three(sources.domains, sources, recipe)
    train, sentences = hold_out(read_glue(sources.data), recipe.held_out, recipe.split_seed)
    teacher_texts = [example.text for example in train]
    held_out = {sources.data.parent.name or "data": sentences}
    unlabelled: list[str] = []
    messages: list[str] = []
    order = random.Random(recipe.split_seed)
    if sources.posts is not None:
        posts = read_emotions(sources.posts)
        order.shuffle(posts)
        held, rest = _cut(posts, POSTS_HELD_OUT)
        train += _labelled(rest)
        unlabelled += [text for text, label in rest if label is None]
        held_out["posts"] = _labelled(held)
        messages += [text for text, _ in held]
    if sources.tweets is not None:
        tweets = [tweet for tweet in read_ratings(sources.tweets) if tweet.number % 2]
        order.shuffle(tweets)
        held_tweets, rest_tweets = _cut(tweets, TWEETS_HELD_OUT)
        train += _polar(rest_tweets, TRAINED_RATING_MIN) * recipe.tweet_copies
        held_out["tweets"] = _polar(held_tweets, RATING_MIN)
        messages += [tweet.text for tweet in held_tweets]
    test = [] if sources.test is None else read_glue(sources.test)
    return _mapped(
        Mixture(train, teacher_texts, unlabelled, held_out, messages, test),
        lambda text: normalise(text, recipe.normaliser),
    )


def _cut(rows: list[_Row], count: int) -> tuple[list[_Row], list[_Row]]:
    # A small file holds out a third at most.
    first = min(count, len(rows) // 3)
    return rows[:first], rows[first:]


def _labelled(posts: list[tuple[str, int | None]]) -> list[Example]:
    return [Example(text, label) for text, label in posts if label is not None]


def _polar(tweets: list[Rated], rating_min: float) -> list[Example]:
    return [Example(t.text, int(t.rating > 0)) for t in tweets if abs(t.rating) >= rating_min]


def _mapped(mixture: Mixture, change: Callable[[str], str]) -> Mixture:
    def examples(rows: list[Example]) -> list[Example]:
        return [Example(change(row.text), row.label) for row in rows]

    return Mixture(
        train=examples(mixture.train),
        teacher_texts=[change(text) for text in mixture.teacher_texts],
        unlabelled=[change(text) for text in mixture.unlabelled],
        held_out={name: examples(rows) for name, rows in mixture.held_out.items()},
        messages=[change(text) for text in mixture.messages],
        test=examples(mixture.test),
    )
