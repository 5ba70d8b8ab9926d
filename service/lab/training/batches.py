"""Texts to tensors for training: token ids, batches of similar length, padding.

Exists so that training, evaluation and calibration run a model in exactly one way. No data files
and no loss here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, cast

import torch
from transformers import AutoTokenizer

from service.errors import InputError

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from transformers import PreTrainedModel, PreTrainedTokenizerFast


# Rows are shuffled, then sorted by length within buckets of this many batches: batches have little
# padding and are still random.
BUCKET_BATCHES = 50
EVALUATION_BATCH = 64


class Row(NamedTuple):
    """A text's token ids, special tokens included, and the index of its label.

    `teacher` is its probability from `teachers.teacher_probabilities`, NaN without one. `weight`
    and `poles_only` are those of `glue.Example`.
    """

    ids: list[int]
    label: int
    teacher: float = math.nan
    weight: float = 1.0
    poles_only: bool = False


def load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """The checkpoint's tokenizer, without truncation or padding.

    Raises:
        InputError: the folder has no tokenizer that can be read.
    """
    try:
        found = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError):
        message = f"{folder}: no tokenizer; give a checkpoint folder in Hugging Face layout"
        raise InputError(message) from None
    tokenizer = cast("PreTrainedTokenizerFast", found)
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.model_max_length = 512
    return tokenizer


def encode(
    tokenizer: PreTrainedTokenizerFast, texts: Sequence[str], length_max: int
) -> list[list[int]]:
    """The token ids of each text, truncated to `length_max` tokens."""
    backend = tokenizer.backend_tokenizer
    backend.enable_truncation(length_max)
    encodings = backend.encode_batch(list(texts))
    backend.no_truncation()
    return [encoding.ids for encoding in encodings]


def batches(rows: Sequence[Row], size: int, order: random.Random) -> Iterator[list[Row]]:
    """All rows once, in batches of similar length in random order."""
    shuffled = order.sample(rows, len(rows))
    bucket_rows = size * BUCKET_BATCHES
    found: list[list[Row]] = []
    for start in range(0, len(shuffled), bucket_rows):
        bucket = sorted(shuffled[start : start + bucket_rows], key=lambda row: len(row.ids))
        found += [bucket[i : i + size] for i in range(0, len(bucket), size)]
    order.shuffle(found)
    yield from found


def padded(
    sequences: Sequence[Sequence[int]], pad_token_id: int, device: torch.device
) -> dict[str, torch.Tensor]:
    """`input_ids` and `attention_mask`, both of the shape (texts, tokens of the longest)."""
    longest = max(map(len, sequences))
    input_ids = torch.full((len(sequences), longest), pad_token_id)
    mask = torch.zeros((len(sequences), longest), dtype=torch.long)
    for row, ids in enumerate(sequences):
        input_ids[row, : len(ids)] = torch.tensor(ids)
        mask[row, : len(ids)] = 1
    return {"input_ids": input_ids.to(device), "attention_mask": mask.to(device)}


@torch.inference_mode()
def logits_of(model: PreTrainedModel, sequences: Sequence[Sequence[int]]) -> torch.Tensor:
    """The logits of each text in the same order; shape (texts, labels), float32, on the CPU."""
    model.eval()  # type: ignore[no-untyped-call] # has no types
    order = sorted(range(len(sequences)), key=lambda index: len(sequences[index]))
    device = next(model.parameters()).device
    logits = torch.empty((len(sequences), int(model.config.num_labels or 0)))
    for start in range(0, len(order), EVALUATION_BATCH):
        part = order[start : start + EVALUATION_BATCH]
        inputs = padded([sequences[index] for index in part], model.config.pad_token_id, device)
        logits[part] = model(**inputs).logits.float().cpu()
    return logits


def uses_bfloat16(precision: str, device: torch.device) -> bool:
    """Whether to compute in bfloat16 with a recipe's `precision`; auto: where it is faster."""
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    # Without these instructions bfloat16 is slower than float32. torch has no public function for
    # this check yet.
    return bool(torch.cpu._is_avx512_bf16_supported())  # noqa: SLF001
