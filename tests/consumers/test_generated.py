"""Code that others' generators make of the schemas compiles, and reads events old, new and newer.

The generators are npm's and Python's own, so this runs with `make consumers-test` alone: they are
installed in `.cache/consumers` once (300 MB, a minute).
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conftest import lacking
from tools.others import FOLDER, on_request, python_with

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = on_request

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS, HERE = ROOT / "schemas", Path(__file__).parent
NPM = (
    *("@asyncapi/modelina@5.10.1", "json-schema-to-typescript@16.0.0", "quicktype-core@26.0.0"),
    "typescript@5.9.3",
)
PIP = "datamodel-code-generator==0.89.0"

[EVENT] = json.loads((SCHEMAS / "sentiment-event.schema.json").read_bytes())["examples"]
OLD = [
    json.loads((ROOT / "tests" / "reference" / "events" / f"{version}.json").read_bytes())
    for version in ("1.0", "1.1")
]
NOT_SCORED = EVENT | {"text": None, "label": None, "score": None, "confident": None, "scores": {}}
ODD = EVENT | {"source_id": 2**53 - 1, "source": {"a": [1]}, "metadata": [True], "extra": {"a": 1}}
# Of a version that does not exist yet.
NEWER = EVENT | {
    "new": {"a": 1}, "label": "MIXED", "schema_version": "1.3",
    "model": EVENT["model"] | {"new": 1}, "origin": EVENT["origin"] | {"new": None},
}  # fmt: skip
EVENTS = [*OLD, EVENT, NOT_SCORED, ODD, NEWER]

# A literal of a known version has to have the generated type, so that each field is checked.
READER = """
import type {{ SentimentEvent as Json2ts }} from "./json2ts";
import {{ SentimentEvent as Modelina }} from "./modelina";
import {{ Convert, type SentimentEvent as Quicktype }} from "./quicktype";

const json2ts: Json2ts[] = {all};
const known: Quicktype[] = {known};
const texts: string[] = json2ts.map((event) => JSON.stringify(event));
const quicktype: Quicktype[] = texts.map((text) => Convert.toSentimentEvent(text));
const modelina: Modelina[] = texts.map((text) => Modelina.unmarshal(text));
const labels = modelina.map((event: Modelina) => event.label);
const written = quicktype.map((event) => JSON.parse(Convert.sentimentEventToJson(event)));
declare const console: {{ log(text: string): void }};
console.log(JSON.stringify([labels, written, known.length]));
"""


def _run(command: Sequence[str | Path], seconds: int, **more: Any) -> str:
    done = subprocess.run(  # noqa: S603 - fixed arguments
        [str(part) for part in command],
        capture_output=True, text=True, timeout=seconds, check=False, **more,
    )  # fmt: skip
    assert 0 == done.returncode, f"{command[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return str(done.stdout)


@pytest.fixture(scope="module")
def packages() -> Path:
    """The folder of the generators, which are installed once."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        lacking("no node and npm to run generators: install Node.js 20 or newer")
    installed, wanted = FOLDER / "installed", " ".join(NPM)
    if not installed.is_file() or installed.read_text() != wanted:
        FOLDER.mkdir(parents=True, exist_ok=True)
        _run([npm, "install", "--prefix", FOLDER, "--no-package-lock", "--ignore-scripts",
              "--no-audit", "--no-fund", *NPM], 290)  # fmt: skip
        installed.write_text(wanted)
    python_with("python", [PIP])
    return FOLDER


def test_typescript(packages: Path, tmp_path: Path) -> None:
    """Types of json-schema-to-typescript fit events, and readers of the other two read them."""
    node = shutil.which("node") or ""
    names = json.loads(
        _run([node, HERE / "generate.mjs", SCHEMAS, tmp_path, packages], 200).splitlines()[-1]
    )
    assert "SentimentEvent" in names
    assert [] == [name for name in names if name.startswith("Anonymous")]
    reader = READER.format(
        all=json.dumps(EVENTS),
        known=json.dumps(EVENTS[:-1]),
    )
    (tmp_path / "reader.ts").write_text(reader)
    _run([node, packages / "node_modules/typescript/bin/tsc", "--strict", "--target", "es2022",
          "--lib", "es2022", "--module", "commonjs", "reader.ts"],
         200, cwd=tmp_path)  # fmt: skip
    labels, written, _ = json.loads(_run([node, tmp_path / "reader.js"], 60))
    assert [event["label"] for event in EVENTS] == labels
    assert EVENTS == written


def test_python(packages: Path, tmp_path: Path) -> None:
    """Classes of datamodel-code-generator take events, and give them back unchanged."""
    generated = tmp_path / "generated_event.py"
    _run([packages / "python/bin/datamodel-codegen", "--input",
          SCHEMAS / "sentiment-event.schema.json", "--input-file-type", "jsonschema",
          "--output-model-type", "pydantic_v2.BaseModel", "--output", generated], 100)  # fmt: skip
    spec = importlib.util.spec_from_file_location("generated_event", generated)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["generated_event"] = module
    try:
        spec.loader.exec_module(module)
        for event in EVENTS:
            read = module.SentimentEvent.model_validate_json(json.dumps(event))
            assert event == read.model_dump(mode="json", exclude_unset=True)
    finally:
        del sys.modules["generated_event"]
