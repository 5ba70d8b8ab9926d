"""Splitting a sequence into parts of bounded size, and merging results back in order. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_Item = TypeVar("_Item")


def split_by_size(
    items: Sequence[_Item], size_max: int, size_of: Callable[[Any], int] = len
) -> Iterator[list[_Item]]:
    """Consecutive parts of at most `size_max` each; a larger item is a part by itself."""
    part: list[_Item] = []
    size = 0
    for item in items:
        item_size = size_of(item)
        if part and size + item_size > size_max:
            yield part
            part, size = [], 0
        part.append(item)
        size += item_size
    if part:
        yield part


def with_results(items: Sequence[Any], kind: type[Any], results: Iterable[Any]) -> list[Any]:
    """The items in order, with each instance of `kind` replaced by the next result.

    Puts results that were computed for some of the items back into their places.
    """
    remaining = iter(results)
    return [next(remaining) if isinstance(item, kind) else item for item in items]
