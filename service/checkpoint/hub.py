"""Downloads a model of the Hugging Face hub, at a fixed commit, into its cache.

Exists because the hub's own client retries for half a minute without a network, and can leave an
incomplete snapshot. Knows only the names of a model's files.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from service.errors import ModelError, first_line, install_command

if TYPE_CHECKING:
    from collections.abc import Iterator

# After this time without an answer the hub is not reachable: the service should start within 10 s.
ANSWER_TIMEOUT_S = 5.0

_WANTED = ["*.json", "*.safetensors", "*.txt", "*.model"]
# Subfolders have copies for other runtimes.
_UNWANTED = ["*/*"]


def download(name: str, revision: str) -> Path:
    """The folder of a model at a commit, named after the full commit; no network if it is cached.

    Raises:
        ModelError: the hub or the model cannot be reached.
    """
    with _explained(name, revision):
        return _cached(name, revision) or _fetched(name, revision)


def cached(name: str, revision: str) -> Path | None:
    """As `download`, without the network: None if the model is not in the cache.

    Raises:
        ModelError: the hub's client is not installed, or the cache cannot be read.
    """
    with _explained(name, revision):
        return _cached(name, revision)


@contextmanager
def _explained(name: str, revision: str) -> Iterator[None]:
    """Raise a ModelError for any error of the hub's client."""
    try:
        from huggingface_hub.utils import (  # type: ignore[attr-defined] # noqa: PLC0415
            disable_progress_bars,  # documented, but not in a form that mypy sees; an extra
        )
    except ModuleNotFoundError as error:
        raise ModelError(
            f"{error.name} is not installed, which downloads {name}; " + install_command("torch")
        ) from None
    # Standard error is only for log lines.
    disable_progress_bars()
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # noqa: BLE001 - it raises errors of several HTTP libraries
        raise ModelError(
            f"the model {name} at {revision[:12]} cannot be fetched from the hub "
            f"({first_line(error)}); fetch its folder elsewhere and set SENTIMENT_MODEL__NAME to "
            "it, or use `bundled`"
        ) from None


def _fetched(name: str, revision: str) -> Path:
    from huggingface_hub import HfApi, snapshot_download  # noqa: PLC0415 - an extra

    # First, because this request is not retried without a network.
    commit = HfApi().model_info(name, revision=revision, timeout=ANSWER_TIMEOUT_S).sha or ""
    if not commit.startswith(revision):
        raise ModelError(
            f"SENTIMENT_MODEL__REVISION={revision} is a branch or tag of {name}; "
            f"set it to its commit {commit}"
        )
    return Path(
        snapshot_download(
            name,
            revision=commit,
            allow_patterns=_WANTED,
            ignore_patterns=_UNWANTED,
            etag_timeout=ANSWER_TIMEOUT_S,
        )
    )


def _cached(name: str, revision: str) -> Path | None:
    """The cached snapshot; None if there is none, or its download was interrupted."""
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - an extra
    from huggingface_hub.errors import LocalEntryNotFoundError  # noqa: PLC0415

    try:
        folder = Path(snapshot_download(name, revision=revision, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    weights = {file.name for file in folder.glob("*.safetensors")}
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        weights_needed = set(json.loads(index.read_bytes())["weight_map"].values())
    else:
        weights_needed = {"model.safetensors"}
    tokenizers = ("tokenizer.json", "vocab.txt", "merges.txt", "*.model")
    has_tokenizer = any(any(folder.glob(pattern)) for pattern in tokenizers)
    whole = (folder / "config.json").is_file() and has_tokenizer and weights >= weights_needed
    return folder if whole and folder.name.startswith(revision) else None
