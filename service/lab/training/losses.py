"""What training makes small: wrong labels, distance to teachers, unlike scores of like texts.

Exists so that training and the figures which choose a checkpoint mean the same by a loss. Labels
lie in the order of opinion: the first is the negative pole, the last the positive one. Tensors in,
tensors out; no model here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from service.lab.training.teachers import TEMPERATURE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.lab.training.batches import Row

# Between the likeliest logit and the next, of the mean of texts that must score alike: where a
# label changes, the least difference between two copies changes it.
GAP_MIN = 0.5
# So unlikely that it has no gradient, and finite, so that no weight of it is not a number.
_EXCLUDED = -1e4


def cross_entropy(
    logits: torch.Tensor, labels: torch.Tensor, poles_only: torch.Tensor
) -> torch.Tensor:
    """-ln(probability of the label) of each text, shape (texts,).

    Where `poles_only`, probabilities are those of the two poles alone: such a text says nothing of
    what lies between them.
    """
    between = torch.zeros_like(logits)
    between[:, 1:-1] = _EXCLUDED
    known = logits + between * poles_only[:, None]
    return torch.nn.functional.cross_entropy(known, labels, reduction="none")


def batch_loss(logits: torch.Tensor, batch: Sequence[Row], teacher_share: float) -> torch.Tensor:
    """The weighted mean of the cross-entropy, mixed with that of what teachers say."""

    def column(values: list[float]) -> torch.Tensor:
        return torch.tensor(values, device=logits.device)

    labels = torch.tensor([row.label for row in batch], device=logits.device)
    loss = cross_entropy(logits, labels, column([row.poles_only for row in batch]))
    told = column([row.told for row in batch])
    share = torch.where(told.isnan(), 0.0, teacher_share)
    soft = torch.nn.functional.binary_cross_entropy_with_logits(
        (logits[:, -1] - logits[:, 0]) / TEMPERATURE, told.nan_to_num(0.5), reduction="none"
    )
    # The temperature makes the gradient smaller by its square.
    mixed = (1 - share) * loss + share * TEMPERATURE**2 * soft
    weights = column([row.weight for row in batch])
    return (mixed * weights).mean()


def inconsistency(logits: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
    """Mean variance of the logits within groups of `sizes` texts that must score alike.

    Logits are taken from their mean of each text: only their differences make a probability. A
    group between two labels is moved towards the likelier one by `GAP_MIN`.
    """
    centred = logits - logits.mean(dim=1, keepdim=True)
    groups = torch.split(centred, list(sizes))
    # Twice the variance over the two poles is that of their difference.
    apart = torch.stack([2 * group.var(dim=0, correction=0).sum() for group in groups])
    means = torch.stack([group.mean(dim=0) for group in groups])
    first, second = means.topk(2, dim=1).values.unbind(dim=1)
    between = torch.relu(GAP_MIN - (first - second)).square()
    return (apart + between).mean()
