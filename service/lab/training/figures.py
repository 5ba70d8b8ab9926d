"""The figures that select a checkpoint, on each held-out domain and on the worst of them.

Exists because a mean over domains hides a bad one: a model that labels every fourth complaint
positive can have the best mean. Nothing is trained here.
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
    """The figures of one domain.

    Attributes:
        polar_accuracy: of the texts whose label is a pole, the share whose likelier pole is right.
        macro_recall: the recall of each label, averaged over the labels; None if the domain lacks
            a label.
        loss: the mean of -ln(probability of the true label).
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
    """Run the model on normalised examples, and compare the results with their labels."""
    logits = logits_of(model, encode(tokenizer, [e.text for e in examples], length_max))
    labels = torch.tensor([e.label for e in examples])
    last = logits.shape[1] - 1
    polar = (labels == 0) | (labels == last)
    right = (logits[:, last] > logits[:, 0]) == (labels == last)
    predicted = logits.argmax(-1)
    recalls = [
        float((predicted[labels == label] == label).float().mean())
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
    """The figure that selects a checkpoint: the mean of the worst polar accuracy and macro recall.

    Each is the worst over domains. Without a macro recall, it is the worst polar accuracy.
    """
    polar = min(f.polar_accuracy for f in figures.values())
    recalls = [f.macro_recall for f in figures.values() if f.macro_recall is not None]
    return (polar + min(recalls)) / 2 if recalls else polar


def mean_loss(figures: Iterable[Figures]) -> float:
    """The mean loss over domains, each with the same weight."""
    losses = [f.loss for f in figures]
    return sum(losses) / len(losses)
