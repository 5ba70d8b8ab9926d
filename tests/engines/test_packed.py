"""The packed engines compute what transformers computes; int8 nearly so, whatever is beside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.checkpoint.files import BUNDLED_FOLDER, resolve
from service.checkpoint.tokenizer import load_tokenizer
from service.engines import engine_name, load_engine
from service.engines.onnx_packed import OnnxPacked
from service.engines.packing import pack
from service.errors import ModelError, SettingsError
from service.records import EngineName
from service.scoring.readings import LogitsReader
from service.settings import ModelSettings
from service.text.encoder import TextEncoder

torch = pytest.importorskip("torch")
from safetensors.torch import load_file, save_file  # noqa: E402 - needs torch

from service.engines.torch_packed import TorchPacked  # noqa: E402 - only where torch is installed
from service.engines.torch_plain import TorchPlain  # noqa: E402 - only where torch is installed
from tools.tiny_checkpoints import VOCABULARY, write_tiny  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from service.ports import Engine

pytestmark = pytest.mark.model

FAMILIES = ["distilbert", "bert", "roberta"]
PRECISIONS: tuple[Literal["float32", "int8"], ...] = ("float32", "int8")
Sequences = list[list[int]]
Pair = tuple[OnnxPacked | TorchPacked, TorchPlain]
sequences = st.lists(
    st.lists(st.integers(5, VOCABULARY - 1), min_size=1, max_size=40), min_size=1, max_size=12
)


@pytest.fixture(
    scope="module", params=[(e, f) for e in (OnnxPacked, TorchPacked) for f in FAMILIES]
)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Give a packed engine and the plain one with the same tiny random weights."""
    engine, family = request.param
    folder = write_tiny(family, tmp_path_factory.mktemp(family))
    settings = ModelSettings(name=str(folder), device="cpu")
    checkpoint = resolve(settings)
    return engine(checkpoint, settings), TorchPlain(checkpoint, settings)


def loaded(**chosen: Any) -> Engine:
    """The engine of the bundled model, or of what else is chosen, on the CPU."""
    settings = ModelSettings(**{"device": "cpu", **chosen})
    return load_engine(settings, resolve(settings))


def shares(engine: Engine, sequences: Sequences) -> NDArray[np.float32]:
    """The probabilities of an engine's logits."""
    return LogitsReader().probabilities(engine.logits(sequences))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=sequences)
def test_same_as_transformers(pair: Pair, batch: Sequences) -> None:
    """Logits differ from the padded engine's by rounding alone, whatever the lengths."""
    packed, plain = pair
    expected = np.concatenate([plain._logits([ids]).numpy() for ids in batch])
    np.testing.assert_allclose(packed.logits(batch), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("length", [1, 2, 3, 511, 512])
def test_same_at_the_lengths_that_exist(pair: Pair, length: int) -> None:
    """The shortest and the longest texts are computed alike."""
    packed, plain = pair
    batch = [[7] * length, [8, 9]]
    np.testing.assert_allclose(shares(packed, batch), shares(plain, batch), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", get_args(EngineName))
def test_each_engine_is_loaded_by_its_name(name: str) -> None:
    """The names of the settings, of tuning files and of events are one list."""
    assert name == loaded(engine=name).info.engine


def test_no_text_has_no_logits(pair: Pair) -> None:
    """Of nothing, either engine gives nothing, in the same shape."""
    packed, plain = pair
    assert (0, 2) == packed.logits([]).shape == plain.logits([]).shape


def test_an_empty_text_favours_no_label(pair: Pair) -> None:
    """Nor does it change what is beside it."""
    for engine in pair:
        logits = engine.logits([[], [7, 8], []])
        np.testing.assert_allclose(logits[1:2], engine.logits([[7, 8]]), atol=1e-6)
        assert not logits[[0, 2]].any()


@pytest.mark.parametrize("engine", get_args(EngineName))
@pytest.mark.parametrize(
    ("rows", "changes", "named"),
    [
        (3, {}, 2),
        # As old versions of transformers have written it.
        (3, {"num_labels": 3}, 2),
        (2, {"id2label": {"0": "A", "1": "B", "2": "C", "3": "D"}}, 4),
    ],
)
def test_labels_and_rows_that_differ(
    engine: str, rows: int, changes: dict[str, Any], named: int, tmp_path: Path
) -> None:
    """One line names both numbers and what to correct."""
    folder = write_tiny("bert", tmp_path)
    if rows == 3:
        _add_a_row(folder)
    _change_config(folder, changes)
    message = f"have {rows} labels, config.json names {named}; name as many in its id2label"
    with pytest.raises(ModelError, match=message) as caught:
        loaded(name=str(folder), engine=engine)
    assert "\n" not in str(caught.value)


def _add_a_row(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    for name in ("classifier.weight", "classifier.bias"):
        tensors[name] = torch.cat([tensors[name], tensors[name][:1]])
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def _change_config(folder: Path, changes: dict[str, Any]) -> None:
    """Replace keys of config.json; None leaves the key out."""
    file = folder / "config.json"
    config = json.loads(file.read_text()) | changes
    file.write_text(json.dumps({k: v for k, v in config.items() if v is not None}))


@pytest.mark.parametrize("engine", get_args(EngineName))
def test_roberta_without_pad_token_id(engine: str, tmp_path: Path) -> None:
    """The default of transformers is 1; it decides which row the first position has."""
    folder = write_tiny("roberta", tmp_path)
    settings = {"name": str(folder), "engine": engine}
    expected = loaded(**settings).logits([[7, 8, 9]])
    _change_config(folder, {"pad_token_id": None})
    np.testing.assert_allclose(loaded(**settings).logits([[7, 8, 9]]), expected, atol=1e-6)


def test_sizes_that_config_leaves_out(tmp_path: Path) -> None:
    """They are those of transformers, so its own engine is chosen, which knows them."""
    folder = write_tiny("bert", tmp_path)
    _change_config(folder, {"num_attention_heads": None})
    settings = ModelSettings(name=str(folder), device="cpu")
    assert "torch_plain" == engine_name(settings, resolve(settings))


def test_neighbours_do_not_matter() -> None:
    """A text scores the same alone and among others, in the bundled model."""
    engine = loaded()
    assert "onnx_packed" == engine.info.engine
    batch = [[101, 2023, 2003, 2204, 102], [101, *[2919] * 300, 102], [101, 102]]
    alone = np.concatenate([shares(engine, [ids]) for ids in batch])
    np.testing.assert_allclose(shares(engine, batch), alone, atol=1e-6)


def test_no_run_is_larger_than_its_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many texts an engine is given at a time, and however unlike in length."""
    settings = ModelSettings(
        name=str(write_tiny("bert", tmp_path)), device="cpu", run_tokens_max=64
    )
    engine = OnnxPacked(resolve(settings), settings)
    padded_tokens: list[int] = []
    run = engine.run

    def counted(packed: Mapping[str, NDArray[np.generic]]) -> NDArray[np.float32]:
        padded_tokens.append(packed["rows"].size)
        return run(packed)

    monkeypatch.setattr(engine, "run", counted)
    engine.logits([[7] * length for length in range(1, 41)])
    assert 1 < len(padded_tokens)
    assert max(padded_tokens) <= 64


TEXTS = BUNDLED_FOLDER.parent / "demo" / "messages.jsonl"


@pytest.fixture(scope="module")
def texts() -> Sequences:
    """Give the tokens of what the demo says, all its languages and oddities included."""
    checkpoint = resolve(ModelSettings())
    encoder = TextEncoder(load_tokenizer(checkpoint), checkpoint.tokens_max)
    lines = (json.loads(line).get("text") for line in TEXTS.read_text().splitlines())
    return encoder.sequences(text for text in lines if isinstance(text, str))


def test_int8_does_not_depend_on_neighbours(texts: Sequences) -> None:
    """The same text alone and among all others: no scale is shared between them."""
    engine = loaded(precision="int8")
    assert ("onnx_packed", "int8") == (engine.info.engine, engine.info.precision)
    alone = np.concatenate([shares(engine, [ids]) for ids in texts])
    np.testing.assert_allclose(shares(engine, texts), alone, atol=1e-3)


def test_int8_agrees_with_float32(texts: Sequences) -> None:
    """On the bundled model: nearly always the same label, and never far away."""
    exact, quick = (loaded(precision=p) for p in PRECISIONS)
    expected, found = shares(exact, texts), shares(quick, texts)
    assert (expected.argmax(axis=1) == found.argmax(axis=1)).mean() >= 0.98
    assert np.abs(expected - found).max() < 0.15


@pytest.mark.parametrize("family", FAMILIES)
def test_int8_of_each_family(family: str, tmp_path: Path) -> None:
    """Quantized weights give nearly the same logits, be they of few and large numbers."""
    settings = ModelSettings(name=str(write_tiny(family, tmp_path)), device="cpu")
    exact = OnnxPacked(resolve(settings), settings)
    quick = OnnxPacked(resolve(settings), settings.model_copy(update={"precision": "int8"}))
    batch = [[7] * 9, [8, 9], [5, 6, 7, 100, 33]]
    np.testing.assert_allclose(quick.logits(batch), exact.logits(batch), atol=0.3)


def test_bfloat16_agrees_with_float32(texts: Sequences) -> None:
    """Half precision by torch, on the bundled model."""
    engine = loaded(engine="torch_packed", precision="bfloat16")
    assert ("torch_packed", "bfloat16") == (engine.info.engine, engine.info.precision)
    exact = shares(loaded(), texts)
    assert np.abs(shares(engine, texts) - exact).max() < 0.1


def test_a_device_that_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a GPU raises becomes one line that says what happens next."""
    settings = ModelSettings(name=str(write_tiny("bert", tmp_path)), device="cpu")
    engine = TorchPacked(resolve(settings), settings)

    def fail(_: object) -> None:
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(engine, "_run", fail)
    with pytest.raises(ModelError, match=r"the device cpu has failed \(CUDA error: an illegal"):
        engine.logits([[5, 6]])


def test_pack_lays_texts_end_to_end() -> None:
    """The inputs of the graph for two texts, written out."""
    packed = pack([[5, 6, 7], [8]])
    assert [5, 6, 7, 8] == packed["ids"].tolist()
    assert [0, 1, 2, 0] == packed["positions"].tolist()
    assert [[0, 1, 2], [3, 0, 0]] == packed["rows"].tolist()
    assert [0, 1, 2, 3] == packed["places"].tolist()
    assert [0, 3] == packed["first"].tolist()
    assert [[True, True, True], [True, False, False]] == (packed["mask"][:, 0, 0] == 0).tolist()


def test_pack_does_not_count_padding_in_a_text() -> None:
    """RoBERTa's positions leave it out; the texts around it have their own."""
    packed = pack([[5, 6], [1, 7, 1, 8], [9]], uncounted=1)
    assert [0, 1, -1, 0, -1, 1, 0] == packed["positions"].tolist()


def test_what_it_cannot_run_is_said(tmp_path: Path) -> None:
    """Asking it for half precision names the settings in conflict."""
    folder = write_tiny("bert", tmp_path)
    with pytest.raises(SettingsError, match="SENTIMENT_MODEL__PRECISION=bfloat16"):
        loaded(name=str(folder), engine="onnx_packed", precision="bfloat16")
