"""What stands around a model: texts to the tokens that it was trained on, its logits to readings.

Exists so that the service and what measures it (`lab`) put both together in one way, from the files
beside the weights. No engine here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from service.calls import Calling
from service.engines.checkpoint import load_tokenizer
from service.text import TextEncoder
from service.trust import Trust, read_trust

if TYPE_CHECKING:
    from service.engines.checkpoint import Checkpoint
    from service.settings import ModelSettings


class Processing(NamedTuple):
    """Of one model; the encoder, and with it all, is for one thread."""

    trust: Trust
    encoder: TextEncoder
    calling: Calling


def load_processing(settings: ModelSettings, checkpoint: Checkpoint) -> Processing:
    """Read what belongs to a checkpoint; takes up to a second.

    Raises:
        ModelError: a file cannot be used, or is for a later version of the service.
    """
    trust = read_trust(checkpoint.folder, len(checkpoint.labels))
    encoder = TextEncoder(
        load_tokenizer(checkpoint),
        window_tokens_max(trust, checkpoint),
        text_tokens_max=settings.text_tokens_max,
        normaliser=trust.normaliser,
    )
    return Processing(trust, encoder, Calling(trust, checkpoint.multi_label, settings.unsure_label))


def window_tokens_max(trust: Trust, checkpoint: Checkpoint) -> int:
    """Most tokens of one window, special tokens counted: as the model asks, at most what it takes.

    A model that asks for nothing, as published ones do, has windows of all its positions.
    """
    return min(checkpoint.tokens_max, trust.window_tokens or checkpoint.tokens_max)
