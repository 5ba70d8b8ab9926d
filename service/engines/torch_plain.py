"""Runs any Hugging Face sequence-classification checkpoint with transformers, with padding.

The engine for every architecture, and the reference that the faster ones are compared with. It
knows nothing of queues and of the order of messages.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import numpy as np
import torch
import transformers
from transformers import AutoModelForSequenceClassification

from service.checkpoint.tokenizer import load_tokenizer, token_types
from service.engines.cpu_limit import Threads
from service.engines.finite import finite
from service.engines.layout import check_labels
from service.engines.padding import equal_runs, padded_runs
from service.engines.torch_device import (
    choose_device,
    choose_precision,
    device_failures,
    run_tokens_max,
)
from service.errors import ModelError, SettingsError, first_line

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from numpy.typing import NDArray
    from transformers import PreTrainedModel

    from service.checkpoint.files import Checkpoint
    from service.records import ModelInfo
    from service.settings import ModelSettings

# Architectures in which padding changes no logit, as tests/engines/test_architectures.py checks.
# It changes those of some others (XLNet, ConvBERT, FNet, MobileBERT, …), so every architecture
# that is not listed runs on texts of equal length: as exact, but with more runs.
IGNORES_PADDING = frozenset({
    "albert", "bert", "camembert", "data2vec-text", "deberta", "deberta-v2", "distilbert",
    "electra", "ernie", "eurobert", "falcon", "gemma", "gemma2", "gemma3_text", "gpt2", "gpt_neo",
    "gpt_neox", "gte", "jina_embeddings_v3", "llama", "longformer", "megatron-bert", "mistral",
    "modernbert", "mpnet", "nomic_bert", "opt", "phi3", "qwen2", "qwen3", "rembert", "roberta",
    "roberta-prelayernorm", "roformer", "squeezebert", "xlm-roberta", "xlm-roberta-xl",
})  # fmt: skip
# Long enough for architectures that pool neighbouring tokens.
SENTENCE = "a good day , and a good film"


class TorchPlain:
    """Implements `ports.Engine`."""

    def __init__(self, checkpoint: Checkpoint, settings: ModelSettings) -> None:
        """Load the weights onto the device and run them once.

        Raises:
            SettingsError: the device is absent, or does not support the precision.
            ModelError: the weights cannot be loaded, or the model needs more than a text.
        """
        self._threads = Threads(settings.threads)
        torch.set_num_threads(self._threads.count)
        self._device = choose_device(settings.device)
        self._run_tokens_max = settings.run_tokens_max or run_tokens_max(self._device)
        precision = choose_precision(settings.precision, self._device)
        tokenizer = load_tokenizer(checkpoint)
        types = token_types(checkpoint, tokenizer)
        self._model = _load(checkpoint, getattr(torch, precision), self._device)
        self._types = types if "token_type_ids" in _inputs(self._model) else None
        self._pad = _pad_token_id(self._model)
        # Encoder-decoders refuse texts with different numbers of this token in one run.
        config = self._model.config
        self._end = config.eos_token_id if config.is_encoder_decoder else None
        self._info = checkpoint.info("torch_plain", precision, str(self._device))
        try:
            logits = self._logits([tokenizer.encode(SENTENCE).ids or [0]])
        except Exception as error:  # noqa: BLE001 - models raise many classes for what they lack
            if precision != "float32" and isinstance(error, RuntimeError):
                raise SettingsError(
                    f"SENTIMENT_MODEL__PRECISION={settings.precision} does not run on "
                    f"{self._device} ({first_line(error)}); set it to float32"
                ) from None
            raise ModelError(
                f"{checkpoint.folder}: the model does not run on a text ({first_line(error)}); "
                "choose another model"
            ) from None
        check_labels(checkpoint, logits.shape[1])

    @property
    def info(self) -> ModelInfo:
        """The model, and how it runs."""
        return self._info

    def logits(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """The logits of token sequences; shape (sequences, labels), float32.

        Raises:
            ModelError: a logit is not finite, or the device has failed.
        """
        if self._threads.changed():
            torch.set_num_threads(self._threads.count)
        logits = np.zeros((len(sequences), len(self._info.labels)), np.float32)
        for indices in self._runs(sequences):
            with device_failures(self._device):
                run = self._logits([sequences[index] for index in indices])
                logits[indices] = run.float().cpu().numpy()
        return finite(logits, self._info.name)

    def _runs(self, sequences: Sequence[Sequence[int]]) -> Iterator[list[int]]:
        if self._pad is None:
            return equal_runs(sequences, self._run_tokens_max, self._end)
        return padded_runs(sequences, self._run_tokens_max)

    @torch.inference_mode()
    def _logits(self, sequences: Sequence[Sequence[int]]) -> torch.Tensor:
        longest = max(len(ids) for ids in sequences)

        def padded(rows: Sequence[Sequence[int]], value: int) -> torch.Tensor:
            full = [[*row, *[value] * (longest - len(row))] for row in rows]
            return torch.tensor(full, device=self._device)

        inputs = {
            "input_ids": padded(sequences, self._pad or 0),
            "attention_mask": padded([[1] * len(ids) for ids in sequences], 0),
        }
        if self._types is not None:
            types = [self._types.of(len(ids)) for ids in sequences]
            inputs["token_type_ids"] = padded(types, 0)
        logits: torch.Tensor = self._model(**inputs).logits
        return logits


def _load(checkpoint: Checkpoint, dtype: torch.dtype, device: torch.device) -> PreTrainedModel:
    # Keep its load report and progress bars off standard error, and its log records in our format.
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call] # has no types
    transformers.logging.disable_default_handler()
    transformers.logging.enable_propagation()
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call] # has no types
    model: PreTrainedModel
    try:
        model, report = AutoModelForSequenceClassification.from_pretrained(
            checkpoint.folder,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            dtype=dtype,
            output_loading_info=True,
            # The report names both shapes; transformers would raise an error without them.
            ignore_mismatched_sizes=True,
        )
    except Exception as error:  # noqa: BLE001 - transformers raises many classes for a bad folder
        raise ModelError(
            f"{checkpoint.folder}: cannot be loaded ({first_line(error)}); download the model again"
        ) from None
    for _, found, wanted in report["mismatched_keys"]:
        if wanted[0] == len(checkpoint.labels) and wanted[1:] == found[1:]:
            check_labels(checkpoint, found[0])
    # transformers would initialise missing weights at random and go on.
    if report["missing_keys"] or report["mismatched_keys"]:
        missing = sorted(map(str, report["missing_keys"] or report["mismatched_keys"]))
        raise ModelError(
            f"{checkpoint.folder}: weights are missing or of another shape ({missing[0]}, "
            f"{len(missing)} in all); choose a model trained for sequence classification"
        )
    torch.nn.Module.to(model, device)  # the override of transformers hides the types
    model.eval()  # type: ignore[no-untyped-call] # has no types
    return model


def _pad_token_id(model: PreTrainedModel) -> int | None:
    """The token to pad with; None where texts of different lengths must not share a run.

    Decoders find the last token of a text by the padding, so no token of the vocabulary may pass
    for it. Where the configuration has none, -1 takes its place: transformers refuses two texts in
    a run without any, even if they are of equal length.
    """
    configs = (model.config, model.config.get_text_config())
    stated = [getattr(config, "pad_token_id", None) for config in configs]
    pad: int | None = next((token for token in stated if token is not None), None)
    if pad is None:
        for config in configs:
            config.pad_token_id = -1
    elif pad >= 0 and model.config.model_type in IGNORES_PADDING:
        return pad
    return None


def _inputs(model: PreTrainedModel) -> Container[str]:
    return inspect.signature(model.forward).parameters
