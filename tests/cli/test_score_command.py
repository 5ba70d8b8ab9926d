"""`score` as a process: files by their names, exit codes, pipes, and a run that is killed."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from service.errors import ExitCode
from tools.table_files import write_table

PROGRAM = [sys.executable, "-m", "service", "score"]
ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def _run(folder: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # noqa: S603 - the tests' own code
        [*PROGRAM, *arguments],
        input=given, capture_output=True, check=False, cwd=folder, env=ENVIRONMENT,
    )  # fmt: skip


def test_a_file_is_no_text(tmp_path: Path) -> None:
    """Its rows are scored, and its header is none; the summary is on standard error."""
    write_table(tmp_path / "reviews.csv", [{"text": "I love it", "n": 1}, {"text": "", "n": 2}])
    done = _run(tmp_path, "reviews.csv")
    assert (ExitCode.DONE, b"1 of 2 rows scored; 1 failed: text_empty 1\n") == (
        done.returncode, done.stderr,
    )  # fmt: skip
    first, second = map(json.loads, done.stdout.splitlines())
    assert (2, "POSITIVE", "1", "en") == (
        first["line"], first["label"], first["n"], first["language"] or "en",
    )  # fmt: skip
    assert {"text": "", "n": "2", "line": 3, "error": "text_empty"} == second

    strict = _run(tmp_path, "reviews.csv", "--strict")
    assert ExitCode.FAILED == strict.returncode


def test_where_all_fail_the_exit_code_is_1(tmp_path: Path) -> None:
    """Of lines, of a table and of arguments."""
    for arguments, given in (
        (("--input", "-"), b"\n \n"),
        (("--input", "-", "--format", "jsonl"), b'{"body": "good"}\n'),
        ((" ",), b""),
    ):
        done = _run(tmp_path, *arguments, given=given)
        assert ExitCode.FAILED == done.returncode
        assert b"Traceback" not in done.stderr
    assert (
        b"no row has text but body: give --text-column"
        in _run(tmp_path, "--input", "-", "--format", "jsonl", given=b'{"body": "good"}\n').stderr
    )


@pytest.mark.parametrize("length", [300, 5000])
def test_a_text_may_be_too_long_for_a_path(length: int, tmp_path: Path) -> None:
    """It is scored as any other."""
    done = _run(tmp_path, "a good day " * (length // 11))
    assert (ExitCode.DONE, b"") == (done.returncode, done.stderr)
    assert "label" in json.loads(done.stdout)


def test_a_word_with_a_dot_is_a_text(tmp_path: Path) -> None:
    """Only the endings of files are no text's, and only of a single word."""
    texts = ("ok.", "hello.World", "...", "I.read.it", "see me.pdf", "node.js", "3.14", "ok.md ok")
    done = _run(tmp_path, *texts)
    assert (ExitCode.DONE, b"") == (done.returncode, done.stderr)
    assert len(texts) == len(done.stdout.splitlines())


def test_a_named_pipe_is_a_file(tmp_path: Path) -> None:
    """As a shell makes one of `<(...)`; its name is no text to score."""
    pipe = tmp_path / "rows"
    os.mkfifo(pipe)
    with subprocess.Popen(  # noqa: S603 - the tests' own code
        [*PROGRAM, str(pipe), "--format", "csv"],
        stdout=subprocess.PIPE, cwd=tmp_path, env=ENVIRONMENT,
    ) as running:  # fmt: skip
        assert running.stdout is not None
        # Opened for both, so that nobody waits for a reader that never comes.
        with os.fdopen(os.open(pipe, os.O_RDWR), "wb", buffering=0) as writing:
            writing.write(b"text\ngood day\n")
            first = json.loads(running.stdout.readline())
    assert ("good day", 2) == (first["text"], first["line"])


def test_a_closed_standard_input_is_told(tmp_path: Path) -> None:
    """In one line, as of any input that cannot be read."""
    line = shlex.join([*PROGRAM, "--input", "-"]) + " <&-"
    done = subprocess.run(  # noqa: S602 - the tests' own code; a shell closes what it should
        line, shell=True, capture_output=True, check=False, cwd=tmp_path, env=ENVIRONMENT
    )
    assert (ExitCode.USAGE, b"error: standard input: is closed; give a file, or pipe one in\n") == (
        done.returncode, done.stderr,
    )  # fmt: skip


def test_the_first_rows_of_a_pipe_come_before_the_next_are_there(tmp_path: Path) -> None:
    """As of a log that is followed."""
    with subprocess.Popen(  # noqa: S603 - the tests' own code
        [*PROGRAM, "--input", "-", "--format", "csv"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path, env=ENVIRONMENT,
    ) as running:  # fmt: skip
        assert running.stdin is not None
        assert running.stdout is not None
        for text in (b"text\ngood day\n", b"bad day\n"):
            running.stdin.write(text)
            running.stdin.flush()
            assert "label" in json.loads(running.stdout.readline())
        running.stdin.close()
        assert b"" == running.stdout.read()
    assert 0 == running.returncode


@pytest.mark.parametrize("output", ["out.jsonl", "out.parquet"])
def test_a_killed_run_is_gone_on_with(output: str, tmp_path: Path) -> None:
    """By the same command with --resume: every row once, in order."""
    rows = [{"text": f"day {n} was good", "n": n} for n in range(3000)]
    source = write_table(tmp_path / "rows.parquet", rows)
    arguments = [str(source), "--output", output, "--resume"]
    file = tmp_path / (f"{output}.partial" if output.endswith("parquet") else output)
    with subprocess.Popen([*PROGRAM, *arguments], cwd=tmp_path, env=ENVIRONMENT) as running:  # noqa: S603
        while not (file.exists() and file.stat().st_size > 20_000):
            assert running.poll() is None
            time.sleep(0.02)
        running.send_signal(signal.SIGKILL)
    assert -signal.SIGKILL == running.returncode

    done = _run(tmp_path, *arguments)

    assert ExitCode.DONE == done.returncode
    assert b" that were there; written: " in done.stderr
    again = _run(tmp_path, output, "--prefix", "again_")
    found = [json.loads(line) for line in again.stdout.splitlines()]
    assert list(range(3000)) == [row["n"] for row in found]
    assert list(range(1, 3001)) == [row["line"] for row in found]
    assert {row["label"] for row in found} == {row["again_label"] for row in found} != {None}
