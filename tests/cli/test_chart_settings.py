"""The chart's values against the program's settings, its schema and its pages; needs no Helm."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml  # type: ignore[import-untyped] # ships no types

from chart.describe import CHART, OWN, README, SCHEMA, VALUES, camel, comments, readme, schema
from service.observe.metrics import describe
from service.settings import each_setting

if TYPE_CHECKING:
    from pathlib import Path

CI = sorted((CHART / "ci").glob("*.yaml"))
# What the alerts and the dashboard read beside the service's own metrics.
OTHERS = {
    "kube_pod_container_status_last_terminated_exitcode",
    "kube_pod_container_status_restarts_total",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
}


def _values() -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load(VALUES.read_text())
    return values


def _schema() -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(SCHEMA.read_text())
    return whole


@pytest.mark.parametrize(("file", "made"), [(SCHEMA, schema), (README, readme)])
def test_the_files_are_made_from_values_and_program(file: Path, made: Any) -> None:
    """Make them anew with `python tests/chart/describe.py`."""
    assert made(file.read_text()) == file.read_text()


def test_every_setting_of_the_program_can_be_set() -> None:
    """None is missing and none is made up; each leads back to its variable."""
    groups = _schema()["properties"]["settings"]["properties"]
    expected = {(g, n) for g, n, _ in each_setting() if (g, n) not in OWN}
    found = {
        (group, re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower())
        for group, inner in groups.items()
        for name in inner["properties"]
    }
    assert expected == found


def test_settings_in_the_values_have_the_programs_defaults() -> None:
    """So that both say the same; the brokers are a placeholder."""
    defaults = {(g, camel(n)): field.get_default() for g, n, field in each_setting()}
    given = {
        (group, name): value
        for group, inner in _values()["settings"].items()
        for name, value in inner.items()
    }
    assert given.pop(("kafka", "bootstrapServers")) == "kafka.example:9092"
    assert {key: defaults[key] for key in given} == given


@pytest.mark.parametrize("file", [VALUES, *CI], ids=lambda file: file.stem)
def test_values_files_fit_the_schema(file: Path) -> None:
    """Those that come with the chart, and each feature's own."""
    jsonschema.Draft7Validator.check_schema(_schema())
    assert list(jsonschema.Draft7Validator(_schema()).iter_errors(_loaded(file))) == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"replica": 2}, "'replica' was unexpected"),
        ({"replicas": "2"}, "'2' is not of type 'integer'"),
        ({"settings": {"kafka": {"groupID": "g"}}}, "'groupID' was unexpected"),
        ({"settings": {"kafka": {"bootstrapServers": "broker"}}}, "'broker' does not match"),
        ({"settings": {"http": {"port": 80}}}, "80 is less than the minimum of 1024"),
        ({"settings": {"delivery": {"mode": "exactly-once"}}}, "'exactly-once' is not one of"),
        ({"autoscaling": {"mode": "on"}}, "'on' is not one of"),
        ({"secrets": {"sasl": {"password": "secret"}}}, "'password' was unexpected"),
        ({"model": {"path": "../other"}}, "'../other' does not match"),
    ],
)
def test_the_schema_refuses(wrong: dict[str, Any], message: str) -> None:
    """What is misspelt, out of bounds, or a secret where its name belongs."""
    [error] = jsonschema.Draft7Validator(_schema()).iter_errors(wrong)
    assert message in error.message


def test_every_value_is_described_and_nothing_else_is_taken() -> None:
    """A property has a description, and an object of ours refuses names that it does not know."""
    bare = []

    def look(path: str, node: dict[str, Any]) -> None:
        if "description" not in node:
            bare.append(path)
        if node.get("type") == "object" and "properties" in node:
            assert node["additionalProperties"] is False, path
            for name, inner in node["properties"].items():
                look(f"{path}.{name}", inner)

    for name, node in _schema()["properties"].items():
        if name != "resources":
            look(name, node)
    assert bare == []
    assert _schema()["additionalProperties"] is False


def test_each_value_has_a_comment() -> None:
    """The README's table would lack it."""
    described = comments(VALUES.read_text())

    def paths(values: dict[str, Any], at: tuple[str, ...]) -> list[tuple[str, ...]]:
        found = []
        for name, value in values.items():
            path = (*at, name)
            found.append(path)
            if isinstance(value, dict) and any(other[:-1] == path for other in described):
                found += paths(value, path)
        return found

    assert paths(_values(), ()) == list(described)


@pytest.mark.parametrize("file", ["templates/prometheusrule.yaml", "templates/_alerts.tpl",
                                  "files/dashboard.json"])  # fmt: skip
def test_alerts_and_dashboard_ask_for_metrics_that_exist(file: str) -> None:
    """A query for one that does not would be silent for ever."""
    known = {metric.name for metric in describe()} | OTHERS
    histograms = {m.name for m in describe() if m.type == "histogram"}
    known |= {f"{name}_{part}" for name in histograms for part in ("bucket", "sum", "count")}
    text = (CHART / file).read_text()
    asked = set(re.findall(r"\b((?:sentiment|process|kube)_[a-z_]+)(?=[{\[])", text))
    assert asked - known == set()
    assert asked


def test_panels_of_the_dashboard_stand_beside_each_other() -> None:
    """Each has an id and a place of its own; Grafana would push one that lies on another away."""
    panels = json.loads((CHART / "files" / "dashboard.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    covered = [
        (x, y)
        for at in (panel["gridPos"] for panel in panels)
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(set(covered)) == len(covered)
    assert max(x for x, _ in covered) < 24


def test_every_alert_has_a_runbook() -> None:
    """A heading of its name, which its address leads to."""
    rules = (CHART / "templates" / "prometheusrule.yaml").read_text()
    names = re.findall(r"alert: (\w+)", rules)
    assert names
    assert names == re.findall(r"^### (SentimentStream\w+)$", README.read_text(), re.MULTILINE)


def _loaded(file: Path) -> Any:
    return yaml.safe_load(file.read_text()) or {}
