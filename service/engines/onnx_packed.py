"""Runs DistilBERT, BERT and RoBERTa classifiers on the CPU with ONNX Runtime, without padding.

The default on a CPU: it starts in a second, needs neither torch nor transformers, and computes
only what the result depends on (see `onnx_graph`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
import onnxruntime

from service.engines.cpu_limit import cpu_limit
from service.engines.finite import finite
from service.engines.lanes import Lane, balanced_parts, run_in_parallel
from service.engines.layout import load_layout
from service.engines.onnx_graph import build_graph
from service.engines.packing import pack
from service.engines.padding import padded_runs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from service.checkpoint.files import Checkpoint
    from service.records import ModelInfo
    from service.settings import ModelSettings

# Padded tokens of one run. A matrix product with this many rows already reaches the processor's
# full speed; more rows need more memory and miss its caches (figures in service/bench/README.md).
RUN_TOKENS_MAX = 512
# Parallel runs, which divide the threads among them (see `lanes`, and service/bench/README.md).
LANES = 2


class OnnxPacked:
    """Implements `ports.Engine`."""

    def __init__(self, checkpoint: Checkpoint, settings: ModelSettings) -> None:
        """Build the graph from the checkpoint and load it.

        Raises:
            ModelError: a weight is missing, or there are more or fewer labels than names.
        """
        options = onnxruntime.SessionOptions()
        threads = settings.threads or cpu_limit()
        self._lanes = [Lane() for _ in range(min(LANES, threads) - 1)]
        options.intra_op_num_threads = -(-threads // (len(self._lanes) + 1))
        options.inter_op_num_threads = 1
        # The event loop and the tokenizer share these cores, so idle threads must not spin.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        # Every batch has another shape, and ONNX Runtime would keep a memory plan for each shape.
        # Its memory pool stays on: it grows only to the size of one run, and runs are small.
        options.enable_mem_pattern = False
        precision: Literal["float32", "int8"] = (
            "int8" if settings.precision == "int8" else "float32"
        )
        layout = load_layout(checkpoint)
        self._uncounted = layout.uncounted
        graph = build_graph(layout, precision).SerializeToString()
        self._session = onnxruntime.InferenceSession(
            graph, options, providers=["CPUExecutionProvider"]
        )
        self._run_tokens_max = settings.run_tokens_max or RUN_TOKENS_MAX
        self._info = checkpoint.info("onnx_packed", precision, "cpu")

    @property
    def info(self) -> ModelInfo:
        """The model, and how it runs."""
        return self._info

    def logits(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """The logits of token sequences; shape (sequences, labels), float32.

        Raises:
            ModelError: a logit is not finite.
        """
        logits = np.zeros((len(sequences), len(self._info.labels)), np.float32)

        def fill(chosen: Sequence[int]) -> None:
            texts = [sequences[index] for index in chosen]
            for run in padded_runs(texts, self._run_tokens_max):
                packed = pack([texts[i] for i in run], self._uncounted)
                logits[[chosen[i] for i in run]] = self.run(packed)

        lengths = [len(ids) for ids in sequences]
        parts = balanced_parts(lengths, len(self._lanes) + 1)
        run_in_parallel(self._lanes, [partial(fill, part) for part in parts])
        return finite(logits, self._info.name)

    def run(self, packed: Mapping[str, NDArray[np.generic]]) -> NDArray[np.float32]:
        """Run the graph once on the result of `pack`; shape (sequences, labels), float32."""
        logits: NDArray[np.float32] = self._session.run(["logits"], packed)[0]
        return logits
