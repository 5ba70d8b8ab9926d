"""Downloads from the hub: a cached model needs no network, and an unreachable hub fails fast."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from service.checkpoint import hub
from service.checkpoint.files import resolve
from service.errors import ModelError
from service.settings import PUBLISHED_MODEL, PUBLISHED_REVISION, ModelSettings
from tools.tiny_model import write_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
# Nothing listens on this port, so connections fail immediately.
NO_HUB = "http://127.0.0.1:9"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Give a maker of cached snapshots of one commit, with a hub that cannot be reached."""
    constants = pytest.importorskip("huggingface_hub.constants", reason="needs the torch extra")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "ENDPOINT", NO_HUB)

    def make(name: str) -> Path:
        root = tmp_path / f"models--{name.replace('/', '--')}"
        (root / "refs").mkdir(parents=True)
        return write_files(root / "snapshots" / COMMIT)

    return make


def test_cached_hub_model(cache: Callable[[str], Path]) -> None:
    """A snapshot in the cache needs no network; its revision is the full commit."""
    folder = cache("someone/some-model")
    checkpoint = resolve(ModelSettings(name="someone/some-model", revision=COMMIT))
    assert checkpoint.folder == folder
    assert checkpoint.name == "someone/some-model"
    assert checkpoint.revision == COMMIT


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "tokenizer.json"])
def test_half_a_snapshot(cache: Callable[[str], Path], file: str) -> None:
    """An incomplete snapshot is downloaded again, which fails here without a hub."""
    (cache("someone/some-model") / file).unlink()
    with pytest.raises(ModelError, match="cannot be fetched"):
        resolve(ModelSettings(name="someone/some-model", revision=COMMIT))


def test_shard_of_a_snapshot_is_missing(cache: Callable[[str], Path]) -> None:
    """All the files that the index names must be there."""
    folder = cache("someone/some-model")
    index = {"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match="cannot be fetched"):
        resolve(ModelSettings(name="someone/some-model", revision=COMMIT))


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("prefix", ["", "distilbert/"])
def test_hub_out_of_reach(prefix: str) -> None:
    """One line says what was tried, at the published commit, and what to do instead."""
    with pytest.raises(ModelError, match="cannot be fetched") as caught:
        resolve(ModelSettings(name=prefix + PUBLISHED_MODEL))
    message = str(caught.value)
    assert "\n" not in message
    assert PUBLISHED_REVISION[:12] in message
    assert "set SENTIMENT_MODEL__NAME to it, or use `bundled`" in message


def test_branch_that_looks_like_a_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A branch does not pin a model, even if its name consists of hex digits."""
    api = pytest.importorskip("huggingface_hub", reason="needs the torch extra").hf_api

    def model_info(*_: Any, **__: Any) -> Any:
        return api.ModelInfo(id="someone/some-model", sha=COMMIT)

    monkeypatch.setattr(api.HfApi, "model_info", model_info)
    with pytest.raises(ModelError, match=f"set it to its commit {COMMIT}"):
        hub._fetched("someone/some-model", "feedbee")
