"""Runs DistilBERT, BERT and RoBERTa classifiers with torch, without padding, on a CPU or a GPU.

The computation of `onnx_graph`, with the same letters for shapes: linear layers on one packed
matrix of all tokens, padding only inside attention, and in the last layer only the first token of
each text, without keys and values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from service.checkpoint.stored import numbers
from service.engines.cpu_limit import Threads
from service.engines.finite import finite
from service.engines.layout import load_layout
from service.engines.packing import pack
from service.engines.padding import padded_runs
from service.engines.torch_device import (
    choose_device,
    choose_precision,
    device_failures,
    run_tokens_max,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from service.checkpoint.files import Checkpoint
    from service.checkpoint.stored import Stored
    from service.engines.layout import Dense, Layer, Layout
    from service.records import ModelInfo
    from service.settings import ModelSettings


class _Pair(NamedTuple):
    """Weight and bias, of a linear layer (outputs, inputs) or of a norm."""

    weight: torch.Tensor
    bias: torch.Tensor


class _Packed(NamedTuple):
    """The arrays of `pack` on the device, the mask in the number format of the model."""

    ids: torch.Tensor
    positions: torch.Tensor
    rows: torch.Tensor
    mask: torch.Tensor
    places: torch.Tensor
    first: torch.Tensor


class _Block(NamedTuple):
    """The weights of one block; those of keys and values are stacked, so (2 W, W)."""

    query: _Pair
    key_value: _Pair
    attention_out: _Pair
    attention_norm: _Pair
    feed_in: _Pair
    feed_out: _Pair
    feed_norm: _Pair


class TorchPacked:
    """Implements `ports.Engine`."""

    def __init__(self, checkpoint: Checkpoint, settings: ModelSettings) -> None:
        """Load the weights onto the device.

        Raises:
            SettingsError: the device is absent, or does not support the precision.
            ModelError: a weight is missing, there are more or fewer labels than names, or the
                device has failed.
        """
        self._threads = Threads(settings.threads)
        torch.set_num_threads(self._threads.count)
        self._device = choose_device(settings.device)
        self._run_tokens_max = settings.run_tokens_max or run_tokens_max(self._device)
        precision = choose_precision(settings.precision, self._device)
        self._dtype: torch.dtype = getattr(torch, precision)
        with device_failures(self._device):
            self._load(load_layout(checkpoint))
        self._info = checkpoint.info("torch_packed", precision, str(self._device))

    def _load(self, layout: Layout) -> None:
        self._heads = layout.heads
        self._uncounted = layout.uncounted
        self._epsilon = layout.epsilon
        self._words, self._positions = self._put(layout.words), self._put(layout.positions)
        self._embedding_norm = self._norm_of(layout.embedding_norm)
        self._blocks = [self._block(layer) for layer in layout.layers]
        self._head_in, self._head_out = self._linear(layout.head_in), self._linear(layout.head_out)
        self._head_activation = {"Relu": torch.relu, "Tanh": torch.tanh}[layout.head_activation]

    @property
    def info(self) -> ModelInfo:
        """The model, and how it runs."""
        return self._info

    @torch.inference_mode()
    def logits(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """The logits of token sequences; shape (sequences, labels), float32.

        Raises:
            ModelError: a logit is not finite, or the device has failed.
        """
        if self._threads.changed():
            torch.set_num_threads(self._threads.count)
        logits = np.zeros((len(sequences), len(self._info.labels)), np.float32)
        for indices in padded_runs(sequences, self._run_tokens_max):
            with device_failures(self._device):
                packed = self._packed([sequences[index] for index in indices])
                logits[indices] = self._run(packed).float().cpu().numpy()
        return finite(logits, self._info.name)

    def _packed(self, sequences: Sequence[Sequence[int]]) -> _Packed:
        arrays = {
            name: torch.from_numpy(np.ascontiguousarray(array)).to(self._device)
            for name, array in pack(sequences, self._uncounted).items()
        }
        # Half precision cannot represent the mask's value. Half of the format's minimum can be
        # added to a score without overflow.
        least = torch.finfo(self._dtype).min / 2
        arrays["mask"] = arrays["mask"].clamp(min=least).to(self._dtype)
        return _Packed(**arrays)

    def _run(self, packed: _Packed) -> torch.Tensor:
        x = functional.embedding(packed.ids, self._words)
        x = self._norm(x + self._positions[packed.positions], self._embedding_norm)
        for block in self._blocks[:-1]:
            x = self._after_attention(x, self._attention(x, packed, block), block)
        block, first = self._blocks[-1], x[packed.first]
        x = self._after_attention(first, self._last_attention(first, x, packed), block)
        x = self._head_activation(functional.linear(x, *self._head_in))
        return functional.linear(x, *self._head_out)

    def _attention(self, x: torch.Tensor, packed: _Packed, block: _Block) -> torch.Tensor:
        """Attention of each token of `x` (T, W) to all tokens of its text; (T, W)."""
        query = functional.linear(x, *block.query)[packed.rows]  # (B, L, W)
        key_value = functional.linear(x, *block.key_value)[packed.rows]  # (B, L, 2 W)
        key, value = (self._split(half) for half in key_value.chunk(2, dim=-1))
        context = functional.scaled_dot_product_attention(
            self._split(query), key, value, attn_mask=packed.mask
        )  # (B, H, L, D)
        return context.transpose(1, 2).flatten(2).flatten(0, 1)[packed.places]

    def _last_attention(
        self, first: torch.Tensor, x: torch.Tensor, packed: _Packed
    ) -> torch.Tensor:
        """Attention of the first tokens (B, W) to all tokens of their texts, `x` (T, W); (B, W).

        Without keys and values: with X the tokens of a text and K, V the weights of a head,
        q (X K)^T = (q K^T) X^T and weights (X V) = (weights X) V; see `onnx_graph`'s `_last_layer`.
        The bias of keys adds the same to all scores of a head, which softmax ignores. The bias of
        values is added at the end, because the weights of attention sum to 1.
        """
        block = self._blocks[-1]
        # torch has weights as (outputs, inputs), so these are K^T and V^T of each head: (H, D, W).
        by_head = (self._heads, -1, x.shape[-1])
        key, value = (half.view(by_head) for half in block.key_value.weight.chunk(2))
        query = functional.linear(first, *block.query)  # (B, W)
        query = query.view(len(first), self._heads, -1)  # q: (B, H, D)
        query = torch.einsum("bhd,hdw->bhw", query, key)  # q K^T: (B, H, W)
        # All heads attend to the same tokens, so the H queries of a text take the place of L
        # queries of one head that is W wide. Scores are still those of heads D wide.
        tokens = x[packed.rows][:, None]  # X: (B, 1, L, W)
        scale = key.shape[1] ** -0.5
        context = functional.scaled_dot_product_attention(
            query[:, None], tokens, tokens, attn_mask=packed.mask, scale=scale
        )[:, 0]  # weights X: (B, H, W)
        context = torch.einsum("bhw,hdw->bhd", context, value)  # (weights X) V: (B, H, D)
        return context.flatten(1) + block.key_value.bias.chunk(2)[1]

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        """By head: (B, L, W) to (B, H, L, D)."""
        return x.view(*x.shape[:-1], self._heads, -1).transpose(1, 2)

    def _after_attention(
        self, x: torch.Tensor, context: torch.Tensor, block: _Block
    ) -> torch.Tensor:
        """The rest of a block, of any number of rows (N, W)."""
        x = self._norm(x + functional.linear(context, *block.attention_out), block.attention_norm)
        hidden = functional.gelu(functional.linear(x, *block.feed_in))
        return self._norm(x + functional.linear(hidden, *block.feed_out), block.feed_norm)

    def _norm(self, x: torch.Tensor, norm: _Pair) -> torch.Tensor:
        return functional.layer_norm(x, x.shape[-1:], *norm, eps=self._epsilon)

    def _block(self, layer: Layer) -> _Block:
        weights = torch.cat([self._linear(d).weight for d in (layer.key, layer.value)])
        biases = torch.cat([self._linear(d).bias for d in (layer.key, layer.value)])
        return _Block(
            query=self._linear(layer.query),
            key_value=_Pair(weights, biases),
            attention_out=self._linear(layer.attention_out),
            attention_norm=self._norm_of(layer.attention_norm),
            feed_in=self._linear(layer.feed_in),
            feed_out=self._linear(layer.feed_out),
            feed_norm=self._norm_of(layer.feed_norm),
        )

    def _linear(self, dense: Dense) -> _Pair:
        return _Pair(self._put(dense.weight), self._put(dense.bias))

    def _norm_of(self, norm: Dense) -> _Pair:
        return _Pair(self._put(norm.weight), self._put(norm.bias))

    def _put(self, weight: Stored | NDArray[np.float32]) -> torch.Tensor:
        return torch.from_numpy(numbers(weight)).to(self._device, self._dtype)
