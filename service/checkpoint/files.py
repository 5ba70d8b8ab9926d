"""Finds and checks a model's files: the bundled model, a local folder, or a model of the hub.

Exists so that every engine gets the same checked checkpoint, pinned to its exact content. No torch
here; no code from a checkpoint is ever executed: no pickle files, no remote code.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.checkpoint.calibration import FILE as CALIBRATION_FILE
from service.checkpoint.calibration import Calibration, FittedIn, read_calibration, read_file
from service.checkpoint.hub import download
from service.errors import ModelError, SettingsError
from service.processor import kernel, this_processor
from service.records import ModelInfo
from service.settings import PUBLISHED_MODEL, PUBLISHED_REVISION

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.records import EngineName, Precision
    from service.settings import ModelSettings

BUNDLED = "bundled"
BUNDLED_FOLDER = Path(__file__).parent.parent / "model"

# Longer inputs are cut into windows (see `text.windows`). Few classifiers were trained on longer
# ones, and BatchSettings.tokens_max allows at least this many.
TOKENS_MAX = 512
# 64 bits. The hash distinguishes a few models of one owner and need not resist an attacker; it is
# short because every event contains it.
REVISION_DIGITS = 16

_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
)
_TOKENIZER_PATTERNS = ("*.model",)
# The names of the number of positions in config.json.
_POSITIONS = ("max_position_embeddings", "n_positions", "max_seq_len")
# In these architectures the position of the first token is pad_token_id + 1, so the position
# embeddings before it are not used. Their pad_token_id is 1 where config.json has none.
_POSITIONS_AFTER_PADDING = frozenset(
    {
        "camembert",
        "data2vec-text",
        "esm",
        "ibert",
        "longformer",
        "luke",
        "mpnet",
        "roberta",
        "roberta-prelayernorm",
        "xlm-roberta",
        "xlm-roberta-xl",
        "xmod",
    }
)
# Architectures whose scores of a text alone would mean nothing, and why.
REFUSED = {
    **dict.fromkeys(
        ("layoutlm", "layoutlmv2", "layoutlmv3", "lilt"), "reads where each word is on a page"
    ),
    **dict.fromkeys(("canine", "perceiver"), "reads characters or bytes and has no tokenizer.json"),
    "markuplm": "reads the markup around each word",
    "mra": "needs code from the hub, which is never run",
    "reformer": "hashes at random, so that a text gets another score each time",
    "roc_bert": "reads the shape and the sound of each character",
    "tapas": "reads tables",
}
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model's folder and its configuration.

    `tokens_max` includes the special tokens. `first_position` is the row of the position embeddings
    that the first token of a text has. `precision` is that of the calibration.
    """

    name: str
    folder: Path
    revision: str
    labels: tuple[str, ...]
    multi_label: bool
    tokens_max: int
    first_position: int
    precision: FittedIn = "float32"

    def info(self, engine: EngineName, precision: Precision, device: str) -> ModelInfo:
        """The description of this model when it runs on this engine, as events carry it."""
        runs_on = kernel(engine, precision, this_processor()) if device == "cpu" else ""
        return ModelInfo(self.name, self.revision, engine, precision, device, self.labels, runs_on)


def resolve(settings: ModelSettings, fetch: Callable[[str, str], Path] = download) -> Checkpoint:
    """Find the files of the model in the settings, download them if needed, and check them.

    `fetch` gives the folder of a hub model by its name and commit.

    Raises:
        SettingsError: there is no such folder, a hub model has no revision, or the calibration file
            cannot be used.
        ModelError: the hub cannot be reached, or the checkpoint cannot be used.
    """
    found = located(settings, fetch)
    return replace(found, precision=load_calibration(settings, found).precision)


def load_calibration(settings: ModelSettings, checkpoint: Checkpoint) -> Calibration:
    """Read the calibration file that the settings name, or else the model's own.

    Raises:
        SettingsError: the calibration file cannot be used, or is for another model.
        ModelError: the model's own file cannot be used.
    """
    if settings.calibration_file is None:
        return read_calibration(checkpoint.folder, len(checkpoint.labels))
    named = f"SENTIMENT_MODEL__CALIBRATION_FILE={settings.calibration_file}"
    remedy = (
        "write one with `sentiment-stream evaluate --data FILE --target-accuracy 0.95 --write "
        "FILE`, or unset it"
    )
    try:
        calibration = read_file(settings.calibration_file, len(checkpoint.labels))
    except ValueError as error:
        raise SettingsError(f"{named} cannot be used ({error}); {remedy}") from None
    if calibration.revision not in ("", checkpoint.revision):
        raise SettingsError(
            f"{named} is for the model at {calibration.revision}, but {checkpoint.name} at "
            f"{checkpoint.revision} runs; {remedy}"
        )
    return calibration


def located(settings: ModelSettings, fetch: Callable[[str, str], Path] = download) -> Checkpoint:
    """As `resolve`, without reading the calibration: for who writes it."""
    name = settings.name
    folder = BUNDLED_FOLDER if name == BUNDLED else _folder(name)
    if folder is not None:
        if settings.revision is not None:
            raise SettingsError(
                f"SENTIMENT_MODEL__REVISION={settings.revision} is for models of the hub, but "
                f"SENTIMENT_MODEL__NAME={name} is not one; unset the revision"
            )
        short = name if name == BUNDLED else folder.resolve().name
        return _checked(short, folder, _content_hash(folder))
    if not _HUB_NAME.fullmatch(name):
        raise SettingsError(
            f"SENTIMENT_MODEL__NAME={name}: there is no such folder; "
            "name one in Hugging Face layout, a model of the hub, or `bundled`"
        )
    snapshot = fetch(name, _pinned(name, settings.revision))
    # The hub's cache names the folder after the full commit.
    return _checked(name, snapshot, snapshot.name)


def _folder(name: str) -> Path | None:
    try:
        folder = Path(name).expanduser()
        return folder if folder.is_dir() else None
    except (OSError, RuntimeError):  # no permission to read it, or ~ cannot be resolved
        return None


def _pinned(name: str, revision: str | None) -> str:
    if revision is not None:
        return revision
    if name.removeprefix("distilbert/") == PUBLISHED_MODEL:
        return PUBLISHED_REVISION
    raise SettingsError(
        f"SENTIMENT_MODEL__NAME={name} is no folder here, and a model of the hub needs its commit, "
        "so that every replica runs the same weights; set SENTIMENT_MODEL__REVISION to it "
        "(7 to 40 hex digits)"
    )


def _checked(name: str, folder: Path, revision: str) -> Checkpoint:
    config = read_json(folder / "config.json")
    if "auto_map" in config:
        raise ModelError(
            f"{folder}: config.json requires the model's own code (auto_map), which is never run; "
            "choose a model whose architecture is part of transformers"
        )
    architectures = config.get("architectures") or ["none"]
    if not all(str(a).endswith("ForSequenceClassification") for a in architectures):
        raise ModelError(
            f"{folder}: the architecture is {architectures[0]}, which does not classify texts; "
            "choose a model for sequence classification"
        )
    if reason := REFUSED.get(str(config.get("model_type"))):
        raise ModelError(
            f"{folder}: the architecture {config['model_type']} {reason}; "
            "choose a model that reads text alone"
        )
    if not any(folder.glob("*.safetensors")):
        pickled = any(folder.glob("*.bin")) or any(folder.glob("*.pt"))
        raise ModelError(
            f"{folder}: no *.safetensors file"
            + (" (pickle files may run code and are not read)" if pickled else "")
            + "; convert the weights with save_pretrained of transformers"
        )
    first_position = _first_position(config)
    return Checkpoint(
        name=name,
        folder=folder,
        revision=revision,
        labels=_labels(folder, config),
        multi_label=config.get("problem_type") == "multi_label_classification",
        tokens_max=_tokens_max(folder, config, first_position),
        first_position=first_position,
    )


def _labels(folder: Path, config: dict[str, Any]) -> tuple[str, ...]:
    # transformers writes neither key for two labels without names.
    named = config.get("id2label") or {
        str(index): f"LABEL_{index}" for index in range(config.get("num_labels") or 2)
    }
    labels = tuple(str(named.get(str(index))) for index in range(len(named)))
    complete = set(named) == {str(index) for index in range(len(named))}
    if not complete or len(set(labels)) < len(labels) or len(labels) < 2:
        raise ModelError(
            f"{folder}: id2label in config.json must name each of two or more labels once, "
            f"counted from 0; it has {sorted(named)[:10]}"
        )
    return labels


def _first_position(config: dict[str, Any]) -> int:
    if config.get("model_type") not in _POSITIONS_AFTER_PADDING:
        return 0
    given = config.get("pad_token_id")
    return (given if isinstance(given, int) else 1) + 1


def _tokens_max(folder: Path, config: dict[str, Any], first_position: int) -> int:
    positions = next((config[name] for name in _POSITIONS if config.get(name)), TOKENS_MAX)
    file = folder / "tokenizer_config.json"
    stated = (read_json(file) if file.is_file() else {}).get("model_max_length") or TOKENS_MAX
    # A tokenizer without a limit has 10**30 here.
    return min(positions - first_position, int(stated), TOKENS_MAX)


def _content_hash(folder: Path) -> str:
    """A revision for a folder, which has no commit: a hash of every file that affects scores."""
    files = [folder / name for name in ("config.json", CALIBRATION_FILE, *_TOKENIZER_FILES)]
    for pattern in (*_TOKENIZER_PATTERNS, "*.safetensors"):
        files += sorted(folder.glob(pattern))
    digest = hashlib.sha256()
    for file in files:
        if file.is_file():
            digest.update(f"{file.name} {_file_hash(file)}\n".encode())
    return f"sha256:{digest.hexdigest()[:REVISION_DIGITS]}"


def _file_hash(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{file}: cannot be read ({error.strerror}); make it readable") from None


def read_json(file: Path) -> dict[str, Any]:
    """The object in a JSON file of a checkpoint.

    Raises:
        ModelError: the file cannot be read, or holds something else.
    """
    try:
        content = json.loads(file.read_bytes())
    except OSError as error:
        raise ModelError(
            f"{file}: cannot be read ({error.strerror}); give a folder in Hugging Face layout"
        ) from None
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise ModelError(f"{file}: is no JSON object; download the model again")
    return content
