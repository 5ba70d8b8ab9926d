"""Programs of others to hold ours against: each in an environment of its own, installed once.

Exists because they are large, and of other versions than the service's own packages.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = Path(__file__).resolve().parents[2] / ".cache" / "consumers"
# One command of an installation; a table's library and Spark together have a gigabyte.
INSTALL_SECONDS = 280

on_request = pytest.mark.skipif(
    "CONSUMERS_TEST" not in os.environ, reason="programs of others: make consumers-test"
)


def python_with(name: str, packages: Sequence[str], locked: Path | None = None) -> Path:
    """A Python that has these packages, and before them those of a lock file."""
    folder = FOLDER / name
    program = folder / "bin" / "python"
    installed, wanted = folder / "installed", "\n".join(packages)
    uv = [sys.executable, "-m", "uv"]
    pip = [*uv, "pip", "install", "--quiet", "--python", str(program)]
    commands = [[*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)]]
    if locked is not None:
        wanted += locked.read_text()
        commands.append([*pip, "--require-hashes", "--requirement", str(locked)])
    if not installed.is_file() or installed.read_text() != wanted:
        for command in (*commands, [*pip, *packages]):
            subprocess.run(command, check=True, timeout=INSTALL_SECONDS)  # noqa: S603 - fixed
        installed.write_text(wanted)
    return program
