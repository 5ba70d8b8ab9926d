"""The packed engine computes what transformers computes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.engines import load_engine
from service.engines.checkpoint import resolve
from service.engines.onnx_packed import OnnxPacked, pack
from service.errors import SettingsError
from service.settings import ModelSettings

torch = pytest.importorskip("torch")
from service.engines.torch_plain import TorchPlain  # noqa: E402 - only where torch is installed
from tiny_checkpoints import VOCABULARY, write_tiny  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.model

FAMILIES = ["distilbert", "bert", "roberta"]
Sequences = list[list[int]]
sequences = st.lists(
    st.lists(st.integers(5, VOCABULARY - 1), min_size=1, max_size=40), min_size=1, max_size=12
)


@pytest.fixture(scope="module", params=FAMILIES)
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[OnnxPacked, TorchPlain]:
    """Give both engines with the same tiny random weights."""
    folder = write_tiny(request.param, tmp_path_factory.mktemp(request.param))
    settings = ModelSettings(name=str(folder), device="cpu")
    checkpoint = resolve(settings)
    return OnnxPacked(checkpoint, settings), TorchPlain(checkpoint, settings)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(batch=sequences)
def test_same_as_transformers(pair: tuple[OnnxPacked, TorchPlain], batch: Sequences) -> None:
    """Logits differ from the padded engine's by rounding alone, whatever the lengths."""
    packed, plain = pair
    expected = np.concatenate([plain._logits([ids]).numpy() for ids in batch])
    np.testing.assert_allclose(packed.logits(batch), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("length", [1, 2, 3, 511, 512])
def test_same_at_the_lengths_that_exist(pair: tuple[OnnxPacked, TorchPlain], length: int) -> None:
    """The shortest and the longest texts are computed alike."""
    packed, plain = pair
    batch = [[7] * length, [8, 9]]
    np.testing.assert_allclose(
        packed.probabilities(batch), plain.probabilities(batch), rtol=1e-3, atol=1e-5
    )


def test_neighbours_do_not_matter() -> None:
    """A text scores the same alone and among others, in the bundled model."""
    engine = load_engine(ModelSettings(device="cpu"))
    assert "onnx_packed" == engine.info.engine
    batch = [[101, 2023, 2003, 2204, 102], [101, *[2919] * 300, 102], [101, 102]]
    alone = np.concatenate([engine.probabilities([ids]) for ids in batch])
    np.testing.assert_allclose(engine.probabilities(batch), alone, atol=1e-6)


def test_pack_lays_texts_end_to_end() -> None:
    """The inputs of the graph for two texts, written out."""
    packed = pack([[5, 6, 7], [8]])
    assert [5, 6, 7, 8] == packed["ids"].tolist()
    assert [0, 1, 2, 0] == packed["positions"].tolist()
    assert [[0, 1, 2], [3, 0, 0]] == packed["rows"].tolist()
    assert [0, 1, 2, 3] == packed["places"].tolist()
    assert [0, 3] == packed["first"].tolist()
    assert [[True, True, True], [True, False, False]] == (packed["mask"][:, 0, 0] == 0).tolist()


def test_what_it_cannot_run_is_said(tmp_path: Path) -> None:
    """Asking it for half precision names the settings in conflict."""
    folder = write_tiny("bert", tmp_path)
    with pytest.raises(SettingsError, match="SENTIMENT_MODEL__PRECISION=bfloat16"):
        load_engine(ModelSettings(name=str(folder), engine="onnx_packed", precision="bfloat16"))
