"""The commands: help with examples, settings checked before anything else, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner, Result

from service.cli import EXIT_FAILED, EXIT_SETTINGS, main
from service.errors import BrokerError, InputError, SettingsError
from service.settings import Settings, each_setting, variable


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


def test_run_has_a_flag_for_every_setting() -> None:
    """And says which variable it overrides."""
    shown = "".join(_run("run", "--help").stdout.split())
    for group, name, _ in each_setting():
        assert f"--{group}-{name}".replace("_", "-") in shown
        assert f"[{variable(group, name)}]" in shown


def test_check_config_prints_the_settings() -> None:
    """As JSON on standard output; a flag wins over the environment."""
    done = _run("run", "--check-config", "--log-level", "debug", SENTIMENT_LOG__LEVEL="error",
                SENTIMENT_KAFKA__GROUP_ID="mine")  # fmt: skip
    assert (done.exit_code, done.stderr) == (0, "")
    settings = json.loads(done.stdout)
    assert (settings["log"]["level"], settings["kafka"]["group_id"]) == ("debug", "mine")
    assert settings["http"] == json.loads(Settings().http.model_dump_json())


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SENTIMENT_HTTP__PORT", "web", "SENTIMENT_HTTP__PORT=web: set it to a whole number"),
        ("SENTIMENT_HTTP_PORT", "8080", "SENTIMENT_HTTP_PORT is no setting; correct or unset it"),
        ("SENTIMENT_KAFKA__SASL_USERNAME", "me", "SENTIMENT_KAFKA__SASL_USERNAME or"),
    ],
)
def test_a_wrong_setting_is_one_line_and_exit_code_2(name: str, value: str, told: str) -> None:
    """From the outside, as an operator sees it: no traceback, nothing on standard output."""
    done = subprocess.run(
        [sys.executable, "-m", "service", "run", "--check-config"],
        env={**os.environ, name: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (EXIT_SETTINGS, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {told}")


def test_each_wrong_setting_has_a_line() -> None:
    """Every line can be found by its first word."""
    done = _run("run", SENTIMENT_HTTP__PORT="web", SENTIMENT_LOG__LEVEL="loud")
    assert (done.exit_code, done.stdout) == (EXIT_SETTINGS, "")
    starts = [line.partition("=")[0] for line in done.stderr.splitlines()]
    assert starts == ["error: SENTIMENT_HTTP__PORT", "error: SENTIMENT_LOG__LEVEL"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError("correct it"), EXIT_SETTINGS),
        (InputError("correct it"), EXIT_SETTINGS),
        (BrokerError("correct it"), EXIT_FAILED),
    ],
)
def test_errors_that_people_read_become_exit_codes(
    monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    """2 for what whoever called it can correct, 1 for all else; always one line."""

    def failing() -> str:
        raise error

    monkeypatch.setattr("service.reference.reference", failing)
    done = _run("reference")
    assert (done.exit_code, done.stdout, done.stderr) == (code, "", "error: correct it\n")


@pytest.mark.parametrize(
    ("command", "module", "extra"),
    [
        (("demo",), "confluent_kafka", "demo"),
        (("evaluate", "--data", "dev.tsv"), "sklearn", "lab"),
        (("train", "--base", "b", "--data", "d", "--output", "o"), "torch", "lab"),
    ],
)
def test_a_missing_extra_is_named(command: tuple[str, ...], module: str, extra: str) -> None:
    """One line says what to install, and no traceback."""
    code = f"import sys; sys.modules[{module!r}] = None; from service.cli import main; main()"
    done = subprocess.run(  # noqa: S603 - the tests' own code
        [sys.executable, "-c", code, *command], capture_output=True, text=True, check=False
    )
    expected = f"error: {module} is not installed; pip install 'sentiment-stream[{extra}]'\n"
    assert (EXIT_FAILED, expected) == (done.returncode, done.stderr)
