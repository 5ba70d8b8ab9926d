"""Which labels of a model are the negative and the positive one.

Exists so that all that measures agrees, whatever order a published model has its labels in. A label
counts by its name; where none has such a name, the first is negative and the last positive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NEGATIVE = ("negative", "neg")
POSITIVE = ("positive", "pos")


def negative(labels: Sequence[str]) -> int:
    """The index of the negative label."""
    return _named(labels, NEGATIVE, 0)


def positive(labels: Sequence[str]) -> int:
    """The index of the positive label."""
    return _named(labels, POSITIVE, len(labels) - 1)


def _named(labels: Sequence[str], names: tuple[str, ...], otherwise: int) -> int:
    return next((i for i, label in enumerate(labels) if label.lower() in names), otherwise)
