"""Messages per second of the service's engines and of alternatives, from text to probability.

Exists so that all of them are measured alike: with tokenizing, in the order of arrival, in
interleaved rounds, and on the same threads. Alternatives use the batching that they recommend.
"""

from __future__ import annotations

import importlib.util
import time
from typing import TYPE_CHECKING, Any

from service.bench.peers import peers
from service.bench.peers.loading import CALIBRATION_TEXTS, block
from service.bench.peers.search import Trial
from service.checkpoint.files import resolve
from service.checkpoint.tokenizer import load_tokenizer
from service.engines import load_engine
from service.text.encoder import TextEncoder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from service.checkpoint.files import Checkpoint
    from service.settings import ModelSettings

# The default maximum of texts in a batch of the service.
BATCH_TEXTS = 256
PIPELINE_BATCH = 32


def ours(settings: ModelSettings, engine: str, precision: str) -> Callable[[Sequence[str]], None]:
    """One of this service's engines, with its tokenizer, in the service's batches."""
    chosen = settings.model_copy(update={"engine": engine, "precision": precision})
    checkpoint = resolve(chosen)
    encoder = TextEncoder(load_tokenizer(checkpoint), checkpoint.tokens_max)
    loaded = load_engine(chosen, checkpoint)

    def run(texts: Sequence[str]) -> None:
        for first in range(0, len(texts), BATCH_TEXTS):
            loaded.logits(encoder.sequences(texts[first : first + BATCH_TEXTS]))

    return run


def pipeline(
    checkpoint: Checkpoint, threads: int, batch: int, *, in_order: bool
) -> Callable[[Sequence[str]], None]:
    """The text-classification pipeline of transformers on the CPU."""
    import torch  # noqa: PLC0415 - extras, both
    import transformers  # noqa: PLC0415

    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call] # has no types
    torch.set_num_threads(threads)
    classify: Any = transformers.pipeline(
        "text-classification",
        model=str(checkpoint.folder),
        tokenizer=str(checkpoint.folder),
        device="cpu",
        # Otherwise weights saved in half precision would run in it, which is slow on CPUs.
        dtype=torch.float32,
        batch_size=batch,
    )

    def run(texts: Sequence[str]) -> None:
        ordered = list(texts) if in_order else sorted(texts, key=len)
        classify(ordered, truncation=True)

    return run


def padded(settings: ModelSettings, *, in_order: bool) -> Callable[[Sequence[str]], None]:
    """The ONNX graph as it is usually run: batches of 32, padded to the longest text of a batch.

    The graph is this service's, so it does not compute the unused rows of the last layer.
    """
    from service.engines.onnx_packed import LANES, OnnxPacked  # noqa: PLC0415 - heavy

    checkpoint = resolve(settings)
    encoder = TextEncoder(load_tokenizer(checkpoint), checkpoint.tokens_max)
    # Only one run at a time, so it gets the threads of all lanes.
    threads = settings.threads * LANES if settings.threads > 1 else 1
    chosen = settings.model_copy(update={"precision": "float32", "threads": threads})
    engine = OnnxPacked(checkpoint, chosen)

    def run(texts: Sequence[str]) -> None:
        ordered = list(texts) if in_order else sorted(texts, key=len)
        for first in range(0, len(ordered), PIPELINE_BATCH):
            engine.run(block(encoder.sequences(ordered[first : first + PIPELINE_BATCH])))

    return run


def contenders(
    settings: ModelSettings, threads: int, texts: Sequence[str]
) -> dict[str, Callable[[], Any]]:
    """The engines and alternatives to compare, by name; calling one loads it.

    Peers search for their best batching on the first of these texts.
    """
    settings = settings.model_copy(update={"threads": threads, "device": "cpu"})
    checkpoint = resolve(settings)
    found: dict[str, Callable[[], Any]] = {
        "onnx_packed float32": lambda: ours(settings, "onnx_packed", "float32"),
        "onnx_packed int8": lambda: ours(settings, "onnx_packed", "int8"),
        "ONNX Runtime padded, in arrival order": lambda: padded(settings, in_order=True),
        "ONNX Runtime padded, sorted": lambda: padded(settings, in_order=False),
    } | peers(lambda: _trial(settings, texts))
    if (
        importlib.util.find_spec("torch") is None
        or importlib.util.find_spec("transformers") is None
    ):
        return found
    return found | {
        "torch_packed float32": lambda: ours(settings, "torch_packed", "float32"),
        "torch_packed bfloat16": lambda: ours(settings, "torch_packed", "bfloat16"),
        "torch_plain float32": lambda: ours(settings, "torch_plain", "float32"),
        "transformers pipeline, batch 32, in arrival order": lambda: pipeline(
            checkpoint, threads, PIPELINE_BATCH, in_order=True
        ),
        "transformers pipeline, batch 32, sorted": lambda: pipeline(
            checkpoint, threads, PIPELINE_BATCH, in_order=False
        ),
        "transformers pipeline, one by one": lambda: pipeline(
            checkpoint, threads, 1, in_order=True
        ),
    }


def _trial(settings: ModelSettings, texts: Sequence[str]) -> Trial:
    checkpoint = resolve(settings)
    encoder = TextEncoder(load_tokenizer(checkpoint), checkpoint.tokens_max)
    sequences = encoder.sequences(texts[:CALIBRATION_TEXTS])
    exact = settings.model_copy(update={"engine": "onnx_packed", "precision": "float32"})
    expected = load_engine(exact, checkpoint).logits(sequences)
    return Trial(checkpoint, encoder, settings.threads, sequences, expected)


def rate(run: Callable[[Sequence[str]], None], texts: Sequence[str]) -> float:
    """Messages per second over these texts."""
    started = time.perf_counter()
    run(texts)
    return len(texts) / (time.perf_counter() - started)
