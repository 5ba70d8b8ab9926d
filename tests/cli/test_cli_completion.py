"""The shell completes commands, flags, and what a flag may be."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from service.cli import main
from service.cli.completion import PROGRAM, VARIABLE

if TYPE_CHECKING:
    from pathlib import Path


def _completed(line: str) -> list[str]:
    words = line.split(" ")
    environment = {
        VARIABLE: "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1),
    }  # fmt: skip
    done = CliRunner().invoke(main, [], env=environment, prog_name=PROGRAM)
    return [word.partition(",")[2] for word in done.stdout.splitlines() if word]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("sentiment-stream ev", ["evaluate"]),
        ("sentiment-stream score --engine onnx", ["onnx_packed"]),
        ("sentiment-stream run --delivery-include-text ", ["true", "false"]),
        ("sentiment-stream run --http-port ", []),
        ("sentiment-stream evaluate --format ra", ["ratings", "ratings-odd"]),
        ("sentiment-stream replay --reason to", ["too_deep", "tombstone", "too_many_elements"]),
        ("sentiment-stream completion ", ["bash", "zsh", "fish"]),
        ("sentiment-stream feed sl", ["slack"]),
    ],
)
def test_words(line: str, expected: list[str]) -> None:
    """What the script of the shell is answered."""
    assert expected == _completed(line)


def test_flags() -> None:
    """Of settings too."""
    assert "--kafka-input-topic" in _completed("sentiment-stream run --kafka-in")


def test_a_file_is_completed_by_the_shell() -> None:
    """Only it knows what lies there."""
    environment = {
        VARIABLE: "bash_complete",
        "COMP_WORDS": "sentiment-stream score --model-tuning-file tun",
        "COMP_CWORD": "3",
    }
    done = CliRunner().invoke(main, [], env=environment, prog_name=PROGRAM)
    assert done.stdout == "file,tun\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one(shell: str, tmp_path: Path) -> None:
    """It asks this program by the name that it looks for, and its shell can read it."""
    done = CliRunner().invoke(main, ["completion", shell], prog_name=PROGRAM)
    assert (0, "") == (done.exit_code, done.stderr)
    assert f"{VARIABLE}={shell}_complete" in done.stdout.replace("env ", "")
    found = shutil.which(shell)
    if found is not None:
        script = tmp_path / "script"
        script.write_text(done.stdout)
        subprocess.run([found, "-n", script], check=True)  # noqa: S603 - a shell that is here
