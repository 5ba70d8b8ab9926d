"""Cutting what is done one after the other into runs of bounded size. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence, Sized

_Item = TypeVar("_Item", bound="Sized")


def runs(items: Sequence[_Item], size_max: int) -> Iterator[list[_Item]]:
    """Items in their order, in runs of at most so much length, or of one that is longer."""
    run: list[_Item] = []
    size = 0
    for item in items:
        if run and size + len(item) > size_max:
            yield run
            run, size = [], 0
        run.append(item)
        size += len(item)
    yield run
