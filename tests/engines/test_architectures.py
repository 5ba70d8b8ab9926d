"""Every architecture that classifies texts: the score is that of transformers, or it is refused.

Each is made in small with random weights. Texts are scored alone and beside others, and compared
with transformers, one text at a time.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest

from service.checkpoint.files import REFUSED, resolve
from service.checkpoint.tokenizer import load_tokenizer
from service.engines import load_engine
from service.engines.layout import supported
from service.errors import ModelError
from service.records import EngineName
from service.settings import ModelSettings
from service.text.encoder import TextEncoder

torch = pytest.importorskip("torch", reason="needs sentiment-stream[torch]")
transformers = pytest.importorskip("transformers", reason="needs sentiment-stream[torch]")
from service.engines.torch_plain import IGNORES_PADDING  # noqa: E402 - needs torch
from tools.architectures import ARCHITECTURES, tiny_config, write_architecture  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

pytestmark = pytest.mark.model

# Funnel's pooling fails on fewer than five tokens, in transformers too.
TEXTS = [
    "i love it",
    "i love it!",
    "again and again!!",
    "never",
    "x" * 600,
    "it was awful , not good",
]
LABELS = 3
COMPARED = [name for name in ARCHITECTURES if name not in REFUSED]
WITHOUT_PADDING = [
    name
    for name in sorted(IGNORES_PADDING)
    if tiny_config(name).get_text_config().pad_token_id is None
]


def _expected(folder: Path, texts: list[str], tokens_max: int) -> NDArray[np.float32]:
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    inputs = [
        tokenizer(text, truncation=True, max_length=tokens_max, return_tensors="pt")
        for text in texts
    ]
    with torch.inference_mode():
        return np.concatenate([model(**one).logits.numpy() for one in inputs])


def _check(folder: Path) -> None:
    """Compare each engine that takes the checkpoint with transformers."""
    checkpoint = resolve(ModelSettings(name=str(folder)))
    tokenizer = load_tokenizer(checkpoint)
    # What the token of id 0 stands for, and special tokens that somebody typed, one of them beside
    # a text of as many tokens.
    typed = ["i love <eos> it", "i loved it!", "i <pad> love <pad>it"]
    texts = [*TEXTS, f"i love it{tokenizer.id_to_token(0)}", *typed]
    expected = _expected(folder, texts, checkpoint.tokens_max)
    assert np.ptp(expected, axis=0).max() > 0.1
    sequences = TextEncoder(tokenizer, checkpoint.tokens_max).sequences(texts)
    engines: tuple[EngineName, ...] = ("torch_plain",)
    for name in get_args(EngineName) if supported(folder) else engines:
        settings = ModelSettings(name=str(folder), engine=name, device="cpu", threads=1)
        engine = load_engine(settings, checkpoint)
        alone = np.concatenate([engine.logits([ids]) for ids in sequences])
        np.testing.assert_allclose(alone, expected, atol=1e-4, err_msg=f"{name} alone")
        beside = engine.logits(sequences)
        np.testing.assert_allclose(beside, expected, atol=1e-4, err_msg=f"{name} beside others")


@pytest.mark.parametrize("model_type", COMPARED)
def test_same_as_transformers(model_type: str, tmp_path: Path) -> None:
    """The same logits, whatever the text ends with and whatever is beside it."""
    _check(write_architecture(model_type, tmp_path))


@pytest.mark.parametrize("model_type", WITHOUT_PADDING)
def test_same_with_padding(model_type: str, tmp_path: Path) -> None:
    """A decoder without padding of its own, in whose config.json somebody has chosen a token."""
    folder = write_architecture(model_type, tmp_path, pad_token_id=5)
    _check(folder)


@pytest.mark.parametrize("model_type", sorted(REFUSED))
def test_refused(model_type: str, tmp_path: Path) -> None:
    """An architecture whose score of a text alone means nothing is refused in one short line."""
    config = {"model_type": model_type, "architectures": ["XForSequenceClassification"]}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=f"the architecture {model_type} .*; choose") as caught:
        resolve(ModelSettings(name=str(tmp_path)))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) - len(str(tmp_path)) < 200


def test_every_name_exists() -> None:
    """No architecture is refused or padded under a name that transformers does not know."""
    assert set() == (set(REFUSED) | IGNORES_PADDING) - set(ARCHITECTURES)
