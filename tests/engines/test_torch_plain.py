"""The engine for every architecture, with a model made in the test."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tokenizers import Tokenizer, processors

from service.checkpoint.files import resolve
from service.errors import ModelError, SettingsError
from service.scoring.readings import LogitsReader
from service.settings import ModelSettings
from tools.tiny_model import VOCABULARY, write_model

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

torch = pytest.importorskip("torch", reason="needs sentiment-stream[torch]")
transformers = pytest.importorskip("transformers", reason="needs sentiment-stream[torch]")
from tools.architectures import write_architecture  # noqa: E402 - needs torch

pytestmark = pytest.mark.model

CLS, SEP = VOCABULARY["[CLS]"], VOCABULARY["[SEP]"]
SEQUENCES = [[CLS, 4, SEP], [CLS, 10, 9, 4, 6, 5, SEP], [CLS, SEP], [CLS, 5, 5, 5, 5, SEP]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a tiny DistilBERT with two labels."""
    return write_model(tmp_path_factory.mktemp("tiny"))


def _engine(folder: Path, **changes: Any) -> Any:
    from service.engines.torch_plain import TorchPlain  # noqa: PLC0415 - needs torch

    settings = ModelSettings(name=str(folder), **{"device": "cpu", "threads": 1, **changes})
    return TorchPlain(resolve(settings), settings)


def _shares(engine: Any, sequences: Sequence[Sequence[int]], *, multi_label: bool = False) -> Any:
    return LogitsReader(multi_label=multi_label).probabilities(engine.logits(sequences))


def _reference_logits(folder: Path, sequence: Sequence[int]) -> list[float]:
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        logits: list[float] = model(input_ids=torch.tensor([sequence])).logits[0].tolist()
    return logits


def test_same_as_transformers_without_padding(folder: Path) -> None:
    """Padding, masks and order change nothing: each row is that of its text alone."""
    expected = []
    for sequence in SEQUENCES:
        powers = [math.exp(logit) for logit in _reference_logits(folder, sequence)]
        expected.append([power / sum(powers) for power in powers])
    actual = _shares(_engine(folder), SEQUENCES)
    assert actual.dtype == np.float32
    assert actual.shape == (4, 2)
    np.testing.assert_allclose(actual, expected, atol=1e-6)
    assert np.ptp(actual[:, 0]) > 0.01


def test_short_runs_keep_the_order(folder: Path) -> None:
    """Many short runs give the same rows as one long run."""
    chance = random.Random(1)
    sequences = [[CLS, *chance.choices(range(4, 11), k=chance.randrange(30)), SEP]
                 for _ in range(50)]  # fmt: skip
    expected = _engine(folder, run_tokens_max=2**20).logits(sequences)
    actual = _engine(folder, run_tokens_max=64).logits(sequences)
    np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_no_sequences(folder: Path) -> None:
    """Nothing in, nothing out, in the right shape."""
    assert _engine(folder).logits([]).shape == (0, 2)


def test_multi_label(tmp_path: Path) -> None:
    """Independent labels have their own probabilities."""
    folder = write_model(tmp_path, problem_type="multi_label_classification")
    logits = _reference_logits(folder, SEQUENCES[1])
    expected = [1 / (1 + math.exp(-logit)) for logit in logits]
    actual = _shares(_engine(folder), [SEQUENCES[1]], multi_label=True)[0]
    np.testing.assert_allclose(actual, expected, atol=1e-6)


def test_info(folder: Path) -> None:
    """Events can name the model and the engine exactly."""
    info = _engine(folder).info
    assert info.name == folder.name
    assert info.revision == resolve(ModelSettings(name=str(folder))).revision
    assert (info.engine, info.precision, info.device) == ("torch_plain", "float32", "cpu")
    assert info.labels == ("NEGATIVE", "POSITIVE")


def test_bfloat16(folder: Path) -> None:
    """Half precision is close to float32, and the result is float32."""
    actual = _engine(folder, precision="bfloat16")
    assert actual.info.precision == "bfloat16"
    expected = _shares(_engine(folder), SEQUENCES)
    shares = _shares(actual, SEQUENCES)
    assert shares.dtype == np.float32
    np.testing.assert_allclose(shares, expected, atol=0.05)


def test_threads(folder: Path) -> None:
    """The setting is the number of threads."""
    before = torch.get_num_threads()
    try:
        _engine(folder, threads=3)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_absent_device(folder: Path) -> None:
    """The message has the setting, its value, and the devices of the machine."""
    with pytest.raises(SettingsError, match=r"SENTIMENT_MODEL__DEVICE=cuda:99 .* has .*cpu"):
        _engine(folder, device="cuda:99")


def test_not_finite(tmp_path: Path) -> None:
    """NaN and infinity are never published."""
    engine = _engine(write_model(tmp_path))
    with torch.no_grad():
        engine._model.classifier.bias.fill_(float("nan"))
    with pytest.raises(ModelError, match="not finite"):
        engine.logits(SEQUENCES)


def test_missing_weights(tmp_path: Path) -> None:
    """Weights that transformers would initialise at random are an error."""
    from safetensors.torch import load_file, save_file  # noqa: PLC0415 - needs torch

    file = write_model(tmp_path) / "model.safetensors"
    tensors = load_file(file)
    del tensors["classifier.weight"]
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"weights are missing .*classifier\.weight"):
        _engine(tmp_path)


def test_more_labels_than_weights(tmp_path: Path) -> None:
    """A configuration that does not fit the weights is refused."""
    config = write_model(tmp_path) / "config.json"
    content = json.loads(config.read_text())
    content["id2label"]["2"] = "NEUTRAL"
    config.write_text(json.dumps(content))
    with pytest.raises(ModelError):
        _engine(tmp_path)


def test_broken_weights(tmp_path: Path) -> None:
    """An incomplete download is refused in one line."""
    file = write_model(tmp_path) / "model.safetensors"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        _engine(tmp_path)
    assert "\n" not in str(caught.value)


def test_token_types(tmp_path: Path) -> None:
    """XLNet's last token has type 2, and the model was trained with it."""
    write_architecture("xlnet", tmp_path)
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A:0 <eos>:0 <bos>:2",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("<eos>", "<bos>")],
    )
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ModelError, match="model_input_names"):
        _engine(tmp_path)
    config = {
        "tokenizer_class": "TokenizersBackend",
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
    }
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    texts = ["good", "a very good day", "bad"]
    model = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    inputs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    with torch.inference_mode():
        expected = [model(**inputs(text, return_tensors="pt")).logits[0].numpy() for text in texts]
    found = _engine(tmp_path).logits([tokenizer.encode(text).ids for text in texts])
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_model_that_needs_more_than_a_text(tmp_path: Path) -> None:
    """X-MOD has weights for each language, and this one names none."""
    write_architecture("xmod", tmp_path, default_language=None)
    with pytest.raises(
        ModelError, match=r"does not run on a text \(Input language unknown"
    ) as caught:
        _engine(tmp_path)
    assert "\n" not in str(caught.value)


def test_quiet(folder: Path) -> None:
    """Loading and scoring write nothing between the service's log lines."""
    code = (
        "import sys\n"
        "from service.checkpoint.files import resolve\n"
        "from service.engines.torch_plain import TorchPlain\n"
        "from service.settings import ModelSettings\n"
        "settings = ModelSettings(name=sys.argv[1], device='cpu')\n"
        "TorchPlain(resolve(settings), settings).logits([[2, 4, 3]])\n"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")
