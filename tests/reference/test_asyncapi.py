"""The AsyncAPI document: AsyncAPI's own parser accepts it, and its examples are valid."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from conftest import lacking
from service.records import ModelInfo
from service.reference.asyncapi import asyncapi
from service.settings import KafkaSettings
from service.wire import Encoder
from tools.values import verdict

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "schemas" / "asyncapi.json"
PARSE = ROOT / "tests" / "asyncapi" / "parse.mjs"
PARSER = "@asyncapi/parser@3.6.3"
PACKAGES = ROOT / ".cache" / "asyncapi"
# 170 packages of 55 MB in all: 16 s on a fast connection.
INSTALL_SECONDS = 240
# A hint that AsyncAPI has a newer version, which adds only other brokers.
EXPECTED = {"asyncapi-latest-version"}


@pytest.fixture(scope="module")
def packages() -> Path:
    """The folder of the parser's packages, which are installed once."""
    installed = PACKAGES / "installed"
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        lacking("no node and npm to run AsyncAPI's parser: install Node.js 20 or newer")
    if not installed.is_file() or installed.read_text() != PARSER:
        PACKAGES.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(  # noqa: S603 - fixed arguments
            [npm, "install", "--prefix", str(PACKAGES), "--no-package-lock", "--ignore-scripts",
             "--no-audit", "--no-fund", PARSER],
            capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            lacking(f"npm cannot install {PARSER}: {done.stderr.strip()[-300:]}")
        installed.write_text(PARSER)
    return PACKAGES


def _parsed(document: Path, packages: Path) -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603 - fixed arguments
        [shutil.which("node") or "", str(PARSE), str(document), str(packages)],
        capture_output=True, text=True, timeout=60, check=True, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_asyncapis_own_parser_accepts_it(packages: Path) -> None:
    """Without an error or a warning."""
    found = _parsed(DOCUMENT, packages)
    assert EXPECTED == {d["code"] for d in found["diagnostics"]}, found["diagnostics"]
    kafka = KafkaSettings()
    assert found["operations"] == [
        f"receive {kafka.input_topic}",
        f"send {kafka.output_topic}",
        f"send {kafka.dead_letter_topic}",
    ]


@pytest.mark.parametrize(
    "place",
    [
        ("components", "schemas", "SentimentEvent", "properties", "score", "type"),
        ("components", "messages", "DeadLetter", "bindings", "kafka", "key", "type"),
        ("channels", "events", "messages", "SentimentEvent", "$ref"),
        ("operations", "publishEvents", "action"),
    ],
)
def test_the_parser_rejects_a_wrong_document(
    place: tuple[str | int, ...], packages: Path, tmp_path: Path
) -> None:
    """So that its acceptance means something."""
    document = json.loads(DOCUMENT.read_bytes())
    inner: Any = document
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = "wrong"
    file = tmp_path / "asyncapi.json"
    file.write_text(json.dumps(document))
    assert {d["code"] for d in _parsed(file, packages)["diagnostics"]} > EXPECTED


def test_examples_fit_their_schemas() -> None:
    """Headers and payload of each message, which the parser does not check."""
    document = asyncapi()
    count = 0
    for message in document["components"]["messages"].values():
        for example in message["examples"]:
            for part, value in example.items():
                schema = {**message[part], "components": document["components"]}
                Draft202012Validator(schema).validate(value)
                count += 1
    assert count >= 8


@pytest.mark.parametrize("cloudevents_source", [None, "urn:sentiment-stream:g"])
@pytest.mark.parametrize("write", [None, lambda _: b"\x00"], ids=["json", "registered"])
def test_headers_of_every_event_fit(
    cloudevents_source: str | None, write: Callable[[dict[str, Any]], bytes] | None
) -> None:
    """Also without CloudEvents attributes, and in a registered format, without a content type."""
    model = ModelInfo("m", "r", "e", "float32", "cpu", ())
    encoder = Encoder(
        "o", "d", True, model, "0", cloudevents_source=cloudevents_source, write=write
    )
    headers = {
        name: (value or b"").decode() for name, value in encoder.encode(verdict(), 0.0, 0.0).headers
    }
    document = asyncapi()
    schema = document["components"]["messages"]["SentimentEvent"]["headers"]
    check = Draft202012Validator({**schema, "components": document["components"]})
    check.validate(headers)
    assert not check.is_valid({**headers, "ce_type": "another"})


def test_references_stay_within_the_document() -> None:
    """It can be used without other files."""
    text = json.dumps(asyncapi())
    references = text.count('"$ref": ')
    assert references == text.count('"$ref": "#/')
    assert references > 10
