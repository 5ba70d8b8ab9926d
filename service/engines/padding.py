"""Divides token sequences into runs of the model of bounded size, padding included.

Exists because padding makes every sequence of a run as long as the longest one: 256 sequences of 20
tokens and one of 512 would be 131,584 tokens. An empty sequence is in no run. Pure; no torch.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def padded_runs(sequences: Sequence[Sequence[int]], padded_tokens_max: int) -> Iterator[list[int]]:
    """The indices of the sequences of each run, shortest sequences first.

    A run has at most `padded_tokens_max` tokens after padding; a longer sequence is a run alone.
    """
    indices: list[int] = []
    for index in sorted(_not_empty(sequences), key=lambda i: len(sequences[i])):
        if indices and (len(indices) + 1) * len(sequences[index]) > padded_tokens_max:
            yield indices
            indices = []
        indices.append(index)
    if indices:
        yield indices


def equal_runs(
    sequences: Sequence[Sequence[int]], tokens_max: int, end: int | None = None
) -> Iterator[list[int]]:
    """The same for a model that must not be given padding: a run has sequences of one length.

    They also have the token `end` equally often.
    """

    def alike(index: int) -> tuple[int, int]:
        ids = sequences[index]
        return len(ids), 0 if end is None else ids.count(end)

    for (length, _), group in groupby(sorted(_not_empty(sequences), key=alike), alike):
        indices = list(group)
        size = max(1, tokens_max // length)
        yield from (indices[begin : begin + size] for begin in range(0, len(indices), size))


def _not_empty(sequences: Sequence[Sequence[int]]) -> Iterator[int]:
    return (index for index, ids in enumerate(sequences) if ids)
