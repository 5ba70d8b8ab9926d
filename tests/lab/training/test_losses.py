"""The losses of training: what a text of two poles says of a third label; what must be alike."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from service.lab.training.batches import Row  # noqa: E402 - only where torch is installed
from service.lab.training.figures import Figures, worst  # noqa: E402
from service.lab.training.losses import GAP_MIN, batch_loss, cross_entropy, inconsistency  # noqa: E402

pytestmark = pytest.mark.model


def test_a_text_of_two_poles_says_nothing_of_what_lies_between() -> None:
    """Its loss does not depend on the neutral logit, nor pulls at it."""
    logits = torch.tensor([[0.3, 5.0, 1.0], [0.3, -2.0, 1.0]], requires_grad=True)
    loss = cross_entropy(logits, torch.tensor([2, 2]), torch.tensor([True, True]))
    expected = math.log(1 + math.exp(0.3 - 1.0))
    assert loss.tolist() == pytest.approx([expected, expected], abs=1e-5)
    loss.sum().backward()  # type: ignore[no-untyped-call] # has no types
    assert logits.grad is not None
    assert logits.grad[:, 1].tolist() == [0.0, 0.0]


def test_of_two_labels_both_kinds_of_text_are_alike() -> None:
    """There is nothing between them."""
    logits = torch.tensor([[0.3, 1.0]] * 2)
    loss = cross_entropy(logits, torch.tensor([1, 1]), torch.tensor([True, False]))
    assert loss[0] == loss[1]


def test_weights_and_teachers() -> None:
    """A text of weight 0 counts for nothing; a teacher replaces its share of the label's loss."""
    logits = torch.tensor([[0.0, 0.0, 2.0], [4.0, 0.0, 0.0]])
    right = Row([1], 2, weight=1.0)
    wrong = Row([1], 2, weight=0.0)
    alone = batch_loss(logits[:1], [right], 0.5)
    assert float(batch_loss(logits, [right, wrong], 0.5)) == pytest.approx(float(alone) / 2)
    agreed = batch_loss(logits[:1], [Row([1], 2, teacher=0.99)], 1.0)
    denied = batch_loss(logits[:1], [Row([1], 2, teacher=0.01)], 1.0)
    assert float(agreed) < float(denied)


def test_like_texts_that_score_alike_and_clearly_cost_nothing() -> None:
    """A constant on top of all logits of a text is no difference; a difference costs."""
    clear = torch.tensor([[0.0, 3.0, 0.0], [1.0, 4.0, 1.0]])
    assert float(inconsistency(clear, [2])) == pytest.approx(0.0, abs=1e-6)
    unlike = torch.tensor([[0.0, 3.0, 0.0], [0.0, 5.0, 0.0]])
    assert float(inconsistency(unlike, [2])) > 0.1
    undecided = torch.tensor([[1.0, 1.0, 0.0]] * 2)
    assert float(inconsistency(undecided, [2])) == pytest.approx(GAP_MIN**2)


def test_the_worst_domain_decides() -> None:
    """A better mean does not make up for it; a domain of poles alone has no recall."""
    even = {"a": Figures(0.9, 0.7, 0.3), "b": Figures(0.9, None, 0.3)}
    uneven = {"a": Figures(0.99, 0.8, 0.1), "b": Figures(0.7, None, 0.1)}
    assert worst(even) == pytest.approx(0.8)
    assert worst(even) > worst(uneven)
