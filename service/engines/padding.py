"""Divides token sequences into runs of the model of bounded size, padding included.

Exists because padding makes every sequence of a run as long as the longest one: 256 sequences of 20
tokens and one of 512 would be 131,584 tokens. Pure; no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def padded_runs(sequences: Sequence[Sequence[int]], padded_tokens_max: int) -> Iterator[list[int]]:
    """The indices of the sequences of each run, shortest sequences first.

    A run has at most `padded_tokens_max` tokens after padding; a longer sequence is a run alone.
    """
    indices: list[int] = []
    for index in sorted(range(len(sequences)), key=lambda i: len(sequences[i])):
        if indices and (len(indices) + 1) * len(sequences[index]) > padded_tokens_max:
            yield indices
            indices = []
        indices.append(index)
    if indices:
        yield indices
