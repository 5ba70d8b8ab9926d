"""Builds Helm, promtool and a Kubernetes control plane with Go, from the module proxy; once.

Exists because a machine with nothing but Go can then hold the chart against the real things. What
is built is kept in the user's cache, one folder a version. May not import the service.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

# An API server takes 5 minutes of two cores, and modules minutes on a bad line.
BUILD_SECONDS = 1800
KUBERNETES = "v1.36.3"


class ToolMissingError(Exception):
    """A tool cannot be had here; the message is one line and says why."""


class Tool(NamedTuple):
    """A program of a Go module."""

    name: str
    module: str
    version: str
    package: str
    flags: tuple[str, ...] = ()


def _kubernetes(name: str) -> Tool:
    major, minor, _ = KUBERNETES.removeprefix("v").split(".")
    about = "k8s.io/component-base/version"
    values = {"gitVersion": KUBERNETES, "gitMajor": major, "gitMinor": minor}
    flags = " ".join(f"-X {about}.{key}={value}" for key, value in values.items())
    module = "k8s.io/kubernetes"
    return Tool(name, module, KUBERNETES, f"{module}/cmd/{name}", ("-ldflags", flags))


HELM = Tool("helm", "helm.sh/helm/v3", "v3.22.0", "helm.sh/helm/v3/cmd/helm")
_PROMETHEUS = "github.com/prometheus/prometheus"
# Without the clients of two dozen clouds, in which it would find what to scrape.
_LEAN = ("-tags", "remove_all_sd")
PROMTOOL = Tool("promtool", _PROMETHEUS, "v0.315.0", f"{_PROMETHEUS}/cmd/promtool", _LEAN)
PROMETHEUS = Tool("prometheus", _PROMETHEUS, "v0.315.0", f"{_PROMETHEUS}/cmd/prometheus", _LEAN)
_SCORE = "github.com/zegl/kube-score"
KUBE_SCORE = Tool("kube-score", _SCORE, "v1.20.0", f"{_SCORE}/cmd/kube-score")
_ETCD = "go.etcd.io/etcd/server/v3"
_KWOK = "sigs.k8s.io/kwok"
CONTROL_PLANE = (
    Tool("etcd", _ETCD, "v3.6.4", _ETCD),
    Tool("kwok", _KWOK, "v0.8.0", f"{_KWOK}/cmd/kwok"),
    _kubernetes("kube-apiserver"),
    _kubernetes("kube-controller-manager"),
    _kubernetes("kube-scheduler"),
)
# Modules of which only files are wanted.
KWOK_STAGES = (_KWOK, "v0.8.0", "kustomize/stage")
KEDA_CRDS = ("github.com/kedacore/keda/v2", "v2.21.0", "config/crd/bases")
PROMETHEUS_CRDS = (
    "github.com/prometheus-operator/prometheus-operator",
    "v0.85.0",
    "example/prometheus-operator-crd",
)


def build(tool: Tool, say: Callable[[str], None]) -> Path:
    """The program, built where it is not yet.

    Raises:
        ToolMissingError: there is no Go, or it cannot build it; holds the end of what it said.
    """
    folder = _cache() / "go-tools"
    program = folder / f"{tool.name}-{tool.version}"
    if program.is_file():
        return program
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="build-", dir=folder) as work:
        # A module of our own: `go install module@version` refuses modules that replace others.
        _go(work, "mod", "init", "example.org/build")
        _go(work, "mod", "edit", f"-require={tool.module}@{tool.version}", *_replaced(work, tool))
        built = Path(work) / "built"
        # Writes into go.mod what the program needs beyond what its module names.
        _go(work, "build", "-mod=mod", "-trimpath", "-o", str(built), *tool.flags, tool.package)
        # Renamed when whole: a build that was cut short is never taken for the program.
        built.rename(program)
    say(f"built {tool.name} {tool.version} in {time.monotonic() - started:.0f} s")
    return program


def files_of(module: str, version: str, folder: str) -> Path:
    """A folder of a module's files.

    Raises:
        ToolMissingError: the module cannot be fetched.
    """
    with tempfile.TemporaryDirectory() as work:
        about = _download(work, module, version)
    found = Path(about["Dir"]) / folder
    if not found.is_dir():
        raise ToolMissingError(f"{module}@{version} has no {folder}")
    return found


def _replaced(work: str, tool: Tool) -> list[str]:
    """What the tool's own go.mod replaces, as only the main module may say it."""
    about = json.loads(
        _go(work, "mod", "edit", "-json", _download(work, tool.module, tool.version)["GoMod"])
    )
    flags = []
    for replace in about.get("Replace") or []:
        old, new = replace["Old"]["Path"], replace["New"]
        # Kubernetes' staging folders are published as modules: 1.36.3 as 0.36.3; those of others
        # under the version that is required.
        if new["Path"].startswith("./staging/"):
            flags.append(f"-replace={old}={old}@v0{tool.version.removeprefix('v1')}")
        elif not new["Path"].startswith("."):
            flags.append(f"-replace={old}={new['Path']}@{new['Version']}")
    return flags


def _download(work: str, module: str, version: str) -> dict[str, Any]:
    about: dict[str, Any] = json.loads(_go(work, "mod", "download", "-json", f"{module}@{version}"))
    return about


def _go(work: str, *arguments: str) -> str:
    program = shutil.which("go")
    if program is None:
        raise ToolMissingError("Go is not installed; it builds Helm and Kubernetes")
    # Another toolchain is never fetched; a workspace of the user's is none of ours.
    environment = os.environ | {"GOTOOLCHAIN": "local", "GOWORK": "off", "CGO_ENABLED": "0"}
    result = subprocess.run(  # noqa: S603 - fixed commands, no shell
        [program, *arguments], cwd=work, env=environment, capture_output=True, text=True,
        check=False, timeout=BUILD_SECONDS,
    )  # fmt: skip
    if result.returncode:
        output = " ".join((result.stderr or result.stdout).split())[-600:]
        raise ToolMissingError(f"go {' '.join(arguments[:2])} failed: {output}")
    return result.stdout


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sentiment-stream"
