"""The image is built from what git holds, in seconds: no container engine is asked here."""

import tomllib
from pathlib import Path

_ROOT = Path(__file__).parents[1]


def _copied() -> set[str]:
    """Names that the Dockerfile copies from the build context, destinations left out."""
    lines = (_ROOT / "Dockerfile").read_text().splitlines()
    copies = [line.split()[1:-1] for line in lines if line.startswith("COPY ")]
    return {name for names in copies for name in names if not names[0].startswith("--from=")}


def test_docker_sends_all_that_the_dockerfile_copies() -> None:
    """A file that .dockerignore leaves out ends the build."""
    ignore = (_ROOT / ".dockerignore").read_text().splitlines()
    sent = {line.removeprefix("!") for line in ignore if line.startswith("!")}
    assert _copied() <= sent
    assert all((_ROOT / name).exists() for name in sent)


def test_the_dockerfile_copies_every_package_that_is_installed() -> None:
    """A package that the image lacks ends the service at its start."""
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["setuptools"]["packages"]
    assert {name.partition(".")[0] for name in packages} <= _copied()


def test_every_package_is_installed() -> None:
    """An editable installation has all of them; the image has those that pyproject.toml names."""
    named = tomllib.loads((_ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    files = (file.relative_to(_ROOT) for file in _ROOT.glob("service/**/__init__.py"))
    assert {".".join(file.parent.parts) for file in files} <= set(named)
