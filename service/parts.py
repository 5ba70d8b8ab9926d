"""Cutting what is done one after the other into runs of bounded size. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_Item = TypeVar("_Item")


def split_by_size(
    items: Sequence[_Item], size_max: int, size_of: Callable[[Any], int] = len
) -> Iterator[list[_Item]]:
    """Items in their order, in runs of at most so much size, or of one that is larger."""
    run: list[_Item] = []
    size = 0
    for item in items:
        item_size = size_of(item)
        if run and size + item_size > size_max:
            yield run
            run, size = [], 0
        run.append(item)
        size += item_size
    if run:
        yield run
