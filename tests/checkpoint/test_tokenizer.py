"""Loading a tokenizer: files that contradict each other, and tokenizers that cannot be read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from service.checkpoint.files import resolve
from service.checkpoint.tokenizer import TokenTypes, load_tokenizer, token_types
from service.errors import ModelError
from service.settings import ModelSettings
from tools.tiny_model import VOCABULARY, tiny_tokenizer, write_files

if TYPE_CHECKING:
    from pathlib import Path

    from service.checkpoint.files import Checkpoint

BOS = {"content": "[CLS]"}


def _checkpoint(folder: Path, tokenizer: Tokenizer, **config: Any) -> Checkpoint:
    """A checkpoint with a tokenizer and the keys of its tokenizer_config.json."""
    write_files(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return resolve(ModelSettings(name=str(folder)))


def _bert(**steps: Any) -> Tokenizer:
    tokenizer = tiny_tokenizer()
    tokenizer.normalizer = normalizers.BertNormalizer(**steps)
    return tokenizer


def _bytes(*, add_prefix_space: bool, alone: bool) -> Tokenizer:
    """A tokenizer whose only known step is that of bytes, alone or in a sequence."""
    step = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space, use_regex=False)
    tokenizer = tiny_tokenizer()
    tokenizer.pre_tokenizer = (
        step if alone else pre_tokenizers.Sequence([pre_tokenizers.Digits(), step])
    )
    return tokenizer


CONTRADICTIONS: list[tuple[Tokenizer, str, bool, dict[str, Any]]] = [
    (_bert(lowercase=False), "do_lower_case", True, {}),
    (_bert(lowercase=True), "do_lower_case", False, {}),
    (_bert(lowercase=True), "strip_accents", False, {}),
    (_bert(lowercase=False), "strip_accents", True, {}),
    (_bert(handle_chinese_chars=True), "tokenize_chinese_chars", False, {}),
    (_bytes(add_prefix_space=False, alone=True), "add_prefix_space", True, {}),
    (_bytes(add_prefix_space=True, alone=False), "add_prefix_space", False, {}),
    (_bert(), "add_bos_token", False, {"bos_token": BOS}),
    (_bert(), "add_eos_token", True, {"eos_token": "[PAD]"}),
]


@pytest.mark.parametrize(("tokenizer", "key", "value", "more"), CONTRADICTIONS)
def test_files_that_contradict_each_other(
    tmp_path: Path, tokenizer: Tokenizer, key: str, value: bool, more: dict[str, Any]
) -> None:
    """The line names the key: transformers follows one file, the tokenizer alone the other."""
    checkpoint = _checkpoint(tmp_path, tokenizer, **{key: value}, **more)
    message = (
        f"tokenizer_config.json has {key}={json.dumps(value)}, and tokenizer.json the opposite"
    )
    with pytest.raises(ModelError, match=message) as caught:
        load_tokenizer(checkpoint)
    assert "\n" not in str(caught.value)
    load_tokenizer(_checkpoint(tmp_path, tokenizer, **{key: not value}, **more))


def test_keys_without_a_value_and_of_other_steps(tmp_path: Path) -> None:
    """A null says nothing, and a tokenizer without such a step has nothing to contradict."""
    keys = dict.fromkeys(("do_lower_case", "strip_accents", "add_bos_token"))
    load_tokenizer(_checkpoint(tmp_path, _bert(lowercase=False), **keys, bos_token=None))
    load_tokenizer(_checkpoint(tmp_path, tiny_tokenizer(), do_lower_case=False))


def test_no_unknown_token(tmp_path: Path) -> None:
    """A tokenizer that raises an error for an unknown word would fail on single texts, and late."""
    tokenizer = Tokenizer(models.Unigram([("a", -1.0), ("\u2581", -1.0)], unk_id=None))
    with pytest.raises(ModelError, match=r"no usable tokenizer \(.*unk_id"):
        load_tokenizer(_checkpoint(tmp_path, tokenizer))


@pytest.mark.model
def test_a_tokenizer_without_a_fast_form(tmp_path: Path) -> None:
    """BERTweet's has no tokenizer.json, and nobody can make one."""
    pytest.importorskip("transformers", reason="needs sentiment-stream[torch]")
    checkpoint = _checkpoint(tmp_path, tiny_tokenizer(), tokenizer_class="BertweetTokenizer")
    (tmp_path / "tokenizer.json").unlink()
    (tmp_path / "vocab.txt").write_text("good 1\nbad 1\n")
    (tmp_path / "bpe.codes").write_text("g o 1\n")
    with pytest.raises(ModelError, match="BertweetTokenizer cannot be saved as") as caught:
        load_tokenizer(checkpoint)
    assert str(caught.value).endswith("; choose a model that has a tokenizer.json")


def _typed() -> Tokenizer:
    """A tokenizer that gives [CLS] token type 2, at the end, as XLNet's does."""
    tokenizer = tiny_tokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A:0 [SEP]:0 [CLS]:2",
        special_tokens=[(token, VOCABULARY[token]) for token in ("[SEP]", "[CLS]")],
    )
    return tokenizer


def test_token_types_that_nobody_states(tmp_path: Path) -> None:
    """Whether the model was trained with them depends on the version of transformers."""
    checkpoint = _checkpoint(tmp_path, _typed())
    with pytest.raises(ModelError, match="as model_input_names, with or without token_type_ids"):
        token_types(checkpoint, load_tokenizer(checkpoint))


def test_token_types_that_are_stated(tmp_path: Path) -> None:
    """They are given where tokenizer_config.json lists them, and where it does not they are not."""
    inputs = ["input_ids", "attention_mask"]
    checkpoint = _checkpoint(tmp_path, _typed(), model_input_names=inputs)
    assert token_types(checkpoint, load_tokenizer(checkpoint)) is None
    inputs.append("token_type_ids")
    checkpoint = _checkpoint(tmp_path, _typed(), model_input_names=inputs)
    types = token_types(checkpoint, load_tokenizer(checkpoint))
    assert types == TokenTypes((), 0, (0, 2))
    assert [0, 0, 0, 2] == types.of(4)
    assert 1 == len(types.of(1))


def test_token_types_of_zero_need_no_statement(tmp_path: Path) -> None:
    """The model has them without being given any."""
    checkpoint = _checkpoint(tmp_path, tiny_tokenizer())
    assert token_types(checkpoint, load_tokenizer(checkpoint)) is None
