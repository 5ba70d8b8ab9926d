"""Memory of the service's parts as they are loaded, of this tree and of one before it.

    python tests/bench/memory/by_stage.py                       # this tree
    python tests/bench/memory/by_stage.py --before ../before    # and another, by the same packages

Each case is a process of its own: imports, tokenizer, languages, engine, then 400 tweets and texts
of 512 tokens. There is no Kafka in it; `peak` is what a container's limit must allow beside that.
It asserts nothing, and needs no quiet machine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT)]

from rich.console import Console  # noqa: E402 - after the path

from service.bench.full_size import write_full_size  # noqa: E402 - after the path
from service.terminal import Table  # noqa: E402 - after the path

STAGES = ("imports", "tokenizer", "languages", "engine", "400 tweets", "512 tokens")
TWEETS = ROOT.parent / "shared/data/tweets/vader_tweets.tsv"
# Runs by the tree's own code; prints resident and peak memory in kB after each stage.
CHILD = """
import sys, time
name, precision, tweets = sys.argv[1:]
begun = time.process_time()

def tell():
    status = open("/proc/self/status").read()
    print(*(status.partition(key + ":")[2].split()[0] for key in ("VmRSS", "VmHWM")))

import service.app, service.cli
from service.checkpoint.files import resolve
from service.checkpoint.tokenizer import load_tokenizer
from service.engines import load_engine
from service.settings import ModelSettings
from service.text.encoder import TextEncoder
from service.text.language import Languages
tell()
settings = ModelSettings(name=name, precision=precision, threads=2, device="cpu")
checkpoint = resolve(settings)
encoder = TextEncoder(load_tokenizer(checkpoint), checkpoint.tokens_max)
tell()
languages = Languages(settings.known_languages, settings.other_languages)
tell()
loading = time.process_time()
engine = load_engine(settings, checkpoint)
loading = time.process_time() - loading
tell()
texts = [line.split("\\t")[-1] for line in open(tweets).read().splitlines()[:400]]
sequences = encoder.sequences(texts)
engine.logits(sequences)
tell()
engine.logits([[101] + [2919] * 510 + [102]] * 4)
tell()
scoring = time.process_time()
engine.logits(sequences)
print(loading, time.process_time() - scoring)
"""


def measured(tree: Path, name: str, precision: str, tweets: Path) -> list[list[float]]:
    """Resident and peak memory by stage, then the CPU seconds of loading and of scoring."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", CHILD, name, precision, str(tweets.resolve())],
        capture_output=True,
        text=True,
        check=True,
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree)},
    )
    return [[float(part) for part in line.split()] for line in done.stdout.splitlines()]


def main() -> None:
    """Print a table of all cases."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--before", type=Path, help="another tree of this project")
    parser.add_argument("--tweets", type=Path, default=TWEETS, help="texts, one a line")
    asked = parser.parse_args()
    trees = {"now": ROOT} | ({"before": asked.before.resolve()} if asked.before else {})
    table = Table(
        "resident MB after each stage; CPU seconds", "model", "tree",
        *(f">{stage}" for stage in STAGES), ">peak MB", ">of before", ">load s", ">score s",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        full = str(write_full_size(Path(folder) / "full"))
        for case, name, precision in (
            ("full size, float32", full, "float32"),
            ("full size, int8", full, "int8"),
            ("bundled, default", "bundled", "auto"),
            ("bundled, int8", "bundled", "int8"),
        ):
            found = {t: measured(tree, name, precision, asked.tweets) for t, tree in trees.items()}
            for tree, (*stages, (load_s, score_s)) in found.items():
                peak, old = (s[len(STAGES) - 1][1] for s in (stages, found.get("before", stages)))
                table.add_row(
                    case, tree, *(f"{rss / 1024:.0f}" for rss, _ in stages), f"{peak / 1024:.0f}",
                    f"{peak / old:.2f}", f"{load_s:.2f}", f"{score_s:.2f}",
                )  # fmt: skip
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
