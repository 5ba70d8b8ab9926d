"""How each peer is loaded, as its documentation says: OpenVINO, CTranslate2, ONNX Runtime in int8.

Exists so that what is particular to a library is here alone. Nothing is timed here.
"""

from __future__ import annotations

import functools
import logging
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from service.bench.peers.search import at_its_best
from service.checkpoint.stored import numbers
from service.engines.layout import load_layout
from service.engines.packing import MASKED, pack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from service.bench.peers.search import Peer, Trial

# Of which the scales of OpenVINO's int8 are found; NNCF's own default.
CALIBRATION_TEXTS = 300


def padded(sequences: Sequence[Sequence[int]]) -> dict[str, NDArray[np.int64]]:
    """A batch as transformers' models take it."""
    lengths = np.array([len(ids) for ids in sequences])
    here = np.arange(lengths.max()) < lengths[:, None]
    ids = np.zeros(here.shape, np.int64)
    ids[here] = np.concatenate([np.asarray(ids, np.int64) for ids in sequences])
    return {"input_ids": ids, "attention_mask": here.astype(np.int64)}


def block(sequences: Sequence[Sequence[int]]) -> dict[str, NDArray[np.generic]]:
    """A batch padded as usual, as our graph takes it: each place of padding is a token too."""
    longest = max(len(ids) for ids in sequences)
    inputs = pack([[*ids, *[0] * (longest - len(ids))] for ids in sequences])
    here = np.arange(longest) < np.array([len(ids) for ids in sequences])[:, None]
    inputs["mask"] = np.where(here, np.float32(0), MASKED)[:, None, None, :]
    return inputs


def openvino_peer(trial: Trial, precision: str) -> Peer:
    """Converted from torch; in int8 with static scales, found on the texts of the trial."""
    import openvino  # noqa: PLC0415 - installed by `make bench-peers` alone

    model = _converted(trial.checkpoint.folder)
    options: dict[str, Any] = {"INFERENCE_NUM_THREADS": trial.threads}
    if precision == "int8":
        import nncf  # noqa: PLC0415 - the same

        nncf.set_log_level(logging.ERROR)
        texts = nncf.Dataset([padded([ids]) for ids in trial.sequences[:CALIBRATION_TEXTS]])
        kind = nncf.ModelType.TRANSFORMER
        model = nncf.quantize(model, texts, model_type=kind, subset_size=CALIBRATION_TEXTS)
    else:
        # Otherwise it computes in bfloat16 where the processor has AMX.
        options["INFERENCE_PRECISION_HINT"] = "f32"

    def load(streams: int) -> Any:
        compiled = openvino.Core().compile_model(model, "CPU", {**options, "NUM_STREAMS": streams})
        local = threading.local()

        def score(batch: Sequence[Sequence[int]]) -> Any:
            # A request is for one thread at a time.
            if not hasattr(local, "request"):
                local.request = compiled.create_infer_request()
            return local.request.infer(padded(batch))[0].copy()

        return score

    return at_its_best(load, trial, precision)


@functools.lru_cache(maxsize=1)
def _converted(folder: Path) -> Any:
    import openvino  # noqa: PLC0415 - installed by `make bench-peers` alone
    import torch  # noqa: PLC0415 - an extra

    found: Any = _transformers().AutoModelForSequenceClassification
    model = found.from_pretrained(str(folder), dtype=torch.float32).eval()
    # Two texts of two lengths, so that neither is taken for a constant.
    sample = {name: torch.from_numpy(array) for name, array in padded([[1] * 9, [1] * 7]).items()}
    return openvino.convert_model(model, example_input=sample)


def ctranslate2_peer(trial: Trial, precision: str) -> Peer:
    """Its encoder, and the head of the classifier by numpy, as its documentation shows."""
    import ctranslate2  # noqa: PLC0415 - installed by `make bench-peers` alone

    _transformers()
    layout = load_layout(trial.checkpoint)
    head_in, head_in_bias, head_out, head_out_bias = (
        numbers(weight)
        for dense in (layout.head_in, layout.head_out)
        for weight in (dense.weight, dense.bias)
    )
    with tempfile.TemporaryDirectory() as folder:
        converter = ctranslate2.converters.TransformersConverter(str(trial.checkpoint.folder))
        converter.convert(folder, force=True)

        def load(streams: int) -> Any:
            encoder = ctranslate2.Encoder(
                folder,
                device="cpu",
                compute_type=precision,
                inter_threads=streams,
                intra_threads=max(1, trial.threads // streams),
            )

            def score(batch: Sequence[Sequence[int]]) -> Any:
                hidden = encoder.forward_batch([list(ids) for ids in batch]).last_hidden_state
                x = np.array(hidden)[:, 0] @ head_in.T + head_in_bias
                x = np.tanh(x) if layout.head_activation == "Tanh" else np.maximum(x, 0)
                return x @ head_out.T + head_out_bias

            return score

        return at_its_best(load, trial, precision)


def onnx_runtime_peer(trial: Trial) -> Peer:
    """Its own quantization of our graph: a scale for each batch, and for each output of a weight.

    One scale for a whole weight, its default, moves 1 % of the bundled model's scores by 0.3. The
    graph is this service's, so it does not compute the unused rows of the last layer.
    """
    import onnx  # noqa: PLC0415 - heavy
    import onnxruntime  # noqa: PLC0415 - heavy
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415 - heavy

    from service.engines.onnx_graph import build_graph  # noqa: PLC0415 - heavy

    model = onnx.load_model_from_string(build_graph(load_layout(trial.checkpoint), whole=True))
    # Its kernels have no scales for each output of a weight of three dimensions, which is one head
    # after the other.
    dimensions = {weight.name: len(weight.dims) for weight in model.graph.initializer}
    left: list[str] = []
    for number, node in enumerate(model.graph.node):
        node.name = f"node{number}"
        if any(dimensions.get(name) == 3 for name in node.input):
            left.append(node.name)
    with tempfile.TemporaryDirectory() as folder:
        quantized = Path(folder) / "int8.onnx"
        quantize_dynamic(
            model,
            quantized,
            per_channel=True,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=left,
        )

        def load(streams: int) -> Any:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = max(1, trial.threads // streams)
            options.log_severity_level = 3
            session = onnxruntime.InferenceSession(
                quantized, options, providers=["CPUExecutionProvider"]
            )
            return lambda batch: session.run(["logits"], block(batch))[0]

        return at_its_best(load, trial, "int8")


def _transformers() -> Any:
    import transformers  # noqa: PLC0415 - an extra

    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call] # has no types
    return transformers
