"""`run --check-config`: the files that the settings name, one line for each that cannot be used."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from service.checkpoint import hub
from service.checkpoint.files import resolve
from service.cli import main
from service.errors import ExitCode
from service.settings import ModelSettings
from tools.environment import no_settings  # noqa: F401 - a fixture
from tools.tiny_model import write_files

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SASL = {
    "SENTIMENT_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
    "SENTIMENT_KAFKA__SASL_USERNAME": "user",
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Give the folder of a tiny model."""
    return write_files(tmp_path / "model")


def check(**environment: Any) -> Result:
    """Run the command with these variables."""
    words = {name: str(value) for name, value in environment.items()}
    return CliRunner().invoke(main, ["run", "--check-config"], env=words)


def lines(done: Result, code: ExitCode) -> list[str]:
    """The lines of the error without their marks; nothing is on standard output."""
    assert (done.exit_code, done.stdout) == (code, "")
    return [line.removeprefix("error: ") for line in str(done.stderr).splitlines()]


def written(file: Path, content: str) -> Path:
    """A file with this content."""
    file.write_text(content)
    return file


def test_good_files_are_checked_without_loading_weights(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Password, model, tuning and calibration are in order: the settings are printed."""
    checkpoint = resolve(ModelSettings(name=str(model)))
    tuning = {"model": checkpoint.name, "revision": checkpoint.revision, "device": "cpu",
              "engine": "onnx_packed", "precision": "float32", "threads": 1,
              "run_tokens_max": None, "messages_per_s": 1.0, "difference_p99": 0.0}  # fmt: skip
    monkeypatch.setattr("service.engines.load_engine", None)
    done = check(
        **SASL,
        SENTIMENT_KAFKA__SASL_PASSWORD_FILE=written(tmp_path / "password", "secret\n"),
        SENTIMENT_MODEL__NAME=model,
        SENTIMENT_MODEL__TUNING_FILE=written(tmp_path / "tuning.json", json.dumps(tuning)),
        SENTIMENT_MODEL__CALIBRATION_FILE=written(
            tmp_path / "calibration.json", '{"temperature": 1.5}'
        ),
    )
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout)["model"]["name"] == str(model)
    assert "secret" not in done.stdout


@pytest.mark.parametrize(
    ("carry", "include_text", "message"),
    [
        ("auto", "true", ""),
        ("all", "true", ""),
        ("auto", "false", "events carry id, source, lang and created_at"),
        ("all", "false", "which may hold its text again"),
        ("/id", "false", ""),
    ],
)
def test_it_says_what_events_without_text_carry(
    model: Path, carry: str, include_text: str, message: str
) -> None:
    """Beside the settings, in one line; nothing where somebody has named the fields."""
    done = check(
        SENTIMENT_MODEL__NAME=model,
        SENTIMENT_KAFKA__CARRY=carry,
        SENTIMENT_DELIVERY__INCLUDE_TEXT=include_text,
    )
    assert 0 == done.exit_code
    assert carry == json.loads(done.stdout)["kafka"]["carry"]
    assert message in done.stderr
    assert (1 if message else 0) == len(done.stderr.splitlines())


def test_a_warning_is_not_among_the_settings(model: Path, tmp_path: Path) -> None:
    """They are for programs to read; what is logged is a line of standard error."""
    checkpoint = resolve(ModelSettings(name=str(model)))
    tuning = {"model": checkpoint.name, "revision": checkpoint.revision, "device": "cpu",
              "engine": "onnx_packed", "precision": "float32", "threads": 1,
              "run_tokens_max": 512, "messages_per_s": 1, "difference_p99": 0,
              "kernel": "another"}  # fmt: skip
    file = written(tmp_path / "tuning.json", json.dumps(tuning))
    done = check(SENTIMENT_MODEL__NAME=model, SENTIMENT_MODEL__TUNING_FILE=file)
    assert 0 == done.exit_code
    assert str(model) == json.loads(done.stdout)["model"]["name"]
    [line] = done.stderr.splitlines()
    assert line.startswith("[warning  ] the tuning file was measured on another kind of processor")
    assert f"file={file} measured_on=another" in line


def test_a_missing_model_folder() -> None:
    """As `run` ends with it."""
    (line,) = lines(check(SENTIMENT_MODEL__NAME="/no/such/model"), ExitCode.USAGE)
    assert line.startswith("SENTIMENT_MODEL__NAME=/no/such/model: there is no such folder;")


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_folder_without_a_file_of_the_model(model: Path, missing: str) -> None:
    """An error of the model and not of a setting, with the exit code that `run` has then."""
    (model / missing).unlink()
    (line,) = lines(check(SENTIMENT_MODEL__NAME=model), ExitCode.FAILED)
    assert line.startswith(str(model))


def test_each_wrong_file_has_a_line(model: Path, tmp_path: Path) -> None:
    """All at once; a wrong setting decides about the exit code."""
    broken = written(tmp_path / "broken", "{")
    empty = written(tmp_path / "empty", "\n")
    (model / "tokenizer.json").write_text("{}")
    found = lines(
        check(
            **SASL,
            SENTIMENT_KAFKA__SASL_PASSWORD_FILE=empty,
            SENTIMENT_KAFKA__SSL_CA_FILE=empty,
            SENTIMENT_KAFKA__SSL_CERTIFICATE_FILE=broken,
            SENTIMENT_KAFKA__SSL_KEY_FILE=broken,
            SENTIMENT_KAFKA__SCHEMA_REGISTRY_URL="https://registry",
            SENTIMENT_KAFKA__SCHEMA_REGISTRY_CA_FILE=empty,
            SENTIMENT_KAFKA__SCHEMA_REGISTRY_CERTIFICATE_FILE=broken,
            SENTIMENT_KAFKA__SCHEMA_REGISTRY_KEY_FILE=broken,
            SENTIMENT_MODEL__NAME=model,
            SENTIMENT_MODEL__TUNING_FILE=broken,
        ),
        ExitCode.USAGE,
    )
    starts = [line.split(" ")[0] for line in found]
    assert starts == [
        f"SENTIMENT_KAFKA__SSL_CA_FILE={empty}",
        f"SENTIMENT_KAFKA__SSL_CERTIFICATE_FILE={broken}",
        f"SENTIMENT_KAFKA__SASL_PASSWORD_FILE={empty}",
        f"SENTIMENT_KAFKA__SCHEMA_REGISTRY_CA_FILE={empty}",
        f"SENTIMENT_KAFKA__SCHEMA_REGISTRY_CERTIFICATE_FILE={broken}",
        f"SENTIMENT_MODEL__TUNING_FILE={broken}",
        f"{model}:",
    ]
    assert found[2].endswith("is empty; write the password to it")


def test_a_token_that_no_broker_would_take(model: Path, tmp_path: Path) -> None:
    """Here as at a start: one line, which does not hold it, and the exit code of wrong settings."""
    claims = base64.urlsafe_b64encode(json.dumps({"exp": 1}).encode()).decode().rstrip("=")
    expired = written(tmp_path / "token", f"e30.{claims}.c2ln\n")
    (line,) = lines(
        check(
            SENTIMENT_KAFKA__SECURITY_PROTOCOL="SASL_SSL",
            SENTIMENT_KAFKA__SASL_MECHANISM="OAUTHBEARER",
            SENTIMENT_KAFKA__SASL_TOKEN_FILE=expired,
            SENTIMENT_MODEL__NAME=model,
        ),
        ExitCode.USAGE,
    )
    assert line.startswith(
        f"SENTIMENT_KAFKA__SASL_TOKEN_FILE={expired} holds a token that expired "
    )
    assert claims not in line


def test_a_broken_calibration_file(model: Path, tmp_path: Path) -> None:
    """And a file of another model is none of this one."""
    other = written(tmp_path / "other", '{"revision": "sha256:0123456789abcdef"}')
    for file in (written(tmp_path / "broken", "{"), other):
        (line,) = lines(
            check(SENTIMENT_MODEL__NAME=model, SENTIMENT_MODEL__CALIBRATION_FILE=file),
            ExitCode.USAGE,
        )
        assert line.startswith(f"SENTIMENT_MODEL__CALIBRATION_FILE={file} ")


def test_nothing_is_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a hub model that is not cached, name and commit are checked; a cached one as a folder."""
    constants = pytest.importorskip("huggingface_hub.constants", reason="needs the torch extra")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(hub, "_fetched", None)
    named = {"SENTIMENT_MODEL__NAME": "someone/some-model"}
    (line,) = lines(check(**named), ExitCode.USAGE)
    assert "set SENTIMENT_MODEL__REVISION" in line
    assert check(**named, SENTIMENT_MODEL__REVISION=COMMIT).exit_code == 0

    root = tmp_path / "models--someone--some-model"
    (root / "refs").mkdir(parents=True)
    cached = write_files(root / "snapshots" / COMMIT)
    assert check(**named, SENTIMENT_MODEL__REVISION=COMMIT).exit_code == 0
    (cached / "config.json").write_text("[]")
    (line,) = lines(check(**named, SENTIMENT_MODEL__REVISION=COMMIT), ExitCode.FAILED)
    assert line.startswith(str(cached))
