"""Tests the behaviour of a model: `sentiment-stream evaluate --behaviour`.

Exists to measure how a model reacts to a greeting, a typo or "but it was not", which the accuracy
on a data set does not show. Method: CheckList (Ribeiro et al. 2020, arXiv:2005.04118). Evaluates
and prints; the texts are built in `cases`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rich.text import Text

from service.lab.behaviour.cases import Pair, data_tests, written_tests
from service.lab.data.tabled import read_any
from service.lab.data.truth import truth_of
from service.scoring.poles import negative, neutral, positive
from service.scoring.texts import score_texts
from service.terminal import BAD, GOOD, Table, labelled, percent, printable, track

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rich.console import Console

    from service.lab.behaviour.cases import Behaviour, Known
    from service.lab.data.labelled import Form
    from service.lab.data.tabled import Columns
    from service.scoring.texts import LoadedModel

# A pair fails if its label changes and a probability changes by more than this, as in CheckList: a
# text at the border of two labels may cross it.
SHIFT_MAX = 0.1
EXAMPLES = 3
# A longer example shows its end, which the test is about.
EXAMPLE_CHARACTERS_MAX = 300
_NEUTRAL = "neutral"


class Prediction(NamedTuple):
    """The likeliest label of a text, and the probability of every label."""

    label: str
    scores: dict[str, float]
    confident: bool

    def as_json(self) -> dict[str, Any]:
        """The prediction as a report has it."""
        return {"label": self.label, "score": self.scores[self.label], "sure": self.confident}


class Poles(NamedTuple):
    """The names of a model's labels for the poles and between them; `neutral` None without one."""

    negative: str
    positive: str
    neutral: str | None


def measure(
    model: LoadedModel,
    console: Console,
    data: Path | None = None,
    form: Form | Columns = "glue",
) -> dict[str, Any]:
    """Test a model on written sentences, and on the texts of a file if `data` is given.

    Returns the model, its labels, and the figures of each test by its name: under `behaviour` for
    written sentences, under `behaviour_on_data` for the file. Each has:
        kind, says: the kind of the test and its description.
        cases, failures: how many there are.
        share: failures / cases; None without cases.
        examples: up to three failures.
        note: a remark, if there is one.

    An `invariance` fails if the likeliest label changes, and the probability of a label by more
    than `SHIFT_MAX`. A `complaint` counts as a case if it is negative without the change, and fails
    if it is not negative with it. A `meaning` fails if the likeliest label is not a correct one.
    The poles are found by the names of labels (see `scoring.poles`). A test that needs a neutral
    label has no cases if the model has none.

    Raises:
        InputError: the file cannot be used.
        ModelError: the model has stopped working.
    """
    tests = {"behaviour": written_tests()}
    labels = model.engine.info.labels
    if data is not None:
        tests["behaviour_on_data"] = _tests_of(data, form, labels, model.engine.info.name)
    asked = (text for some in tests.values() for test in some for text in _texts(test))
    predictions = _predict(asked, model, console)
    middle = neutral(labels)
    poles = Poles(
        labels[negative(labels)],
        labels[positive(labels)],
        None if middle is None else labels[middle],
    )
    return {
        "model": model.described(),
        "labels": list(labels),
        **{
            part: {test.name: figures_of(test, predictions, poles) for test in some}
            for part, some in tests.items()
        },
    }


def _tests_of(
    data: Path, form: Form | Columns, labels: Sequence[str], name: str
) -> list[Behaviour]:
    labelled = read_any(data, form)
    examples = [example for example in labelled.examples if example.text.strip()]
    truth = truth_of(data, examples, labelled.form, labels, name)
    blame = negative(labels)
    found = zip(truth.examples, truth.labels, strict=True)
    complaints = [example.text for example, label in found if label == blame]
    return data_tests([example.text for example in examples], complaints)


def _texts(test: Behaviour) -> Iterable[str]:
    for case in test.cases:
        yield case.text
        if isinstance(case, Pair):
            yield case.altered


def _predict(texts: Iterable[str], model: LoadedModel, console: Console) -> dict[str, Prediction]:
    once = list(dict.fromkeys(texts))
    scored = track(score_texts(once, model), "behaviour", len(once), console)
    return {
        # The likeliest label, even if the settings replace it where the model is not confident.
        text: Prediction(max(s.scores, key=s.scores.__getitem__), s.scores, s.confident)
        for text, s in zip(once, scored, strict=True)
    }


def figures_of(test: Behaviour, predictions: dict[str, Prediction], poles: Poles) -> dict[str, Any]:
    """The figures of one test; `predictions` has one for each of its texts."""
    cases = failed = 0
    examples: list[dict[str, Any]] = []
    for case in test.cases:
        if isinstance(case, Pair):
            before, after = predictions[case.text], predictions[case.altered]
            if test.kind == "complaint" and before.label != poles.negative:
                continue
            fails = _changes_label(test.kind, before, after)
            shown = {**_shown(case), "before": before.as_json(), "after": after.as_json()}
        else:
            if case.expected == _NEUTRAL and poles.neutral is None:
                continue
            fails = not _is_right(case, predictions[case.text], poles)
            shown = {**_shown(case), "found": predictions[case.text].as_json()}
        cases += 1
        failed += fails
        if fails and len(examples) < EXAMPLES:
            examples.append(shown)
    figures: dict[str, Any] = {
        "kind": test.kind,
        "says": test.description,
        "cases": cases,
        "failures": failed,
        "share": failed / cases if cases else None,
        "examples": examples,
    }
    note = test.note if cases else _why_empty(test)
    return {**figures, "note": note} if note else figures


def _changes_label(kind: str, before: Prediction, after: Prediction) -> bool:
    changed = before.label != after.label
    if kind == "complaint":
        return changed
    return changed and any(abs(after.scores[n] - p) > SHIFT_MAX for n, p in before.scores.items())


def _is_right(case: Known, found: Prediction, poles: Poles) -> bool:
    pole = {"negative": poles.negative, "positive": poles.positive}
    if case.expected == "no sure pole":
        return not (found.confident and found.label in pole.values())
    if case.expected == _NEUTRAL:
        return found.label == poles.neutral
    unwanted = case.expected.removeprefix("not ")
    return (found.label == pole[unwanted]) is (unwanted == case.expected)


def _shown(case: Pair | Known) -> dict[str, str]:
    return {name: _end(text) for name, text in case._asdict().items()}


def _end(text: str) -> str:
    return text if len(text) <= EXAMPLE_CHARACTERS_MAX else f"...{text[-EXAMPLE_CHARACTERS_MAX:]}"


def _why_empty(test: Behaviour) -> str:
    if test.kind == "complaint":
        return "no complaint is negative as it is"
    if test.cases:
        return "skipped: the model has no neutral label"
    return "no text has anything to change"


def print_tables(figures: dict[str, Any], console: Console) -> None:
    """Print the shares and the examples."""
    name = figures["model"]["name"]
    for part, title in (
        ("behaviour", "written sentences"), ("behaviour_on_data", "texts of the file"),
    ):  # fmt: skip
        if part not in figures:
            continue
        table = Table(f"{name} on {title}: share that fails", "test", "what", "kind", ">cases",
                      ">fail", ">share", "note")  # fmt: skip
        examples = Table(f"{name} on {title}: some that fail", "test", "text", "found", "expected")
        for test, row in figures[part].items():
            share = row["share"]
            cell = "" if share is None else Text(percent(share), BAD if share else GOOD)
            table.add_row(test, row["says"], row["kind"], str(row["cases"]), str(row["failures"]),
                          cell, row.get("note", ""))  # fmt: skip
            for example in row["examples"]:
                examples.add_row(test, *_example_cells(example))
        console.print(table)
        console.print(examples)


def _example_cells(example: dict[str, Any]) -> tuple[str | Text, ...]:
    if "found" in example:
        return printable(example["text"]), _found(example["found"]), example["expected"]
    return printable(example["altered"]), _found(example["after"]), _found(example["before"])


def _found(found: dict[str, Any]) -> Text:
    return Text.assemble(labelled(found["label"]), f" {found['score']:.3f}")
