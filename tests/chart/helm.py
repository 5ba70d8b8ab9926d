"""Helm as a function: renders and installs the chart. May not import the service."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml  # type: ignore[import-untyped] # ships no types

if TYPE_CHECKING:
    from collections.abc import Mapping

CHART = Path(__file__).resolve().parents[2] / "helm" / "sentiment-stream"
CI = tuple(sorted((CHART / "ci").glob("*-values.yaml")))
RELEASE = "scores"
FULLNAME = "scores-sentiment-stream"
HELM_SECONDS = 180
# What charts are rendered for where no cluster is asked.
KUBERNETES = "1.36.3"
FOR_KUBERNETES = ("--kube-version", KUBERNETES)


class Result(NamedTuple):
    """What Helm said, and whether it succeeded."""

    ok: bool
    out: str
    error: str


class Helm:
    """Helm, on a cluster or on none, with folders of its own."""

    def __init__(self, program: Path, folder: Path, kubeconfig: Path | None = None) -> None:
        """Read nothing of the user's own Helm."""
        self._program = program
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "HELM_CACHE_HOME": str(folder / "cache"),
            "HELM_CONFIG_HOME": str(folder / "config"),
            "HELM_DATA_HOME": str(folder / "data"),
        }
        if kubeconfig is not None:
            self._environment["KUBECONFIG"] = str(kubeconfig)
        self._folder = folder

    def run(self, *arguments: str) -> Result:
        """Run it; a refusal is a result."""
        done = subprocess.run(  # noqa: S603 - fixed commands, no shell
            [str(self._program), *arguments], env=self._environment, capture_output=True,
            text=True, check=False, timeout=HELM_SECONDS,
        )  # fmt: skip
        return Result(done.returncode == 0, done.stdout, done.stderr)

    def do(self, *arguments: str) -> str:
        """Run it; a refusal is a failed proof."""
        result = self.run(*arguments)
        assert result.ok, f"helm {' '.join(arguments)}: {result.error or result.out}"
        return result.out

    def values(self, name: str, values: Mapping[str, Any]) -> str:
        """Write values into a file; gives its path."""
        file = self._folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump(dict(values)))
        return str(file)

    def render(self, *files: str | Path, kubernetes: str = KUBERNETES) -> Result:
        """Render the chart with these files of values."""
        flags = [f"--values={file}" for file in files]
        return self.run("template", RELEASE, str(CHART), "--namespace", RELEASE,
                        "--kube-version", kubernetes, *flags)  # fmt: skip

    def objects(self, *files: str | Path) -> list[dict[str, Any]]:
        """The rendered objects; a refusal is a failed proof."""
        result = self.render(*files)
        assert result.ok, result.error
        return [document for document in yaml.safe_load_all(result.out) if document]


def one(objects: list[dict[str, Any]], kind: str, name: str = FULLNAME) -> dict[str, Any]:
    """The object of this kind and name."""
    found = [o for o in objects if o["kind"] == kind and o["metadata"]["name"] == name]
    assert len(found) == 1, f"{len(found)} of {kind}/{name}"
    return found[0]
