"""The figures of `evaluate --behaviour` for models with known faults."""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from service.checkpoint.calibration import Calibration
from service.cli import main
from service.lab.behaviour import cases as behaviour_cases
from service.lab.behaviour.cases import Behaviour, Known, Pair
from service.lab.behaviour.run import Poles, Prediction, figures_of, measure, print_tables
from service.records import ModelInfo
from service.scoring.readings import LogitsReader
from service.scoring.texts import LoadedModel
from service.text.encoder import TextEncoder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from service.lab.behaviour.cases import Kind
    from service.lab.behaviour.meanings import Expected

TWO, THREE = ("NEGATIVE", "POSITIVE"), ("NEGATIVE", "NEUTRAL", "POSITIVE")
POLES = {TWO: Poles("NEGATIVE", "POSITIVE", None), THREE: Poles("NEGATIVE", "POSITIVE", "NEUTRAL")}
# What a word adds to the logit of POSITIVE, which is 1 without any of them.
# The vocabulary has a full stop, because a text without a known token is never confident.
EFFECTS = {"@": -5.0, "hate": -3.0, "warmly": 4.0, "not": -1.5, ".": 0.0}
VOCABULARY = {w: i for i, w in enumerate(("[UNK]", "[CLS]", "[SEP]", *EFFECTS))}


class PlantedEngine:
    """Adds up the effects of words; with three labels, NEUTRAL is the likeliest below 1.5."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        """Have these labels."""
        self.info = ModelInfo("planted", "sha256:0", "fake", "float32", "cpu", labels)

    def logits(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """See `ports.Engine`."""
        effects = [0.0, 0.0, 0.0, *EFFECTS.values()]
        sums = [1 + sum(effects[i] for i in ids) for ids in sequences]
        if len(self.info.labels) == 2:
            return np.array([[0, one] for one in sums], np.float32)
        return np.array([[-one, 1.5, one] for one in sums], np.float32)


def _model(labels: tuple[str, ...] = TWO, reader: LogitsReader | None = None) -> LoadedModel:
    tokenizer = Tokenizer(models.WordLevel(VOCABULARY, unk_token="[UNK]"))  # noqa: S106 - no password
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    return LoadedModel(PlantedEngine(labels), TextEncoder(tokenizer, 64), reader or LogitsReader())


def _quiet() -> Console:
    return Console(file=io.StringIO(), width=300)


@pytest.fixture(autouse=True)
def _few_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(behaviour_cases, "CASES", 30)


@pytest.fixture
def figures() -> dict[str, Any]:
    """Give the figures of the model with two labels."""
    return measure(_model(), _quiet())


def _prediction(
    positive: float, *, neutral: float | None = None, confident: bool = True
) -> Prediction:
    if neutral is None:
        scores = {"NEGATIVE": 1 - positive, "POSITIVE": positive}
    else:
        scores = {"NEGATIVE": 1 - neutral - positive, "NEUTRAL": neutral, "POSITIVE": positive}
    return Prediction(max(scores, key=scores.__getitem__), scores, confident)


@pytest.mark.parametrize(
    ("kind", "before", "after", "counts", "fails"),
    [
        ("invariance", 0.60, 0.40, True, True),
        # A small change across the border of labels, and a large one on one side of it.
        ("invariance", 0.54, 0.46, True, False),
        ("invariance", 0.95, 0.55, True, False),
        ("complaint", 0.10, 0.90, True, True),
        ("complaint", 0.46, 0.54, True, True),
        ("complaint", 0.10, 0.40, True, False),
        # Not a complaint for the model, even without the change.
        ("complaint", 0.90, 0.10, False, False),
    ],
)
def test_pairs(kind: Kind, before: float, after: float, counts: bool, fails: bool) -> None:
    """Both the label and a probability must change; for complaints only the label."""
    test = Behaviour("t", kind, "says", [Pair("one", "other")])
    predictions = {"one": _prediction(before), "other": _prediction(after)}
    found = figures_of(test, predictions, POLES[TWO])
    assert (int(counts), int(fails)) == (found["cases"], found["failures"])
    assert found["share"] == (float(fails) if counts else None)
    assert int(fails) == len(found["examples"])
    assert found.get("note") == (None if counts else "no complaint is negative as it is")


def test_a_change_to_neutral_is_a_failure() -> None:
    """Whichever probability shows it."""
    test = Behaviour("t", "invariance", "says", [Pair("one", "other")])
    predictions = {"one": _prediction(0.5, neutral=0.35), "other": _prediction(0.45, neutral=0.5)}
    assert 1 == figures_of(test, predictions, POLES[THREE])["failures"]


RIGHT: dict[Expected, tuple[str, ...]] = {
    "negative": ("NEGATIVE",),
    "positive": ("POSITIVE",),
    "neutral": ("NEUTRAL",),
    "not negative": ("NEUTRAL", "POSITIVE"),
    "not positive": ("NEGATIVE", "NEUTRAL"),
    "no sure pole": ("NEUTRAL",),
}


@pytest.mark.parametrize("expected", RIGHT)
@pytest.mark.parametrize("labels", [TWO, THREE])
def test_meanings(expected: Expected, labels: tuple[str, ...]) -> None:
    """Whether each label is correct; a pole that is not confident is no sure pole."""
    test = Behaviour("t", "meaning", "says", [Known("text", expected)])
    for label in labels:
        scores = {name: 0.8 if name == label else 0.1 for name in labels}
        for confident in (True, False):
            predictions = {"text": Prediction(label, scores, confident)}
            found = figures_of(test, predictions, POLES[labels])
            if expected == "neutral" and labels == TWO:
                assert (0, None) == (found["cases"], found["share"])
                assert found["note"] == "skipped: the model has no neutral label"
                continue
            unsure = expected == "no sure pole" and not confident
            assert 1 == found["cases"]
            assert (label not in RIGHT[expected] and not unsure) == bool(found["failures"])


def test_known_faults_are_found(figures: dict[str, Any]) -> None:
    """A handle makes other texts negative; one of sixteen formulas makes negative ones positive."""
    found = figures["behaviour"]
    assert ["invariance", "complaint", "meaning"] == list(
        dict.fromkeys(row["kind"] for row in found.values())
    )
    base = [text for _, some in behaviour_cases.base_texts() for text in some]
    turned = sum(not re.search(r"\b(hate|not)\b", text, re.IGNORECASE) for text in base)
    handles = found["handle_added"]
    assert (len(base), turned) == (handles["cases"], handles["failures"])
    assert handles["share"] == pytest.approx(turned / len(base))
    for name in ("address_added", "case_changed", "spaces_changed", "names_swapped"):
        assert 0 == found[name]["failures"] < found[name]["cases"]
    complaints = found["complaint_sign_off_added"]
    hated = _complaints(r"\b(hate|not)\b")
    assert len(hated) == complaints["cases"] > 0
    assert complaints["failures"] == sum("Warmly" in case.altered for case in hated) > 0
    # This model ignores negation.
    assert 0 < found["negated_negative"]["share"] < 1
    assert 0.5 == found["ratings"]["share"]


def _complaints(pattern: str) -> list[Pair]:
    tests = {test.name: test.cases for test in behaviour_cases.written_tests()}
    return [
        case
        for case in tests["complaint_sign_off_added"]
        if isinstance(case, Pair) and re.search(pattern, case.text, re.IGNORECASE)
    ]


def test_examples_are_few_and_short(figures: dict[str, Any]) -> None:
    """Three for each test; a long text shows its end, which the test is about."""
    for row in figures["behaviour"].values():
        assert min(3, row["failures"]) == len(row["examples"])
    for example in figures["behaviour"]["long_praise_then_complaint"]["examples"]:
        assert len(example["text"]) <= 303
        assert example["text"].startswith("...")
    example = figures["behaviour"]["handle_added"]["examples"][0]
    assert {"text", "altered", "before", "after"} == set(example)
    assert {"label": "NEGATIVE", "sure": True} == {
        key: example["after"][key] for key in ("label", "sure")
    }
    assert json.loads(json.dumps(figures)) == figures


def test_three_labels_have_a_neutral_one() -> None:
    """Texts without a known word are neutral: facts and wishes, but also opinions."""
    found = measure(_model(THREE), _quiet())["behaviour"]
    assert (30, 0) == tuple(found["fact_is_neutral"][key] for key in ("cases", "failures"))
    assert 0 == found["fact_not_called"]["failures"]
    # Handles, by the known fault.
    assert 0 < found["bare_not_called"]["failures"]
    assert 0 == found["wish_or_request"]["failures"]
    assert found["plain_opinion"]["share"] > 0.8


def test_the_likeliest_label_counts() -> None:
    """Even if the settings replace it where the model is not confident."""
    plain = measure(_model(), _quiet())["behaviour"]
    reader = LogitsReader(Calibration(thresholds=(0.999, 0.999)), unsure_label="UNSURE")
    unsure = measure(_model(reader=reader), _quiet())["behaviour"]
    for name, row in plain.items():
        assert row["share"] == unsure[name]["share"] or name.endswith("not_called")
    assert plain["fact_not_called"]["share"] > 0.5
    assert 0.0 == unsure["fact_not_called"]["share"]


@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("glue", "sentence\tlabel\nI hate it\t0\nfine\t1\n \t1\nI hate that, Warmly\t1\n"),
        ("emotions", "I hate it\t1\ta\nfine\t3\tb\nso\t2\tc\nI hate that, Warmly\t3\td\n"),
    ],
)
def test_texts_of_a_file(form: Any, content: str, tmp_path: Path) -> None:
    """All are changed, negative ones are complaints; names and meanings need written sentences."""
    (tmp_path / "data.tsv").write_text(content)
    figures = measure(_model(), _quiet(), tmp_path / "data.tsv", form)
    found = figures["behaviour_on_data"]
    assert set(found) < set(figures["behaviour"])
    assert (3, 2) == tuple(found["handle_added"][key] for key in ("cases", "failures"))
    assert 1 == found["complaint_greeting_added"]["cases"]
    assert "negated_positive" not in found


def test_tables(figures: dict[str, Any]) -> None:
    """They have every test with its share, and examples of failures."""
    console = _quiet()
    print_tables(figures, console)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    for name, row in figures["behaviour"].items():
        assert f"{name}\t{row['says']}\t{row['kind']}\t{row['cases']}\t" in shown
        assert all(f"{name}\t" in shown for _ in row["examples"])
    assert "skipped: the model has no neutral label" in shown
    assert "the file" not in shown


@pytest.mark.model
def test_the_command(tmp_path: Path) -> None:
    """The bundled model, on fewer cases; together with the figures of labelled text if given."""
    alone = CliRunner().invoke(main, ["evaluate", "--behaviour", "--json"])
    assert alone.exit_code == 0, alone.stderr
    figures = json.loads(alone.stdout)
    assert figures["model"]["precision"] == "int8"
    assert "accuracy" not in figures
    assert "behaviour_on_data" not in figures
    assert 0 == figures["behaviour"]["plain_opinion"]["failures"]
    (tmp_path / "data.tsv").write_text("sentence\tlabel\nwhat a dreadful film\t0\n")
    arguments = ["evaluate", "--behaviour", "--data", str(tmp_path / "data.tsv")]
    both = CliRunner().invoke(main, [*arguments, "--json"])
    assert figures["behaviour"] == json.loads(both.stdout)["behaviour"]
    assert {"accuracy", "behaviour_on_data"} <= set(json.loads(both.stdout))
    shown = CliRunner().invoke(main, arguments)
    assert shown.exit_code == 0, shown.stderr
    for text in ("accuracy", "on written sentences: share", "on texts of the file: share"):
        assert text in shown.stdout
