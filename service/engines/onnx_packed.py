"""Runs DistilBERT, BERT and RoBERTa classifiers on the CPU with ONNX Runtime, without padding.

The default on a CPU: it starts in a second, needs neither torch nor transformers, and computes
only what the result depends on (see `onnx_graph`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
import onnxruntime

from service.engines.cpu_limit import Threads
from service.engines.finite import finite
from service.engines.lanes import Lane, balanced_parts, run_in_parallel
from service.engines.layout import load_layout
from service.engines.onnx_graph import build_graph
from service.engines.packing import pack
from service.engines.padding import padded_runs
from service.errors import ModelError, first_line
from service.processor import saturates, this_processor

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
        self._checkpoint = checkpoint
        wanted = checkpoint.precision if settings.precision == "auto" else settings.precision
        self._precision: Literal["float32", "int8"] = "int8" if wanted == "int8" else "float32"
        self._run_tokens_max = settings.run_tokens_max or RUN_TOKENS_MAX
        self._info = checkpoint.info("onnx_packed", self._precision, "cpu")
        self._threads = Threads(settings.threads)
        self._lanes: list[Lane] = []
        self._session: onnxruntime.InferenceSession | None = None
        self._open()

    def _open(self) -> None:
        """Load the model with as many threads as there are to be; a session's number is for good.

        What was loaded before is given back first: both at once may be more than the container has.
        """
        self._session = None
        for lane in self._lanes:
            lane.close()
        threads = self._threads.count
        self._lanes = [Lane() for _ in range(min(LANES, threads) - 1)]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = -(-threads // (len(self._lanes) + 1))
        options.inter_op_num_threads = 1
        # The event loop and the tokenizer share these cores, so idle threads must not spin.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        # Every batch has another shape, and ONNX Runtime would keep a memory plan for each shape.
        # Its memory pool stays on: it grows only to the size of one run, and runs are small.
        options.enable_mem_pattern = False
        # That pool would round up what the weights need.
        options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
        layout = load_layout(self._checkpoint)
        self._uncounted = layout.uncounted
        # Large weights stay in this file. ONNX Runtime maps it, and lets go of each weight that its
        # kernels have packed for themselves.
        options.add_session_config_entry(
            "session.model_external_initializers_file_folder_path", str(layout.words.file.parent)
        )
        unsigned = saturates(this_processor())
        graph = build_graph(layout, self._precision, unsigned=unsigned)
        self._session = onnxruntime.InferenceSession(
            graph, options, providers=["CPUExecutionProvider"]
        )

    def _open_again(self) -> None:
        try:
            self._open()
        except Exception as error:
            raise ModelError(
                f"the model cannot be loaded again for {self._threads.count} threads from "
                f"{self._checkpoint.folder} ({type(error).__name__}: {first_line(error)}); its "
                "files are to stay, or set SENTIMENT_MODEL__THREADS"
            ) from error

    @property
    def info(self) -> ModelInfo:
        """The model, and how it runs."""
        return self._info

    def logits(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """The logits of token sequences; shape (sequences, labels), float32.

        Raises:
            ModelError: a logit is not finite, or the model cannot be loaded for other threads.
        """
        # Without a session, an earlier attempt has failed: this one tells why.
        if self._threads.changed() or self._session is None:
            self._open_again()
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
        assert self._session is not None  # noqa: S101 - for the type checker
        logits: NDArray[np.float32] = self._session.run(["logits"], packed)[0]
        return logits
