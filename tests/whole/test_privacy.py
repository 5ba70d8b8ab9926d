"""Nothing is told to anybody but Kafka, and nothing is kept where nobody asked for it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.model
def test_the_model_runs_without_telemetry(tmp_path: Path) -> None:
    """ONNX Runtime keeps a device id and what it is about to send in the home folder."""
    # In a CI it sends nothing anyway, which would hide what it does elsewhere.
    left_out = {"CI", "GITHUB_ACTIONS", "ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"}
    environment = {k: v for k, v in os.environ.items() if k not in left_out} | {
        "HOME": str(tmp_path)
    }

    subprocess.run(
        [sys.executable, "-m", "service", "score", "fine"],
        env=environment,
        check=True,
        capture_output=True,
        timeout=120,
    )

    assert [] == [p for p in tmp_path.rglob("*") if p.is_file()]
