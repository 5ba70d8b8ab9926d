"""Figures of a model, against figures computed by hand."""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import numpy as np
import pytest
from rich.console import Console

from service.errors import InputError
from service.lab.data.tabled import Columns
from service.records import ModelInfo
from service.scoring.poles import both
from service.scoring.texts import LoadedModel
from service.settings import Settings
from service.text.encoder import TextEncoder
from tools.table_files import write_table
from tools.tiny_model import CountingEngine, tiny_tokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

pytest.importorskip("sklearn", reason="needs sentiment-stream[evaluate]")

from click.testing import CliRunner

from service.cli import main
from service.lab.measuring.evaluate import evaluate, figures_of, print_table
from service.lab.measuring.plots import write_plots

INFO = ModelInfo("tiny", "sha256:0", "fake", "float32", "cpu", ("NEGATIVE", "POSITIVE"))

# Shares of POSITIVE as the fake engine counts them: 2/3, 1/3, 3/4, 2/3, 1/4.
ROWS = [("good", 1), ("bad", 0), ("good good", 0), ("very good", 1), ("bad bad", 1)]


def _data(tmp_path: Path, rows: list[tuple[str, int]]) -> Path:
    file = tmp_path / "data.tsv"
    file.write_text("sentence\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows))
    return file


def _model() -> LoadedModel:
    return LoadedModel(CountingEngine(INFO), TextEncoder(tiny_tokenizer(), 64))


def _quiet() -> Console:
    return Console(file=io.StringIO(), width=100)


def test_two_labels(tmp_path: Path) -> None:
    """Two of three positive texts are predicted, and one of two negative ones."""
    figures = evaluate(_data(tmp_path, ROWS), Settings(), _quiet(), _model())
    assert figures["confusion_matrix"] == [[1, 1], [1, 2]]
    assert figures["accuracy"] == pytest.approx(3 / 5)
    for name in ("precision", "recall", "f1"):
        assert figures[name] == pytest.approx(2 / 3)
        assert figures[f"{name}_macro"] == pytest.approx((1 / 2 + 2 / 3) / 2)
        assert figures[f"{name}_micro"] == pytest.approx(3 / 5)
        assert figures[f"{name}_weighted"] == pytest.approx((2 * 1 / 2 + 3 * 2 / 3) / 5)
    # Of six pairs, 2/3 > 1/3 twice are in order; those with 3/4 and with 1/4 are not.
    assert figures["auc"] == pytest.approx(2 / 6)
    true_shares = (2 / 3, 2 / 3, 1 / 4, 2 / 3, 1 / 4)
    loss = -sum(math.log(share) for share in true_shares) / 5
    assert figures["loss"] == pytest.approx(loss, abs=1e-6)
    assert figures["examples"] == 5
    assert figures["labels"] == ["NEGATIVE", "POSITIVE"]
    assert figures["model"] == {
        "name": "tiny", "revision": "sha256:0", "engine": "fake", "precision": "float32"
    }  # fmt: skip
    assert figures["seconds"] >= 0


def test_three_labels() -> None:
    """There is no F1 of a single label; the AUC is the mean of each label against the rest."""
    shares = np.array([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.1, 0.6, 0.3], [0.3, 0.3, 0.4]])
    figures = figures_of(np.array([0, 1, 2, 2]), shares)
    assert figures["confusion_matrix"] == [[1, 0, 0], [0, 1, 0], [0, 1, 1]]
    assert figures["accuracy"] == pytest.approx(3 / 4)
    assert "f1" not in figures
    assert figures["precision_macro"] == pytest.approx((1 + 1 / 2 + 1) / 3)
    assert figures["recall_macro"] == pytest.approx((1 + 1 + 1 / 2) / 3)
    # Label 1: 0.5 is above two of three. Label 2: of four pairs three are in order, one is a tie.
    assert figures["auc"] == pytest.approx((1 + 2 / 3 + 3.5 / 4) / 3)


def test_one_label_only(tmp_path: Path) -> None:
    """If a label has no example there is no AUC; the other figures are computed."""
    figures = evaluate(_data(tmp_path, [("good", 1)]), Settings(), _quiet(), _model())
    assert figures["auc"] is None
    assert figures["accuracy"] == 1.0
    assert figures["confusion_matrix"] == [[0, 0], [0, 1]]


def test_label_beyond_the_model(tmp_path: Path) -> None:
    """Data with other labels is refused; the error names the model's."""
    with pytest.raises(InputError, match=r"label 2, but tiny has 2 labels \(NEGATIVE, POSITIVE\)"):
        evaluate(_data(tmp_path, [("good", 1), ("bad", 2)]), Settings(), _quiet(), _model())


def test_no_examples(tmp_path: Path) -> None:
    """A file with only a header is refused."""
    with pytest.raises(InputError, match="has no example"):
        evaluate(_data(tmp_path, []), Settings(), _quiet(), _model())


def test_table(tmp_path: Path) -> None:
    """The table shows every figure, and all of them can be written as JSON."""
    figures = evaluate(_data(tmp_path, ROWS), Settings(), _quiet(), _model())
    console = _quiet()
    print_table(figures, console)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    for text in ("accuracy", "0.60000", "NEGATIVE", "tiny", "5 examples"):
        assert text in shown
    assert json.loads(json.dumps(figures)) == figures


@pytest.mark.parametrize("count", [2, 99, 100])
def test_few_examples_are_a_guess(tmp_path: Path, count: int) -> None:
    """A line says so; two that are right do not make a model that is always right."""
    figures = evaluate(_data(tmp_path, [("good", 1)] * count), Settings(), _quiet(), _model())
    console = _quiet()
    print_table(figures, console)
    assert isinstance(console.file, io.StringIO)
    told = f"measured on {count} examples, so this is a guess; give 100 or more"
    assert (count < 100) == (told in console.file.getvalue())
    low, high = figures["accuracy_interval"]
    assert (low < 0.97, high) == (True, 1.0)


def test_calibration_figures(tmp_path: Path) -> None:
    """Confidence 2/3, 2/3, 3/4, 2/3, 3/4 in two bins, with 3 of 3 and 0 of 2 correct."""
    figures = evaluate(_data(tmp_path, ROWS), Settings(), _quiet(), _model())
    error = (3 * (1 - 2 / 3) + 2 * (3 / 4)) / 5
    assert figures["expected_calibration_error"] == pytest.approx(error)
    assert figures["brier_score"] == pytest.approx((3 * (1 / 3) ** 2 + 2 * (3 / 4) ** 2) / 5)
    low, high = figures["accuracy_interval"]
    assert 0 <= low < 0.6 < high <= 1
    low, high = figures["expected_calibration_error_interval"]
    assert 0 <= low < high <= 1
    assert sum(b["count"] for b in figures["reliability"]) == 5
    assert figures["risk_coverage"][-1] == pytest.approx(
        {"coverage": 1.0, "risk": 0.4, "threshold": 2 / 3}
    )
    assert "target" not in figures


def test_data_in_other_forms_has_poles(tmp_path: Path) -> None:
    """The poles are found by name; else they are the first and the last label."""
    file = tmp_path / "posts.tsv"
    file.write_text("good\t3\ta\nbad\t1\tb\nfilm\t2\tc\n")
    figures = evaluate(file, Settings(), _quiet(), _model(), form="emotions")
    assert [[1, 0], [0, 1]] == figures["confusion_matrix"]
    for labels, order in (("ABC", (0, 1, 2)), (("neutral", "Positive", "NEGATIVE"), (1, 2, 0))):
        info = ModelInfo("three", "r", "fake", "float32", "cpu", tuple(labels))
        model = LoadedModel(ThreeLabels(info, order), TextEncoder(tiny_tokenizer(), 64))
        figures = evaluate(file, Settings(), _quiet(), model, form="emotions")
        assert 1.0 == figures["accuracy"]
        if both(labels) is None:
            counts = np.array(figures["confusion_matrix"])
            assert [1, 0, 1] == [counts[order.index(one), order.index(one)] for one in range(3)]
        else:
            # If the labels name the poles, the likelier pole counts: negative, then positive.
            assert [[1, 0], [0, 1]] == figures["confusion_matrix"]
            assert ["NEGATIVE", "Positive"] == figures["labels"]


class ThreeLabels(CountingEngine):
    """Has an unlikely third label: negative, it and positive are 0, 1 and 2 in `order`."""

    def __init__(self, info: ModelInfo, order: tuple[int, ...]) -> None:
        """Return the logits in this order."""
        super().__init__(info)
        self._order = order

    def logits(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """See `ports.Engine`."""
        negative, positive = super().logits(sequences).T
        found = np.stack([negative, np.full_like(negative, -9), positive], axis=1)
        return found[:, self._order]


# All with a probability of 4/5 are correct, and half of those with 2/3.
TARGET_ROWS = [("good good good", 1), ("bad bad bad", 0), ("good", 1), ("bad", 1)] * 50


def test_plots(tmp_path: Path) -> None:
    """Two SVG files, with the figures of the target."""
    data = _data(tmp_path, TARGET_ROWS)
    figures = evaluate(data, Settings(), _quiet(), _model(), target_accuracy=0.9)
    paths = write_plots(figures, tmp_path / "plots")
    assert ["reliability.svg", "risk-coverage.svg"] == [path.name for path in paths]
    texts = [
        " ".join(element.text or "" for element in ET.parse(path).iterfind(".//{*}text"))  # noqa: S314 - ours
        for path in paths
    ]
    assert f"calibration error {figures['expected_calibration_error']:.3f}" in texts[0]
    assert "50.0 % confident" in texts[1]
    with pytest.raises(InputError, match="cannot be written"):
        write_plots(figures, data)


@pytest.mark.model
def test_the_bundled_model_on_a_target(shared_data: Path, tmp_path: Path) -> None:
    """The command gives figures with intervals, plots and a threshold, as the service scores."""
    done = CliRunner().invoke(
        main,
        ["evaluate", "--data", str(shared_data / "sst2" / "dev.tsv"), "--json",
         "--target-accuracy", "0.95", "--plots", str(tmp_path)],
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["model"]["precision"] == "int8"
    low, high = figures["accuracy_interval"]
    assert low < figures["accuracy"] < high
    assert figures["target"]["accuracy"] >= 0.95
    assert 0.5 < figures["target"]["coverage"] < 1
    assert done.stderr.count("written: ") == 2


@pytest.mark.parametrize("name", ["rows.csv", "pretty.json", "rows.parquet", "rows.jsonl.zst"])
def test_a_table_of_any_form(name: str, tmp_path: Path) -> None:
    """The figures of the published form; neutral rows and others left out are told."""
    expected = evaluate(_data(tmp_path, ROWS), Settings(), _quiet(), _model())
    meaning = {0: "negative", 1: "positive"}
    rows = [{"text": text, "label": meaning[label]} for text, label in ROWS]
    rows += [{"text": "a film", "label": "neutral"}, {"text": " ", "label": "positive"}]
    file = write_table(tmp_path / name, rows)
    console = _quiet()

    figures = evaluate(file, Settings(), console, _model(), form=Columns())

    print_table(figures, console)
    same = ("accuracy", "confusion_matrix", "brier_score", "examples")
    assert {key: expected[key] for key in same} == {key: figures[key] for key in same}
    assert (1, {"no text": 1}) == (figures["left_out"], figures["failed"])
    assert isinstance(console.file, io.StringIO)
    printed = console.file.getvalue()
    assert "1 neutral examples are left out: the model has no such label" in printed
    assert "1 rows cannot be used: no text 1" in printed


def test_evaluate_needs_no_torch(tmp_path: Path) -> None:
    """With the extra `evaluate` alone it is no dead end."""
    file = write_table(
        tmp_path / "a.csv",
        [{"text": "I love it", "label": "positive"}, {"text": "Never again", "label": "negative"}],
    )
    code = """if True:
        import sys

        class Missing:
            def find_spec(self, name, *_):
                if name.partition(".")[0] in ("torch", "transformers"):
                    raise ModuleNotFoundError(name=name)

        sys.meta_path.insert(0, Missing())
        from service.cli import main
        main()
    """
    done = subprocess.run(  # noqa: S603 - the tests' own code
        [sys.executable, "-c", code, "evaluate", "--data", str(file), "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (0, 1.0) == (done.returncode, json.loads(done.stdout)["accuracy"])
