"""Reads, weights and alters the training data of a model with three labels.

Exists so that training and calibration split the files in exactly one way, and that nothing of a
left-out domain is trained on. The data are domains, sentences, tweets and lessons; texts are
normalised here, as they will be at run time. No model code here.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from service.lab.data.domains import LABELS, NEGATIVE, NEUTRAL, POSITIVE, key, read_domains
from service.lab.data.glue import Example, hold_out, read_glue, without_fragments
from service.lab.data.labelled import RATING_MIN, read_ratings
from service.lab.teaching.around import normalised_with_formulas
from service.lab.teaching.lessons import altered, lessons
from service.lab.teaching.sources import TWEETS_HELD_OUT, Mixture, Sources
from service.text.normalise import normalise

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from service.lab.data.domains import Domain
    from service.lab.data.labelled import Rated
    from service.lab.teaching.recipe import Recipe

# A tweet with a smaller absolute rating is neutral, or people did not agree on its sign. Ratings
# that are not clear have a lower weight.
NEUTRAL_RATING_MAX = 0.5
UNCLEAR_RATING_WEIGHT = 0.5
# The share of altered texts that keep their greetings and closings: in production the normaliser
# does not know every formula, and an unknown one must not decide the label.
FORMULAS_KEPT_SHARE = 0.5


def read_three(folder: Path, sources: Sources, recipe: Recipe) -> Mixture:
    """Read and split all files, with the domains in `folder`.

    The split depends only on `recipe.split_seed`. `sources.posts` is not read, because the domains
    contain those comments with better labels.

    Raises:
        InputError: a file cannot be used.
    """
    domains = read_domains(folder, sources.leave_out)
    reviews, held_reviews = hold_out(read_glue(sources.data), recipe.held_out, recipe.split_seed)
    # The base model was trained on the reviews of `sources.data`. Of sst5, which has the same
    # sentences, only those that it has not seen are held out.
    domains["sst5"] = _split_again(domains["sst5"], held_reviews, "sst5" in sources.leave_out)
    neutral = [e.text for e in domains["sst5"].held_out if e.label == NEUTRAL]
    weight = recipe.reviews_weight
    reviews = [_of_poles(e, weight) for e in without_fragments(reviews, neutral)]
    held_out = {sources.data.parent.name or "data": [_of_poles(e) for e in held_reviews]}
    held_out |= {name: domain.held_out for name, domain in domains.items()}
    rows = [row for domain in domains.values() for row in balanced(domain.train, recipe.balance)]
    messages = [e.text for name in ("semeval", "goemotions") for e in domains[name].held_out]
    if sources.tweets is not None:
        tweets = [tweet for tweet in read_ratings(sources.tweets) if tweet.number % 2]
        random.Random(recipe.split_seed).shuffle(tweets)
        held = min(TWEETS_HELD_OUT, len(tweets) // 3)
        rows += [_rated(tweet) for tweet in tweets[held:]] * recipe.tweet_copies
        held_out["tweets"] = [_rated(t) for t in tweets[:held] if _clear(t)]
        messages += [tweet.text for tweet in tweets[:held]]
    rows += lessons(recipe.seed, recipe.lessons)
    test = [] if sources.test is None else [_of_poles(e) for e in read_glue(sources.test)]
    version = recipe.normaliser
    normal = _normalised(reviews, version)
    return Mixture(
        train=_altered(reviews, normal, recipe)
        + _altered(rows, _normalised(rows, version), recipe),
        teacher_texts=[e.text for e in normal],
        unlabelled=[],
        held_out={name: _normalised(part, version) for name, part in held_out.items()},
        messages=[normalise(text, version) for text in messages],
        test=_normalised(test, version),
        labels=LABELS,
    )


def balanced(rows: Sequence[Example], power: float) -> list[Example]:
    """The rows with weights by label, whose mean is 1.

    A weight is proportional to (1 / frequency of the label) ** power: with the power 0 all rows
    have the same weight, with 1 all labels have.
    """
    counts = Counter(row.label for row in rows)
    rarity = {label: (len(rows) / (len(counts) * n)) ** power for label, n in counts.items()}
    mean = sum(rarity[row.label] for row in rows) / max(1, len(rows))
    return [replace(row, weight=row.weight * rarity[row.label] / mean) for row in rows]


def _split_again(domain: Domain, held_reviews: Sequence[Example], left_out: bool) -> Domain:
    """Hold out the domain's neutral rows as before, and of its poles those of `held_reviews`."""
    seen = {key(e.text) for e in held_reviews}
    held = [e for e in domain.held_out if e.label == NEUTRAL]
    train: list[Example] = []
    for row in domain.train + [e for e in domain.held_out if e.label != NEUTRAL]:
        (held if key(row.text) in seen else train).append(row)
    return domain._replace(train=[] if left_out else train, held_out=held)


def _of_poles(example: Example, weight: float = 1.0) -> Example:
    """An example of a file with two labels, as one whose annotators could only choose a pole."""
    label = POSITIVE if example.label else NEGATIVE
    return Example(example.text, label, weight, poles_only=True)


def _rated(tweet: Rated) -> Example:
    if abs(tweet.rating) < NEUTRAL_RATING_MAX:
        return Example(tweet.text, NEUTRAL, UNCLEAR_RATING_WEIGHT)
    weight = 1.0 if abs(tweet.rating) >= RATING_MIN else UNCLEAR_RATING_WEIGHT
    return Example(tweet.text, POSITIVE if tweet.rating > 0 else NEGATIVE, weight)


def _clear(tweet: Rated) -> bool:
    return abs(tweet.rating) >= RATING_MIN


def _normalised(rows: Sequence[Example], version: int) -> list[Example]:
    return [replace(row, text=normalise(row.text, version)) for row in rows]


def _altered(rows: Sequence[Example], normal: Sequence[Example], recipe: Recipe) -> list[Example]:
    """The normalised rows, a share of them with altered texts; the same for the same seed.

    `normal` are the normalised `rows`.
    """
    order = random.Random(f"{recipe.seed}/altered")
    found = []
    for row, plain in zip(rows, normal, strict=True):
        if order.random() >= recipe.altered_share:
            found.append(plain)
            continue
        text = altered(order, row.text)
        form = normalised_with_formulas if order.random() < FORMULAS_KEPT_SHARE else normalise
        found.append(replace(row, text=form(text, recipe.normaliser)))
    return found
