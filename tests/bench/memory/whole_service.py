"""Memory of a whole service on Kafka, exactly once: of this tree, and of one before it.

    python tests/bench/memory/whole_service.py                      # this tree
    python tests/bench/memory/whole_service.py --before ../before   # and another one, same packages

Each case is a `sentiment-stream run` of its own on one broker of the machine's own: 4 partitions of
tweets as a backlog, then texts of 512 tokens. `peak` (VmHWM) is what a container's limit must allow
for such a load, `at rest` (VmRSS) what stays. It asserts nothing, and needs no quiet machine.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from rich.console import Console  # noqa: E402 - after the path

from bench.delivery_runs import Variant, ready_service  # noqa: E402 - after the path
from service.bench.full_size import write_full_size  # noqa: E402 - after the path
from service.terminal import Table  # noqa: E402 - after the path
from tools.kafka.broker import start_broker  # noqa: E402 - after the path
from tools.kafka.streams import tweets  # noqa: E402 - after the path

if TYPE_CHECKING:
    from collections.abc import Sequence

PARTITIONS = 4
# Each cut by the service to 512 tokens, as many as two threads have at a time and more.
LONG = [f"{number} " + "good food, slow service and a long way home; " * 60 for number in range(16)]
REST_S = 5.0
CASES = {
    "full size, float32": ("full", "float32"),
    "full size, int8": ("full", "int8"),
    "bundled, float32": ("bundled", "float32"),
}


class Memory(NamedTuple):
    """MB of a service: as it is ready, at its peak of short and of all texts, and at rest."""

    ready: float
    peak_short: float
    peak: float
    rest: float


def measured(brokers: str, variant: Variant, texts: Sequence[str]) -> Memory:
    """One service, from its start to a rest."""
    with ready_service(brokers, variant, PARTITIONS, texts) as service:

        def held(key: str) -> float:
            status = Path(f"/proc/{service.child.process.pid}/status").read_text()
            return int(status.partition(f"{key}:")[2].split()[0]) / 1000

        ready = held("VmRSS")
        service.put(texts)
        peak_short = held("VmHWM")
        service.put(LONG)
        time.sleep(REST_S)
        return Memory(ready, peak_short, held("VmHWM"), held("VmRSS"))


def main() -> None:
    """Print a line as each case ends, and a table of all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--before", type=Path, help="another tree of this project")
    parser.add_argument("--messages", type=int, default=2000, help="tweets for each service")
    asked = parser.parse_args()
    trees = {"now": ROOT} | ({"before": asked.before.resolve()} if asked.before else {})
    some = tweets(ROOT.parent / "shared/data")
    texts = [some[at % len(some)] for at in range(asked.messages)]
    console = Console(width=120)
    table = Table(
        f"MB of a service, {asked.messages} tweets and {len(LONG)} texts of 512 tokens", "model",
        "tree", ">ready", ">peak, tweets", ">peak, all", ">at rest", ">peak of before",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, start_broker(allow_mock=False) as broker:
        models = {"full": str(write_full_size(Path(folder) / "full")), "bundled": "bundled"}
        for case, (name, precision) in CASES.items():
            model = {"name": models[name], "precision": precision, "device": "cpu", "threads": "2"}
            found = {}
            for tree, path in trees.items():
                variant = Variant(tree, path, model=model)
                found[tree] = measured(broker.bootstrap_servers, variant, texts)
                console.print(f"{case}, {tree}: {found[tree]}")
            for tree, memory in found.items():
                ratio = memory.peak / found.get("before", memory).peak
                table.add_row(case, tree, *(f"{mb:.0f}" for mb in memory), f"{ratio:.2f}")
    console.print(table)


if __name__ == "__main__":
    main()
