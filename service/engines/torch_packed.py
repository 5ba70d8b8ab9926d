"""Runs DistilBERT, BERT and RoBERTa classifiers by torch, without padding, on a CPU or a GPU.

The same computation as `onnx_graph` describes: linear layers over all tokens end to end, padding
only inside attention, and in the last layer nothing beyond the first token, not even keys and
values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from service.engines.cpu_limit import cpu_limit
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
from service.records import ModelInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from service.checkpoint.files import Checkpoint
    from service.engines.layout import Dense, Layer, Layout
    from service.settings import ModelSettings

NAME = "torch_packed"


class _Pair(NamedTuple):
    """Weight and bias, of a linear layer (outputs, inputs) or of a norm."""

    weight: torch.Tensor
    bias: torch.Tensor


class _Packed(NamedTuple):
    """What `pack` gives, on the device; the mask in the number format of the model."""

    ids: torch.Tensor
    positions: torch.Tensor
    rows: torch.Tensor
    mask: torch.Tensor
    places: torch.Tensor
    first: torch.Tensor


class _Block(NamedTuple):
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
            SettingsError: the device is absent, or cannot compute in the precision asked for.
            ModelError: the weights are not whole, or the device has failed.
        """
        torch.set_num_threads(settings.threads or cpu_limit())
        self._device = choose_device(settings.device)
        self._run_tokens_max = settings.run_tokens_max or run_tokens_max(self._device)
        precision = choose_precision(settings.precision, self._device)
        self._dtype: torch.dtype = getattr(torch, precision)
        with device_failures(self._device):
            self._load(load_layout(checkpoint.folder))
        self._info = ModelInfo(
            name=checkpoint.name,
            revision=checkpoint.revision,
            engine=NAME,
            precision=precision,
            device=str(self._device),
            labels=checkpoint.labels,
        )

    def _load(self, layout: Layout) -> None:
        self._heads = layout.heads
        self._epsilon = layout.epsilon
        self._words, self._positions = self._put(layout.words), self._put(layout.positions)
        self._embedding_norm = self._norm_of(layout.embedding_norm)
        self._blocks = [self._block(layer) for layer in layout.layers]
        self._head_in, self._head_out = self._linear(layout.head_in), self._linear(layout.head_out)
        self._head_activation = {"Relu": torch.relu, "Tanh": torch.tanh}[layout.head_activation]

    @property
    def info(self) -> ModelInfo:
        """Which model this is and how it runs."""
        return self._info

    @torch.inference_mode()
    def logits(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """The model's raw output; shape (sequences, labels), float32.

        Raises:
            ModelError: a number is not finite, or the device has failed.
        """
        logits = np.empty((len(sequences), len(self._info.labels)), np.float32)
        for indices in padded_runs(sequences, self._run_tokens_max):
            with device_failures(self._device):
                packed = self._packed([sequences[index] for index in indices])
                logits[indices] = self._run(packed).float().cpu().numpy()
        return finite(logits, self._info.name)

    def _packed(self, sequences: Sequence[Sequence[int]]) -> _Packed:
        arrays = {
            name: torch.from_numpy(np.ascontiguousarray(array)).to(self._device)
            for name, array in pack(sequences).items()
        }
        # Half precision cannot hold the number that masks; its own least can be added to a score.
        least = torch.finfo(self._dtype).min / 2
        arrays["mask"] = arrays["mask"].clamp(min=least).to(self._dtype)
        return _Packed(**arrays)

    def _run(self, packed: _Packed) -> torch.Tensor:
        x = functional.embedding(packed.ids, self._words)
        x = self._norm(x + self._positions[packed.positions], self._embedding_norm)
        for block in self._blocks[:-1]:
            x = self._behind_attention(x, self._attention(x, packed, block), block)
        block, first = self._blocks[-1], x[packed.first]
        x = self._behind_attention(first, self._last_attention(first, x, packed), block)
        x = self._head_activation(functional.linear(x, *self._head_in))
        return functional.linear(x, *self._head_out)

    def _attention(self, x: torch.Tensor, packed: _Packed, block: _Block) -> torch.Tensor:
        """Attention of each token of `x` (T, width) to all of its text; shaped as `x`."""
        query = functional.linear(x, *block.query)[packed.rows]
        key_value = functional.linear(x, *block.key_value)[packed.rows]
        key, value = (self._split(half) for half in key_value.chunk(2, dim=-1))
        context = functional.scaled_dot_product_attention(
            self._split(query), key, value, attn_mask=packed.mask
        )
        return context.transpose(1, 2).flatten(2).flatten(0, 1)[packed.places]

    def _last_attention(
        self, first: torch.Tensor, x: torch.Tensor, packed: _Packed
    ) -> torch.Tensor:
        """Attention of the first tokens (B, width) to all of `x` (T, width), shaped as they.

        Each head's query is multiplied with its keys' weights, and attends to whole tokens.
        """
        block, padded = self._blocks[-1], x[packed.rows][:, None]
        by_head = (self._heads, -1, x.shape[-1])
        key, value = (half.view(by_head) for half in block.key_value.weight.chunk(2))
        query = functional.linear(first, *block.query).view(len(first), self._heads, -1)
        query = torch.einsum("bhd,hdw->bhw", query, key)[:, None]
        scale = key.shape[1] ** -0.5
        context = functional.scaled_dot_product_attention(
            query, padded, padded, attn_mask=packed.mask, scale=scale
        )[:, 0]
        context = torch.einsum("bhw,hdw->bhd", context, value).flatten(1)
        return context + block.key_value.bias.chunk(2)[1]

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        """(B, L, width) to (B, heads, L, width of a head)."""
        return x.view(*x.shape[:-1], self._heads, -1).transpose(1, 2)

    def _behind_attention(
        self, x: torch.Tensor, context: torch.Tensor, block: _Block
    ) -> torch.Tensor:
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
        return _Pair(self._put(dense.weight).t().contiguous(), self._put(dense.bias))

    def _norm_of(self, norm: Dense) -> _Pair:
        return _Pair(self._put(norm.weight), self._put(norm.bias))

    def _put(self, array: NDArray[np.float32]) -> torch.Tensor:
        return torch.from_numpy(array).to(self._device, self._dtype)
