"""Finding a model's files and checking them, without torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from service.checkpoint.files import BUNDLED_FOLDER, resolve
from service.checkpoint.tokenizer import load_tokenizer
from service.engines import load_engine
from service.errors import ModelError, SettingsError, install_command
from service.settings import ModelSettings
from tools.tiny_model import VOCABULARY, tiny_tokenizer, write_files

if TYPE_CHECKING:
    from pathlib import Path


def _settings(name: Path | str, revision: str | None = None) -> ModelSettings:
    return ModelSettings(name=str(name), revision=revision)


def test_folder(tmp_path: Path) -> None:
    """A folder is named by its last part and by the hash of its content."""
    folder = write_files(tmp_path / "tiny")
    checkpoint = resolve(_settings(folder))
    assert checkpoint.name == "tiny"
    assert checkpoint.folder == folder
    assert checkpoint.labels == ("NEGATIVE", "POSITIVE")
    assert not checkpoint.multi_label
    assert checkpoint.tokens_max == 64
    assert checkpoint.first_position == 0


@pytest.mark.skipif(
    not (BUNDLED_FOLDER / "config.json").is_file(), reason="the bundled model is not there"
)
def test_bundled() -> None:
    """The bundled model is the default."""
    checkpoint = resolve(ModelSettings())
    assert checkpoint.name == "bundled"
    assert checkpoint.folder == BUNDLED_FOLDER
    assert checkpoint.revision.startswith("sha256:")
    assert load_tokenizer(checkpoint).encode("good").tokens == ["[CLS]", "good", "[SEP]"]


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "model.safetensors"])
def test_revision_follows_the_content(tmp_path: Path, file: str) -> None:
    """Whatever decides about a score changes the revision; a copy elsewhere has the same."""
    first = resolve(_settings(write_files(tmp_path / "a"))).revision
    other = write_files(tmp_path / "b")
    assert resolve(_settings(other)).revision == first
    (other / file).write_bytes((other / file).read_bytes() + b"\n")
    assert resolve(_settings(other)).revision != first
    assert len(first) == len("sha256:") + 16


def test_revision_ignores_the_card(tmp_path: Path) -> None:
    """What does not decide about a score leaves the revision as it is."""
    folder = write_files(tmp_path)
    first = resolve(_settings(folder)).revision
    (folder / "README.md").write_text("card")
    assert resolve(_settings(folder)).revision == first


def test_revision_of_a_folder_is_refused(tmp_path: Path) -> None:
    """A setting that would do nothing is an error."""
    with pytest.raises(SettingsError, match=r"SENTIMENT_MODEL__REVISION=0123456.*unset"):
        resolve(_settings(write_files(tmp_path), "0123456"))


@pytest.mark.parametrize("name", ["/no/such/folder", "./none", "~nobody-has-this-name/x", "a/b/c"])
def test_missing_folder(name: str) -> None:
    """What looks like a path is not asked of the hub."""
    with pytest.raises(SettingsError, match="there is no such folder"):
        resolve(_settings(name))


def test_unpinned_hub_model() -> None:
    """A model of the hub needs its commit, and the message names the setting."""
    with pytest.raises(SettingsError, match="set SENTIMENT_MODEL__REVISION"):
        resolve(_settings("someone/some-model"))


CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"auto_map": {"AutoModel": "x.Y"}}, "auto_map"),
    ({"architectures": ["DistilBertForMaskedLM"]}, "architecture is DistilBertForMaskedLM"),
    ({"architectures": None}, "architecture is none"),
    ({"id2label": {"0": "ONLY"}}, "two or more labels"),
    ({"id2label": {"0": "A", "2": "B"}}, "counted from 0"),
    ({"id2label": {"0": "A", "1": "A"}}, "once"),
]


@pytest.mark.parametrize(("changes", "message"), CHANGES)
def test_unusable_configuration(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    """A checkpoint that gives no labels, or asks for its own code, is refused in one line."""
    with pytest.raises(ModelError, match=message) as caught:
        resolve(_settings(write_files(tmp_path, **changes)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_broken_configuration(tmp_path: Path, content: bytes) -> None:
    """A configuration that is no JSON object is refused."""
    (write_files(tmp_path) / "config.json").write_bytes(content)
    with pytest.raises(ModelError, match="no JSON object"):
        resolve(_settings(tmp_path))


def test_missing_configuration(tmp_path: Path) -> None:
    """An empty folder is none in Hugging Face layout."""
    with pytest.raises(ModelError, match=r"config\.json: cannot be read"):
        resolve(_settings(tmp_path))


def test_pickled_weights(tmp_path: Path) -> None:
    """Weights that may run code are refused, with the way out."""
    (write_files(tmp_path) / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"pickle files may run code.*convert"):
        resolve(_settings(tmp_path))


@pytest.mark.skipif(os.name != "posix" or os.getuid() == 0, reason="root may read everything")
def test_unreadable_weights(tmp_path: Path) -> None:
    """A file without read permission is named."""
    (write_files(tmp_path) / "model.safetensors").chmod(0)
    with pytest.raises(ModelError, match=r"model\.safetensors: cannot be read"):
        resolve(_settings(tmp_path))


def test_labels_in_order_of_their_index(tmp_path: Path) -> None:
    """`id2label` need not be sorted; ten and two are numbers."""
    names = {str(index): f"L{index}" for index in reversed(range(11))}
    checkpoint = resolve(_settings(write_files(tmp_path, id2label=names)))
    assert checkpoint.labels == tuple(f"L{index}" for index in range(11))


def test_labels_without_names(tmp_path: Path) -> None:
    """Two unnamed labels are not written into the configuration at all."""
    checkpoint = resolve(_settings(write_files(tmp_path, id2label=None, label2id=None)))
    assert checkpoint.labels == ("LABEL_0", "LABEL_1")


def test_multi_label(tmp_path: Path) -> None:
    """The problem type says whether labels exclude each other."""
    folder = write_files(tmp_path, problem_type="multi_label_classification")
    assert resolve(_settings(folder)).multi_label


@pytest.mark.parametrize(
    ("changes", "model_max_length", "expected"),
    [
        ({"max_position_embeddings": 514, "model_type": "roberta", "pad_token_id": 1}, None, 512),
        ({"max_position_embeddings": 130, "model_type": "roberta", "pad_token_id": None}, 128, 128),
        ({"max_position_embeddings": 512}, 128, 128),
        ({"max_position_embeddings": 512}, 10**30, 512),
        ({"max_position_embeddings": 8192}, 8192, 512),
        ({"max_position_embeddings": None, "n_positions": 128}, 512, 128),
        ({"max_position_embeddings": None, "max_seq_len": 128}, 512, 128),
        ({"max_position_embeddings": None}, None, 512),
    ],
)
def test_tokens_max(
    tmp_path: Path, changes: dict[str, Any], model_max_length: int | None, expected: int
) -> None:
    """The least of the model's positions, what the tokenizer states, and what fits a batch."""
    folder = write_files(tmp_path, **changes)
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"model_max_length": model_max_length})
    )
    assert resolve(_settings(folder)).tokens_max == expected


def test_tokenizer_neither_cuts_nor_pads(tmp_path: Path) -> None:
    """Training settings left in the tokenizer's file are switched off."""
    folder = write_files(tmp_path)
    tokenizer = tiny_tokenizer()
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=10)
    tokenizer.save(str(folder / "tokenizer.json"))
    encoding = load_tokenizer(resolve(_settings(folder))).encode("a very very good day")
    assert encoding.tokens == ["[CLS]", "a", "very", "very", "good", "day", "[SEP]"]


def test_broken_tokenizer(tmp_path: Path) -> None:
    """A tokenizer that cannot be read is refused in one line."""
    folder = write_files(tmp_path)
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match="no usable tokenizer"):
        load_tokenizer(resolve(_settings(folder)))


def test_tokenizer_of_another_model(tmp_path: Path) -> None:
    """Tokens that the model has no row for would fail on single texts only, and late."""
    folder = write_files(tmp_path, vocab_size=5)
    with pytest.raises(ModelError, match=f"has {len(VOCABULARY)} tokens, the model 5"):
        load_tokenizer(resolve(_settings(folder)))


@pytest.mark.model
def test_tokenizer_from_a_vocabulary(tmp_path: Path) -> None:
    """The published model has no tokenizer.json, only its vocabulary."""
    pytest.importorskip("transformers", reason="needs sentiment-stream[torch]")
    folder = write_files(tmp_path)
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("\n".join((*VOCABULARY, "[MASK]")) + "\n")
    (folder / "config.json").write_text(
        (folder / "config.json").read_text().replace('"vocab_size": 11', '"vocab_size": 12')
    )
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "DistilBertTokenizer"}')
    encoding = load_tokenizer(resolve(_settings(folder))).encode("A good day")
    assert encoding.tokens == ["[CLS]", "a", "good", "day", "[SEP]"]


def test_without_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine whose package is not installed says how to install it."""
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "service.engines.torch_plain", raising=False)
    settings = ModelSettings(name=str(write_files(tmp_path)), engine="torch_plain")
    with pytest.raises(ModelError) as caught:
        load_engine(settings, resolve(settings))
    message = str(caught.value)
    assert message.startswith("torch is not installed, which this model needs")
    assert message.endswith(install_command("torch"))


def test_importing_the_room_costs_nothing() -> None:
    """Only an engine that is asked for brings torch, transformers or the hub's client."""
    code = (
        "import sys, service.engines\n"
        "heavy = {'torch', 'transformers', 'huggingface_hub', 'onnxruntime'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
