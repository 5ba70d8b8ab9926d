"""What a model is chosen by: how it does on each held-out domain, and on the worst of them.

Exists because a mean over domains lets a model buy one with another: a model that calls every
fourth complaint praise can have the best mean. Arrays in, figures out; nothing is trained here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from service.lab.training.batches import encode, logits_of
from service.lab.training.losses import cross_entropy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from service.lab.data.glue import Example


class Figures(NamedTuple):
    """Of one domain.

    `polar_accuracy` is the share of texts with a pole for a label whose likelier pole is theirs;
    `macro_recall` the mean over labels of how many of theirs are called so, None where the domain
    does not have every label; `loss` the mean of -ln(probability of the true label).
    """

    polar_accuracy: float
    macro_recall: float | None
    loss: float


def figures_on(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    examples: Sequence[Example],
    length_max: int,
) -> Figures:
    """Score normalised examples, and compare with their labels."""
    logits = logits_of(model, encode(tokenizer, [e.text for e in examples], length_max))
    labels = torch.tensor([e.label for e in examples])
    last = logits.shape[1] - 1
    polar = (labels == 0) | (labels == last)
    right = (logits[:, last] > logits[:, 0]) == (labels == last)
    called = logits.argmax(-1)
    recalls = [
        float((called[labels == label] == label).float().mean())
        for label in range(last + 1)
        if bool((labels == label).any())
    ]
    poles_only = torch.tensor([e.poles_only for e in examples])
    return Figures(
        float(right[polar].float().mean()),
        sum(recalls) / len(recalls) if len(recalls) == last + 1 else None,
        float(cross_entropy(logits, labels, poles_only).mean()),
    )


def worst(figures: Mapping[str, Figures]) -> float:
    """What checkpoints are chosen by: the mean of the worst polar accuracy and macro recall."""
    polar = min(f.polar_accuracy for f in figures.values())
    recalls = [f.macro_recall for f in figures.values() if f.macro_recall is not None]
    return (polar + min(recalls)) / 2 if recalls else polar


def mean_loss(figures: Iterable[Figures]) -> float:
    """The mean over domains, each of which counts alike."""
    losses = [f.loss for f in figures]
    return sum(losses) / len(losses)
