"""What goes wrong with a command: one line that says what to do, and an exit code by kind."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner, Result

from service.cli import main
from service.cli.failures import report
from service.errors import (
    BreakerError,
    BrokerError,
    ExitCode,
    InputError,
    ModelError,
    RetriableError,
    SettingsError,
)
from service.kafka.client.connection import check_access

if TYPE_CHECKING:
    from pathlib import Path

    from service.settings import Settings

PROGRAM = [sys.executable, "-m", "service"]


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, prog_name="sentiment-stream")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError("correct it"), 2),
        (InputError("correct it"), 2),
        (BrokerError("correct it"), 1),
        (ModelError("correct it"), 1),
        (BreakerError("correct it"), 3),
        (RetriableError("it is away; correct it"), 1),
    ],
)
def test_errors_that_people_read_become_exit_codes(
    monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    """By their kind; always one line, and nothing on standard output."""

    def failing() -> str:
        raise error

    monkeypatch.setattr("service.reference.settings_page.reference", failing)
    done = _run("reference")
    assert (done.exit_code, done.stdout, done.stderr) == (code, "", f"error: {error}\n")


def test_the_breaker_has_a_code_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """By which Kubernetes tells it from a model or a broker that fails."""

    async def tripped(_: Settings) -> None:
        raise BreakerError("500 of the last 500 records are dead letters; look at the producer")

    monkeypatch.setattr("service.app.run_service", tripped)
    monkeypatch.setattr("service.observe.logs.configure_logging", lambda _: None)
    done = _run("run")
    assert (3, "") == (done.exit_code, done.stdout)
    assert done.stderr.startswith("error: 500 of the last 500 records are dead letters; ")


def test_a_defect_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is for whoever mends it, and no line hides it."""

    def failing() -> str:
        raise ZeroDivisionError

    monkeypatch.setattr("service.reference.settings_page.reference", failing)
    with pytest.raises(ZeroDivisionError):
        CliRunner().invoke(main, ["reference"], catch_exceptions=False)


def test_an_outage_names_the_setting(capsys: pytest.CaptureFixture[str]) -> None:
    """Where its message has no remedy of its own."""
    assert report(RetriableError("nobody there")) is ExitCode.FAILED
    line = capsys.readouterr().err
    assert "nobody there; " in line
    assert "SENTIMENT_KAFKA__BOOTSTRAP_SERVERS" in line


_GET_IT = (
    "cannot be read (No such file or directory); name the folder that holds it with --data; "
    "service/model/README.md says where to get it"
)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "--nosuch"], "error: no such option '--nosuch'"),
        (["nosuch"], "error: no such command 'nosuch' (see sentiment-stream --help)"),
        (["--nosuch"], "error: no such option '--nosuch' (see sentiment-stream --help)"),
        (["score"], "error: give either texts or --input FILE; - is standard input"),
        (["score", "--input", "none.txt"], "error: none.txt: cannot be read (No such file"),
        (["score", "none.csv"], "error: there is no file none.csv; if it is a text: echo none.csv"),
        (["score", "none.pdf"], "error: there is no file none.pdf; if it is a text: echo none.pdf"),
        (["score", "good", "no/a.XLSX"], "error: there is no file no/a.XLSX; if it is a text: ec"),
        (["score", "none.jsonl.gz"], "error: there is no file none.jsonl.gz; if it is a text: ec"),
        (["score", "broken.tsv", "good"], "error: broken.tsv is a file; give it alone: score --in"),
        (["score", "broken.tsv"], "error: broken.tsv:1: is not UTF-8; convert the file to UTF-8"),
        (["score", "broken.tsv", "--output", "a.xlsx"], "error: a.xlsx: its name says no form to"),
        (["score", "broken.tsv", "--resume"], "error: --resume goes on with a file; give --output"),
        (["score", "good", "--output", "a.csv"], "error: --output and --resume are for files; gi"),
        (["score", ".", "--input", "."], "error: .: is a folder; give a file"),
        (
            ["score", "."],
            "error: . is a folder; give a file; if it is a text: echo . | score --inp",
        ),
        (["score", "--input", ""], "error: --input: is empty; give a file, or - for standard inp"),
        (["score", "broken.tsv", "--output", ""], "error: invalid value for '--output': is empty"),
        (["score", "none.tsv", "--output", "there.csv"], "error: there is no file none.tsv; if it"),
        (["score", "--input", "none", "--output", "there.csv"], "error: none: cannot be read (No"),
        (["compare", "a", "a"], "error: these are the same topic; name two"),
        (["evaluate"], "error: give --data FILE, or --behaviour for written sentences"),
        (["evaluate", "--data", ""], "error: invalid value for '--data': is empty; give a path"),
        (["bias", "--data", ""], "error: invalid value for '--data': is empty; give a path"),
        (
            ["bias", "--data", "none"],
            f"error: none/countries-110m.json: {_GET_IT}",
        ),
        (["tune", "--texts", ""], "error: invalid value for '--texts': is empty; give a path"),
        (["evaluate", "--plots", "there.csv"], "error: invalid value for '--plots': there.csv is "),
        (["evaluate", "--plots", "there.csv/p"], "error: invalid value for '--plots': there.csv "),
        (["bias", "--output", "there.csv"], "error: invalid value for '--output': there.csv is a "),
        (["evaluate", "--behaviour", "--plots", "p"], "error: --plots and --target-accuracy need"),
        (["export", "--output", "none/m.onnx"], "error: invalid value for '--output': there is no"),
        (["completion", "tcsh"], "error: invalid value for "),
        (["bench", "--count", "0"], "error: invalid value for '--count': 0 is not in the range"),
        (["health", "--http-port", "0"], "error: SENTIMENT_HTTP__PORT=0 names no port"),
        (["tune", "--texts", "none"], "error: none: cannot be read (No such file or directory)"),
        (["schemas", "--output", os.devnull], f"error: {os.devnull}: "),
        (["evaluate", "--data", "broken.tsv"], "error: broken.tsv:1: is not UTF-8; convert the"),
        (["evaluate", "--data", "x", "--labels", "good=1"], "error: --labels good=1: has good=1; "),
        (
            ["evaluate", "--data", "x", "--format", "glue", "--labels", "negative=0"],
            "error: --format glue says where text and label are; give only one",
        ),
        (
            ["calibrate", "--model", ".", "--data", "x"],
            "error: training.json: is not a file that",
        ),
        (["run", "--log-level", "loud"], "error: SENTIMENT_LOG__LEVEL=loud: set it to"),
        (["replay", "--reason", "x"], "error: invalid value for '--reason': 'x' is not one of"),
        (["replay", "--since", "yesterday"], "error: invalid value for '--since': 'yesterday'"),
    ],
)
def test_wrong_arguments_and_files(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, and 2, before anything heavy is loaded."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.tsv").write_bytes(b"\xff\n")
    (tmp_path / "there.csv").touch()
    done = _run(*arguments)
    (line,) = done.stderr.splitlines()
    assert line.startswith(message)
    assert (done.exit_code, done.stdout) == (ExitCode.USAGE, "")


def test_a_wrong_model_folder(tmp_path: Path) -> None:
    """The model cannot be had: 1, and what to give."""
    done = _run("score", "--model-name", str(tmp_path), "hello")
    assert (done.exit_code, done.stdout) == (ExitCode.FAILED, "")
    assert done.stderr == (
        f"error: {tmp_path}/config.json: cannot be read (No such file or directory); "
        "give a folder in Hugging Face layout\n"
    )


def test_training_from_a_folder_without_a_model(tmp_path: Path) -> None:
    """No hub is asked for it."""
    rows = [f"{f'w{number} ' * 20}end\t{number % 2}" for number in range(600)]
    (tmp_path / "data.tsv").write_text("\n".join(["sentence\tlabel", *rows]))
    arguments = ["--data", str(tmp_path / "data.tsv"), "--output", str(tmp_path / "o")]
    done = _run("train", "--base", str(tmp_path / "none"), *arguments)
    assert done.exit_code == ExitCode.USAGE
    assert done.stderr.startswith(f"error: {tmp_path}/none: no tokenizer; give a checkpoint")


def test_too_little_to_train_on(tmp_path: Path) -> None:
    """Said before anything is loaded."""
    (tmp_path / "data.tsv").write_text("sentence\tlabel\ngood\t1\n")
    arguments = ["--data", str(tmp_path / "data.tsv"), "--output", str(tmp_path / "o")]
    done = _run("train", "--base", str(tmp_path), *arguments)
    assert (done.exit_code, list(tmp_path.glob("o*"))) == (ExitCode.USAGE, [])
    assert done.stderr.startswith(f"error: {tmp_path}/data.tsv: has too few examples")


async def test_no_broker() -> None:
    """A service asks for ever, so that each line of its log must say what may be wrong."""
    with pytest.raises(RetriableError) as caught:
        await check_access({"bootstrap_servers": "127.0.0.1:1"})
    assert str(caught.value).startswith("127.0.0.1:1: Kafka failed (ConnectionRefusedError")
    remedy = "; is a broker there? SENTIMENT_KAFKA__BOOTSTRAP_SERVERS names it"
    assert str(caught.value).endswith(remedy)


def test_a_command_without_a_broker() -> None:
    """One line: what the client itself says about it stays away."""
    done = subprocess.run(  # noqa: S603 - the tests' own words
        [*PROGRAM, "replay", "--kafka-bootstrap-servers", "127.0.0.1:1"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: Kafka failed (")
    assert (done.returncode, done.stdout) == (ExitCode.FAILED, "")


def test_ctrl_c() -> None:
    """130 as of any program, and no traceback."""
    # Begun in the background of a shell, these tests would be deaf to it, and so would their child.
    code = """if True:
        import io, signal, sys
        from service.cli import main
        signal.signal(signal.SIGINT, signal.default_int_handler)

        class Asked(io.RawIOBase):
            def readable(self):
                return True

            def readinto(self, _):
                print("ready", flush=True)
                return sys.__stdin__.buffer.raw.readinto(bytearray(1))

        sys.stdin = io.TextIOWrapper(io.BufferedReader(Asked()))
        main(["score", "--input", "-"], "sentiment-stream")
    """
    with subprocess.Popen(  # noqa: S603 - the tests' own code
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline() == "ready\n"
        running.send_signal(signal.SIGINT)
        assert running.stderr.read() == (
            "error: interrupted; with --output FILE, --resume goes on where it was\n"
        )
    assert running.returncode == ExitCode.INTERRUPTED


def test_ctrl_c_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    """Where a command has kept what it had done."""
    assert report(KeyboardInterrupt(), "train") is ExitCode.INTERRUPTED
    expected = "error: interrupted; the same command goes on where it was\n"
    assert capsys.readouterr().err == expected


def test_a_closed_pipe_is_quiet() -> None:
    """`| head` is no failure to speak of."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(  # noqa: S603 - the tests' own words
        [*PROGRAM, "reference"], stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (ExitCode.PIPE_CLOSED, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a disk that is full")  # noqa: PTH110
def test_a_full_disk() -> None:
    """One line, and 1; nothing more at the end of the process."""
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(  # noqa: S603 - the tests' own words
            [*PROGRAM, "reference"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == ExitCode.FAILED
    assert done.stderr.startswith("error: cannot write (No space left on device); ")
    assert done.stderr.count("\n") == 1


def test_what_nobody_can_foresee_is_not_told() -> None:
    """A socket that fails is for its room to explain, a module of ours that is gone a defect."""
    assert report(OSError(errno.ECONNRESET, "reset")) is None
    assert report(ModuleNotFoundError("x", name="service.gone")) is None
    assert report(click.exceptions.Exit(1)) is None
