"""Loads a checkpoint's tokenizer, and refuses files that contradict each other.

Exists because transformers reads some keys of tokenizer_config.json, and the `tokenizers` package
reads tokenizer.json alone: where the two files differ, a text would get other tokens than the model
was trained with. No torch here, and transformers only to make a missing tokenizer.json.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from tokenizers import Tokenizer

from service.checkpoint.files import read_json
from service.errors import ModelError, first_line, install_command

if TYPE_CHECKING:
    from pathlib import Path

    from service.checkpoint.files import Checkpoint

# Keys of tokenizer_config.json, each with the step and the key of tokenizer.json that say the same.
_SAME = {
    "do_lower_case": ("BertNormalizer", "lowercase"),
    "strip_accents": ("BertNormalizer", "strip_accents"),
    "tokenize_chinese_chars": ("BertNormalizer", "handle_chinese_chars"),
    "add_prefix_space": ("ByteLevel", "add_prefix_space"),
}


# A word, a symbol, and a code point that is assigned to nothing.
PROBE = "a \u2603 \U0010ffff"


class TokenTypes(NamedTuple):
    """The token types that a text gets: of the special tokens around it, and of its own tokens."""

    before: tuple[int, ...]
    text: int
    after: tuple[int, ...]

    def of(self, tokens: int) -> list[int]:
        """The token types of a sequence of `tokens` tokens, special tokens included."""
        inner = tokens - len(self.before) - len(self.after)
        return [*self.before, *[self.text] * inner, *self.after][:tokens]


def load_tokenizer(checkpoint: Checkpoint) -> Tokenizer:
    """The checkpoint's tokenizer, without truncation or padding.

    Raises:
        ModelError: there is none, tokenizer_config.json contradicts it, or its vocabulary is larger
            than the model's.
    """
    folder = checkpoint.folder
    file = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(file)) if file.is_file() else _converted(folder)
        # Some tokenizers without an unknown token raise an error for what they do not know.
        tokenizer.encode(PROBE)
    except ModuleNotFoundError as error:
        raise ModelError(
            f"{folder}: without a tokenizer.json, {error.name} is needed; "
            + install_command("torch")
        ) from None
    except ModelError:
        raise
    except Exception as error:  # noqa: BLE001 - the tokenizers package raises bare Exception
        raise ModelError(
            f"{folder}: no usable tokenizer ({first_line(error)}); "
            "save the model's tokenizer.json there"
        ) from None
    tokens = tokenizer.get_vocab_size()
    rows = read_json(folder / "config.json").get("vocab_size", tokens)
    if tokens > rows:
        raise ModelError(
            f"{folder}: the tokenizer has {tokens} tokens, the model {rows}; "
            "put the model's own tokenizer there"
        )
    tokenizer.no_truncation()
    tokenizer.no_padding()
    _check_agreement(folder, tokenizer)
    return tokenizer


def token_types(checkpoint: Checkpoint, tokenizer: Tokenizer) -> TokenTypes | None:
    """The token types to give to the model; None if it was trained without any.

    Raises:
        ModelError: the tokenizer has types other than 0, and the folder does not say whether the
            model was trained with them.
    """
    encoding = tokenizer.encode("a")
    special, types = encoding.special_tokens_mask, encoding.type_ids
    inputs = _config(checkpoint.folder).get("model_input_names")
    if inputs is None and any(types):
        raise ModelError(
            f"{checkpoint.folder}: transformers 4 gives the token types of tokenizer.json to the "
            "model, transformers 5 does not; list the inputs that the model was trained with in "
            "tokenizer_config.json, as model_input_names, with or without token_type_ids"
        )
    if "token_type_ids" not in (inputs or ()) or 0 not in special:
        return None
    begin, end = special.index(0), len(special) - special[::-1].index(0)
    return TokenTypes(tuple(types[:begin]), types[begin], tuple(types[end:]))


def _converted(folder: Path) -> Tokenizer:
    from transformers import AutoTokenizer  # noqa: PLC0415 - slow to import, rarely needed

    slow = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    backend = getattr(slow, "backend_tokenizer", None)
    if not isinstance(backend, Tokenizer):
        raise ModelError(
            f"{folder}: {type(slow).__name__} cannot be saved as tokenizer.json, and other "
            "tokenizers are not read; choose a model that has a tokenizer.json"
        )
    return backend


def _check_agreement(folder: Path, tokenizer: Tokenizer) -> None:
    """Compare what both files say, where tokenizer_config.json says anything."""
    config = _config(folder)
    steps = {step["type"]: step for step in _steps(tokenizer)}
    found = {key: steps[kind].get(name) for key, (kind, name) in _SAME.items() if kind in steps}
    if found.get("strip_accents", 0) is None:
        found["strip_accents"] = found["do_lower_case"]
    ids = tokenizer.encode("a").ids
    for key, name, place in (("add_bos_token", "bos_token", 0), ("add_eos_token", "eos_token", -1)):
        token = config.get(name)
        text = token.get("content") if isinstance(token, dict) else token
        if text and ids:
            found[key] = ids[place] == tokenizer.token_to_id(text)
    for key, value in found.items():
        stated = config.get(key)
        if isinstance(stated, bool) and stated != value:
            raise ModelError(
                f"{folder}: tokenizer_config.json has {key}={json.dumps(stated)}, and "
                f"tokenizer.json the opposite; correct the one that the model was not trained with"
            )


def _steps(tokenizer: Tokenizer) -> list[dict[str, Any]]:
    """The normalizers and pre-tokenizers of tokenizer.json, those of a sequence one by one."""
    steps: list[dict[str, Any]] = []
    for component in (tokenizer.normalizer, tokenizer.pre_tokenizer):
        if component is not None:
            state = json.loads(component.__getstate__())
            steps += state.get("normalizers") or state.get("pretokenizers") or [state]
    return steps


def _config(folder: Path) -> dict[str, Any]:
    file = folder / "tokenizer_config.json"
    return read_json(file) if file.is_file() else {}
