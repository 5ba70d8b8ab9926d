"""The limit of the machine, measured, and the arithmetic that the model needs, counted.

Exists so that "close to the limit" is a number: the operations per second that are really needed,
divided by those that a large square matrix product reaches on the same threads.
"""

from __future__ import annotations

import importlib.util
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

from service.engines.graph import onnx_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from service.engines.layout import Layout

SQUARES = (1024, 2048, 4096)
# Long enough for the processor's clock to settle, and for one product of the largest size.
SLOT_S = 0.4


def arithmetic(layout: Layout, lengths: Iterable[int]) -> float:
    """Operations needed to score texts of these lengths; a multiply and an add are two.

    It counts only matrix products, and none on padding. The last layer computes only the first
    token, because the head reads no other, and no keys and values (see `onnx_graph`).
    """
    width = layout.words.shape[1]
    hidden = layout.layers[0].feed_in.bias.shape[0]
    labels = layout.head_out.bias.shape[0]
    whole = 2 * (4 * width * width + 2 * width * hidden)
    total = 0.0
    for length in lengths:
        # Attention scores and sums of values: two products of (length, width) by (width, length).
        total += (len(layout.layers) - 1) * (whole * length + 4 * length * length * width)
        # In the last layer, scores and sums of each head are over whole tokens.
        total += whole + 4 * length * width * layout.heads
        total += 2 * width * width + 2 * width * labels
    return total


def squares(threads: int) -> dict[str, Callable[[int], float]]:
    """Functions from a size to the GFLOP/s of a square product, by precision and library."""
    found: dict[str, Callable[[int], float]] = {
        "float32, ONNX Runtime": lambda size: _onnx_square(size, threads, int8=False),
        "int8, ONNX Runtime": lambda size: _onnx_square(size, threads, int8=True),
    }
    if importlib.util.find_spec("torch") is not None:
        found["float32, torch"] = lambda size: _torch_square(size, threads, "float32")
        found["bfloat16, torch"] = lambda size: _torch_square(size, threads, "bfloat16")
        found["int8, torch"] = lambda size: _torch_square(size, threads, "int8")
    return found


def measure_squares(threads: int) -> dict[str, float]:
    """The GFLOP/s of the fastest size, by precision and library."""
    return {
        name: max(measure(size) for size in SQUARES) for name, measure in squares(threads).items()
    }


def best_of(peaks: Mapping[str, Sequence[float]], precision: str) -> float:
    """The median of the fastest library for a precision, in GFLOP/s; 0 if none was measured."""
    return max(
        (float(np.median(values)) for name, values in peaks.items() if name.startswith(precision)),
        default=0.0,
    )


def _timed(size: int, run: Callable[[], Any]) -> float:
    run()
    started, count = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - started) < SLOT_S:
        run()
        count += 1
    return 2 * size**3 * count / elapsed / 1e9


def _onnx_square(size: int, threads: int, *, int8: bool) -> float:
    rng = np.random.default_rng(0)
    if int8:
        x: Any = rng.integers(0, 255, (size, size), dtype=np.uint8)
        weight: Any = rng.integers(-127, 127, (size, size), dtype=np.int8)
        kinds = (onnx_file.UINT8, onnx_file.INT32, "MatMulInteger")
    else:
        x = rng.standard_normal((size, size), dtype=np.float32)
        weight = rng.standard_normal((size, size), dtype=np.float32)
        kinds = (onnx_file.FLOAT, onnx_file.FLOAT, "MatMul")
    sizes: onnx_file.Shape = [size, size]
    square = onnx_file.Model(
        nodes=[onnx_file.node(kinds[2], ["x", "w"], "y", "", {})],
        initializers=[onnx_file.array("w", weight)],
    ).serialized({"x": (kinds[0], sizes)}, {"y": (kinds[1], sizes)}, {"": 20}, 10, {})
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(square, options, providers=["CPUExecutionProvider"])
    return _timed(size, lambda: session.run(None, {"x": x}))


def _torch_square(size: int, threads: int, precision: str) -> float:
    import torch  # noqa: PLC0415 - an extra

    torch.set_num_threads(threads)
    if precision == "int8":
        a = torch.randint(-127, 127, (size, size), dtype=torch.int8)
        b = torch.randint(-127, 127, (size, size), dtype=torch.int8)
        return _timed(size, lambda: torch._int_mm(a, b))  # noqa: SLF001 - torch's only int8 product
    x = torch.randn(size, size).to(getattr(torch, precision))
    y = torch.randn(size, size).to(getattr(torch, precision))
    with torch.inference_mode():
        return _timed(size, lambda: x @ y)
