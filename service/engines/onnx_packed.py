"""Runs DistilBERT, BERT and RoBERTa classifiers on the CPU by ONNX Runtime, without padding.

The default on a CPU: starts in a second, needs neither torch nor transformers, and computes
nothing that the result does not depend on (see `onnx_graph`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

from service.engines.cpu_limit import cpu_limit
from service.engines.layout import load_layout
from service.engines.onnx_graph import build_graph
from service.engines.slices import slices_by_length
from service.errors import ModelError
from service.records import ModelInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from service.engines.checkpoint import Checkpoint
    from service.settings import ModelSettings

NAME = "onnx_packed"

# Padded tokens of one run: products of this many rows already reach the processor's full speed,
# and more would only need more memory.
TOKENS_MAX = 2048
# Added to the score of a place without a token: far below any real score, and no infinity, since
# softmax over a row of those is not a number.
MASKED = np.float32(-1e9)


class OnnxPacked:
    """Implements `ports.Engine`."""

    def __init__(self, checkpoint: Checkpoint, settings: ModelSettings) -> None:
        """Build the graph from the checkpoint and load it.

        Raises:
            ModelError: the weights are not whole.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = settings.threads or cpu_limit()
        options.inter_op_num_threads = 1
        # The event loop and the tokenizer share these cores: threads without work must sleep.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        # Batches differ in shape: a pool would keep the largest block of every shape.
        options.enable_cpu_mem_arena = False
        # Nor may it keep a plan for every shape that it has seen.
        options.enable_mem_pattern = False
        graph = build_graph(load_layout(checkpoint.folder)).SerializeToString()
        self._session = onnxruntime.InferenceSession(
            graph, options, providers=["CPUExecutionProvider"]
        )
        self._multi_label = checkpoint.multi_label
        self._info = ModelInfo(
            name=checkpoint.name,
            revision=checkpoint.revision,
            engine=NAME,
            precision="float32",
            device="cpu",
            labels=checkpoint.labels,
        )

    @property
    def info(self) -> ModelInfo:
        """Which model this is and how it runs."""
        return self._info

    def probabilities(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Score token sequences, special tokens included; shape (sequences, labels), float32.

        A row sums to 1, except for a model whose labels do not exclude each other.

        Raises:
            ModelError: the model's output is not finite.
        """
        logits = self.logits(sequences).astype(np.float64)
        if not np.isfinite(logits).all():
            raise ModelError(
                f"the model {self._info.name} gave numbers that are not finite; name another model"
            )
        if self._multi_label:
            independent: NDArray[np.float32] = (1 / (1 + np.exp(-logits))).astype(np.float32)
            return independent
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: NDArray[np.float32] = (powers / powers.sum(axis=1, keepdims=True)).astype(
            np.float32
        )
        return shares

    def logits(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """The model's raw output; shape (sequences, labels), float32."""
        logits = np.empty((len(sequences), len(self._info.labels)), np.float32)
        for indices in slices_by_length(sequences, TOKENS_MAX):
            packed = pack([sequences[index] for index in indices])
            logits[indices] = self._session.run(["logits"], packed)[0]
        return logits


def pack(sequences: Sequence[Sequence[int]]) -> dict[str, NDArray[np.generic]]:
    """The graph's inputs for some sequences; see `onnx_graph` for their shapes."""
    lengths = np.array([len(ids) for ids in sequences])
    longest = int(lengths.max())
    first = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    places_in_text = np.arange(longest)
    here = places_in_text < lengths[:, None]
    return {
        "ids": np.concatenate([np.asarray(ids, dtype=np.int64) for ids in sequences]),
        "positions": np.broadcast_to(places_in_text, here.shape)[here],
        "rows": np.where(here, first[:, None] + places_in_text, 0),
        "mask": np.where(here, np.float32(0), MASKED)[:, None, None, :],
        "places": np.flatnonzero(here),
        "first": first,
    }
