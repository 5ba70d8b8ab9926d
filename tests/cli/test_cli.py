"""The commands: help with examples, settings checked before anything else, exit codes."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli import SECTIONS, main
from service.errors import EXIT_CODES, ExitCode, install_command
from service.settings import ModelSettings, Settings, each_setting, variable

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own settings, and none left behind."""
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    for name in list(os.environ):
        if name.upper().startswith("SENTIMENT_"):
            monkeypatch.delenv(name)


def _run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, arguments, env=environment, prog_name="sentiment-stream")


@pytest.mark.parametrize("command", ["", *sorted(main.commands)])
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_lists_an_example(command: str, flag: str) -> None:
    """Each on a line of its own, to be copied."""
    done = _run(*command.split(), flag)
    assert (done.exit_code, done.stderr) == (0, "")
    start = f"  sentiment-stream {command}".rstrip()
    assert [line for line in done.stdout.splitlines() if line.startswith(start)] != []
    assert "\\b" not in done.stdout


def _examples() -> list[str]:
    helps = (main, *main.commands.values())
    lines = [line.strip() for one in helps for line in (one.help or "").splitlines()]
    return [line for line in lines if re.match(r"([A-Z_]+=\S+ )?sentiment-stream ", line)]


@pytest.mark.parametrize("example", _examples())
def test_examples_are_true(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is parsed as the shell would hand it over, and nothing in it is unknown."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reviews.txt").touch()  # the one file that parsing itself opens
    _, _, rest = example.partition("sentiment-stream ")
    words = shlex.split(re.split(r" [|<>)] ?| {3,}", rest)[0], comments=True)
    with main.make_context("sentiment-stream", list(words)) as ctx:
        _, command, arguments = main.resolve_command(ctx, words)
        assert command is not None
        with command.make_context(command.name, arguments, parent=ctx):
            pass


def test_help_lists_every_command_whole() -> None:
    """In one section each, and no sentence is cut off."""
    assert sorted(main.commands) == sorted(name for part in SECTIONS.values() for name in part)
    shown = _run("--help").stdout
    assert "..." not in shown.replace("[ARGS]...", "")
    for code, meaning in EXIT_CODES.items():
        assert f"{code:>3}  {meaning}" in shown


def test_run_has_a_flag_for_every_setting() -> None:
    """And says which variable it overrides."""
    shown = "".join(_run("run", "--help").stdout.split())
    for group, name, _ in each_setting():
        assert f"--{group}-{name}".replace("_", "-") in shown
        assert f"[{variable(group, name)}]" in shown
    # The default of a setting may be no text at all.
    assert "Default:." not in shown


def test_check_config_prints_the_settings() -> None:
    """As JSON on standard output; a flag wins over the environment."""
    done = _run("run", "--check-config", "--log-level", "debug", SENTIMENT_LOG__LEVEL="error",
                SENTIMENT_KAFKA__GROUP_ID="mine")  # fmt: skip
    assert (done.exit_code, done.stderr) == (0, "")
    settings = json.loads(done.stdout)
    assert (settings["log"]["level"], settings["kafka"]["group_id"]) == ("debug", "mine")
    assert settings["http"] == json.loads(Settings().http.model_dump_json())


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SENTIMENT_HTTP__PORT", "web", "SENTIMENT_HTTP__PORT=web: set it to a whole number"),
        (
            "SENTIMENT_HTTP_PORT",
            "8080",
            "SENTIMENT_HTTP_PORT is not a setting; did you mean SENTIMENT_HTTP__PORT?",
        ),
        ("SENTIMENT_KAFKA__SASL_USERNAME", "me", "SENTIMENT_KAFKA__SASL_USERNAME or"),
    ],
)
def test_a_wrong_setting_is_one_line_and_exit_code_2(name: str, value: str, message: str) -> None:
    """From the outside, as an operator sees it: no traceback, nothing on standard output."""
    done = subprocess.run(
        [sys.executable, "-m", "service", "run", "--check-config"],
        env={**os.environ, name: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {message}")


def test_each_wrong_setting_has_a_line() -> None:
    """Every line can be found by its first word."""
    done = _run("run", SENTIMENT_HTTP__PORT="web", SENTIMENT_LOG__LEVEL="loud")
    assert (done.exit_code, done.stdout) == (ExitCode.USAGE, "")
    starts = [line.partition("=")[0] for line in done.stderr.splitlines()]
    assert starts == ["error: SENTIMENT_HTTP__PORT", "error: SENTIMENT_LOG__LEVEL"]


@pytest.mark.parametrize(
    ("command", "module", "extra"),
    [
        (("demo",), "confluent_kafka", "demo"),
        (("evaluate", "--data", "dev.tsv"), "sklearn", "evaluate"),
        (("score", "rows.parquet"), "pyarrow", "tables"),
        (("train", "--base", "b", "--data", "d", "--output", "o"), "torch", "lab"),
    ],
)
def test_a_missing_extra_is_named(
    command: tuple[str, ...], module: str, extra: str, tmp_path: Path
) -> None:
    """One line says what to install, from where this was installed, and no traceback."""
    (tmp_path / "rows.parquet").write_bytes(b"PAR1")
    code = f"import sys; sys.modules[{module!r}] = None; from service.cli import main; main()"
    done = subprocess.run(  # noqa: S603 - the tests' own code
        [sys.executable, "-c", code, *command],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    expected = f"error: {module} is not installed; {install_command(extra)}\n"
    assert (ExitCode.FAILED, expected) == (done.returncode, done.stderr)


def test_another_model_has_no_files_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`bias --against` would end with them: each is for one model."""
    (tmp_path / "ours.json").touch()
    asked = []

    def measured(settings: ModelSettings, *_: object) -> dict[str, str]:
        asked.append((settings.name, settings.tuning_file, settings.calibration_file))
        return {}

    monkeypatch.setattr("service.lab.bias.world_map.read_world", lambda _: {})
    monkeypatch.setattr("service.lab.bias.run.measure", measured)
    file = tmp_path / "ours.json"
    done = _run("bias", "--against", "mine", "--json", SENTIMENT_MODEL__TUNING_FILE=str(file),
                SENTIMENT_MODEL__CALIBRATION_FILE=str(file))  # fmt: skip
    assert (0, "") == (done.exit_code, done.stderr)
    assert [("bundled", file, file), ("mine", None, None)] == asked
