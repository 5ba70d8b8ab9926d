"""The losses of training: wrong labels, distance to teachers, different scores of equal texts.

Exists so that training and the selection of a checkpoint use the same loss. Labels are in the order
of opinion: the first is the negative pole, the last the positive one. Tensors in, tensors out; no
model here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from service.lab.training.teachers import TEMPERATURE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.lab.training.batches import Row

# The least gap between the two highest mean logits of texts that must have equal scores. With a
# smaller one, a small difference between two of the texts can change the label.
GAP_MIN = 0.5
# Added to the logits of excluded labels. Their probability is 0 and has no gradient; a finite
# number, because 0 times infinity is NaN.
_EXCLUDED = -1e4


def cross_entropy(
    logits: torch.Tensor, labels: torch.Tensor, poles_only: torch.Tensor
) -> torch.Tensor:
    """-ln(probability of the label) of each text, shape (texts,).

    `logits` are (texts, labels), `labels` and `poles_only` (texts,). The probabilities of a text of
    `poles_only` (see `glue.Example`) are over the two poles alone.
    """
    between = torch.zeros_like(logits)
    between[:, 1:-1] = _EXCLUDED
    known = logits + between * poles_only[:, None]
    return torch.nn.functional.cross_entropy(known, labels, reduction="none")


def batch_loss(logits: torch.Tensor, batch: Sequence[Row], teacher_share: float) -> torch.Tensor:
    """The mean loss of a batch, weighted by row; a scalar.

    The loss of a row is its cross-entropy with the label. For a row with a teacher's probability,
    `teacher_share` of the loss is the cross-entropy with that probability instead.
    """

    def column(values: list[float]) -> torch.Tensor:
        return torch.tensor(values, device=logits.device)

    labels = torch.tensor([row.label for row in batch], device=logits.device)
    loss = cross_entropy(logits, labels, column([row.poles_only for row in batch]))
    teacher = column([row.teacher for row in batch])
    share = torch.where(teacher.isnan(), 0.0, teacher_share)
    soft = torch.nn.functional.binary_cross_entropy_with_logits(
        (logits[:, -1] - logits[:, 0]) / TEMPERATURE, teacher.nan_to_num(0.5), reduction="none"
    )
    # The temperature divides the gradient of the soft loss by its square.
    mixed = (1 - share) * loss + share * TEMPERATURE**2 * soft
    weights = column([row.weight for row in batch])
    return (mixed * weights).mean()


def inconsistency(logits: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
    """Mean variance of the logits within groups of texts that must have equal scores; a scalar.

    `logits` are (texts, labels), the texts of a group next to each other; `sizes` has the number of
    texts of each group. The logits of each text are centred first, because only their differences
    matter for a probability. A group whose two likeliest labels are closer than `GAP_MIN` adds a
    loss that separates them.
    """
    centred = logits - logits.mean(dim=1, keepdim=True)
    groups = torch.split(centred, list(sizes))
    # With two labels, twice the sum of the variances is the variance of the logits' difference.
    apart = torch.stack([2 * group.var(dim=0, correction=0).sum() for group in groups])
    means = torch.stack([group.mean(dim=0) for group in groups])
    first, second = means.topk(2, dim=1).values.unbind(dim=1)
    between = torch.relu(GAP_MIN - (first - second)).square()
    return (apart + between).mean()
