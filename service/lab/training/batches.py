"""Texts to tensors for training: token ids, batches of like length, padding.

Exists so that training, measuring and calibration feed a model in exactly one way. No data files
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


# Batches are cut from stretches of so many, sorted by length: little padding, still random.
BUCKET_BATCHES = 50
EVALUATION_BATCH = 64


class Row(NamedTuple):
    """A text's token ids, special tokens included, and the index of its label.

    `told` is what teachers say of it (see `teachers.told`); not a number where none was asked.
    `weight` and `poles_only` are those of `glue.Example`.
    """

    ids: list[int]
    label: int
    told: float = math.nan
    weight: float = 1.0
    poles_only: bool = False


def load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """The checkpoint's tokenizer, without truncation or padding of its own.

    Raises:
        InputError: the folder holds none that can be read.
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
    """Token ids of each text, cut after `length_max`."""
    backend = tokenizer.backend_tokenizer
    backend.enable_truncation(length_max)
    encodings = backend.encode_batch(list(texts))
    backend.no_truncation()
    return [encoding.ids for encoding in encodings]


def batches(rows: Sequence[Row], size: int, order: random.Random) -> Iterator[list[Row]]:
    """All rows once, in random batches of rows of like length."""
    shuffled = order.sample(rows, len(rows))
    stretch = size * BUCKET_BATCHES
    found: list[list[Row]] = []
    for start in range(0, len(shuffled), stretch):
        part = sorted(shuffled[start : start + stretch], key=lambda row: len(row.ids))
        found += [part[i : i + size] for i in range(0, len(part), size)]
    order.shuffle(found)
    yield from found


def padded(
    sequences: Sequence[Sequence[int]], pad_token_id: int, device: torch.device
) -> dict[str, torch.Tensor]:
    """`input_ids` and `attention_mask`, both (texts, longest)."""
    longest = max(map(len, sequences))
    input_ids = torch.full((len(sequences), longest), pad_token_id)
    mask = torch.zeros((len(sequences), longest), dtype=torch.long)
    for row, ids in enumerate(sequences):
        input_ids[row, : len(ids)] = torch.tensor(ids)
        mask[row, : len(ids)] = 1
    return {"input_ids": input_ids.to(device), "attention_mask": mask.to(device)}


@torch.inference_mode()
def logits_of(model: PreTrainedModel, sequences: Sequence[Sequence[int]]) -> torch.Tensor:
    """What the model gives for each text, (texts, labels), in float32 and in the same order."""
    model.eval()  # type: ignore[no-untyped-call] # has no types
    order = sorted(range(len(sequences)), key=lambda index: len(sequences[index]))
    device = next(model.parameters()).device
    logits = torch.empty((len(sequences), int(model.config.num_labels or 0)))
    for start in range(0, len(order), EVALUATION_BATCH):
        part = order[start : start + EVALUATION_BATCH]
        inputs = padded([sequences[index] for index in part], model.config.pad_token_id, device)
        logits[part] = model(**inputs).logits.float().cpu()
    return logits


def bfloat16_pays(precision: str, device: torch.device) -> bool:
    """Whether to compute in bfloat16, where `precision` is a recipe's."""
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    # Without these instructions a processor computes bfloat16 slower than float32. torch has no
    # public name for the question yet.
    return bool(torch.cpu._is_avx512_bf16_supported())  # noqa: SLF001
