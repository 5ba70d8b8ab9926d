"""Cutting many token sequences into padded runs of the model that fit into memory.

Exists because padding makes a run as large as its longest sequence makes it: 256 sequences of 20
tokens and one of 512 would be 131,584 tokens. Pure; no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def padded_runs(sequences: Sequence[Sequence[int]], padded_tokens_max: int) -> Iterator[list[int]]:
    """Indices in order of length, cut so that each run has at most so many tokens when padded.

    A single sequence longer than that is a run of its own.
    """
    indices: list[int] = []
    for index in sorted(range(len(sequences)), key=lambda i: len(sequences[i])):
        if indices and (len(indices) + 1) * len(sequences[index]) > padded_tokens_max:
            yield indices
            indices = []
        indices.append(index)
    if indices:
        yield indices
