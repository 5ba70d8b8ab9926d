"""The losses of training: texts of two poles with three labels, and texts with equal scores."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from service.lab.training.batches import Row  # noqa: E402 - only where torch is installed
from service.lab.training.figures import Figures, worst  # noqa: E402
from service.lab.training.losses import GAP_MIN, batch_loss, cross_entropy, inconsistency  # noqa: E402

pytestmark = pytest.mark.model


def test_a_text_of_poles_only_does_not_change_the_neutral_label() -> None:
    """Its loss does not depend on the neutral logit, and has no gradient there."""
    logits = torch.tensor([[0.3, 5.0, 1.0], [0.3, -2.0, 1.0]], requires_grad=True)
    loss = cross_entropy(logits, torch.tensor([2, 2]), torch.tensor([True, True]))
    expected = math.log(1 + math.exp(0.3 - 1.0))
    assert loss.tolist() == pytest.approx([expected, expected], abs=1e-5)
    loss.sum().backward()  # type: ignore[no-untyped-call] # has no types
    assert logits.grad is not None
    assert logits.grad[:, 1].tolist() == [0.0, 0.0]


def test_with_two_labels_poles_only_changes_nothing() -> None:
    """There is no label between the poles."""
    logits = torch.tensor([[0.3, 1.0]] * 2)
    loss = cross_entropy(logits, torch.tensor([1, 1]), torch.tensor([True, False]))
    assert loss[0] == loss[1]


def test_weights_and_teachers() -> None:
    """A text of weight 0 has no loss; a teacher replaces its share of the label's loss."""
    logits = torch.tensor([[0.0, 0.0, 2.0], [4.0, 0.0, 0.0]])
    right = Row([1], 2, weight=1.0)
    wrong = Row([1], 2, weight=0.0)
    alone = batch_loss(logits[:1], [right], 0.5)
    assert float(batch_loss(logits, [right, wrong], 0.5)) == pytest.approx(float(alone) / 2)
    agreed = batch_loss(logits[:1], [Row([1], 2, teacher=0.99)], 1.0)
    denied = batch_loss(logits[:1], [Row([1], 2, teacher=0.01)], 1.0)
    assert float(agreed) < float(denied)


def test_equal_and_clear_scores_have_no_loss() -> None:
    """A constant added to all logits of a text changes nothing; a difference has a loss."""
    clear = torch.tensor([[0.0, 3.0, 0.0], [1.0, 4.0, 1.0]])
    assert float(inconsistency(clear, [2])) == pytest.approx(0.0, abs=1e-6)
    unlike = torch.tensor([[0.0, 3.0, 0.0], [0.0, 5.0, 0.0]])
    assert float(inconsistency(unlike, [2])) > 0.1
    undecided = torch.tensor([[1.0, 1.0, 0.0]] * 2)
    assert float(inconsistency(undecided, [2])) == pytest.approx(GAP_MIN**2)


def test_the_worst_domain_decides() -> None:
    """A better mean does not outweigh it; a domain without neutral texts has no macro recall."""
    even = {"a": Figures(0.9, 0.7, 0.3), "b": Figures(0.9, None, 0.3)}
    uneven = {"a": Figures(0.99, 0.8, 0.1), "b": Figures(0.7, None, 0.1)}
    assert worst(even) == pytest.approx(0.8)
    assert worst(even) > worst(uneven)
