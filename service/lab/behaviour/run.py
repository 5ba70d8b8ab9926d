"""Whether a model is steady, and understands: `sentiment-stream evaluate --behaviour`.

Exists so that a model is judged by what it makes of a greeting, a typo or "but it was not", which
accuracy on a set does not show. Method: CheckList (Ribeiro et al. 2020, arXiv:2005.04118). Judging
and showing alone; which texts are asked about is in `behaviour_cases`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rich.text import Text

from service.lab.behaviour.cases import Pair, data_tests, written_tests
from service.lab.data.labelled import read_labelled
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
    from service.scoring.texts import LoadedModel

# A pair fails where its label changes and a probability moves by more than this, as in CheckList:
# a text that lies at the border between two labels may cross it.
SHIFT_MAX = 0.1
EXAMPLES = 3
# Of a longer text the end is shown: what was asked about stands there.
EXAMPLE_CHARACTERS_MAX = 300
_NEUTRAL = "neutral"


class Judged(NamedTuple):
    """What the model says of a text: the likeliest label, and every label's probability."""

    label: str
    scores: dict[str, float]
    confident: bool

    def as_json(self) -> dict[str, Any]:
        """What a report shows of it."""
        return {"label": self.label, "score": self.scores[self.label], "sure": self.confident}


class Poles(NamedTuple):
    """The names of a model's labels; `neutral` is None where it has none of that name."""

    negative: str
    positive: str
    neutral: str | None


def measure(
    model: LoadedModel, console: Console, data: Path | None = None, form: Form = "glue"
) -> dict[str, Any]:
    """Judge a model by the tests on written sentences, and on texts of a file where one is given.

    Gives `behaviour` and, of a file, `behaviour_on_data`: for each test by its name `kind`, `says`,
    `cases`, `failures`, `share` (of the cases, from 0 to 1; None where there is no case), up to
    three `examples`, and `note` where there is something to know. An `invariance` fails where the
    likeliest label changes and some probability does by more than `SHIFT_MAX`. A `complaint` is a
    case where it is negative as it is, and fails where it is not so with the change. A `meaning`
    fails where the likeliest label is none of those that are right. Labels are the poles by their
    names (see `poles`); a test that needs a neutral one has no case where the model has none.

    Raises:
        InputError: the file cannot be used.
        ModelError: the model has stopped working.
    """
    tests = {"behaviour": written_tests()}
    labels = model.engine.info.labels
    if data is not None:
        tests["behaviour_on_data"] = _tests_of(data, form, labels, model.engine.info.name)
    asked = (text for some in tests.values() for test in some for text in _texts(test))
    judged = _judge(asked, model, console)
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
            part: {test.name: figures_of(test, judged, poles) for test in some}
            for part, some in tests.items()
        },
    }


def _tests_of(data: Path, form: Form, labels: Sequence[str], name: str) -> list[Behaviour]:
    examples = [example for example in read_labelled(data, form) if example.text.strip()]
    truth = truth_of(data, examples, form, labels, name)
    blame = negative(labels)
    found = zip(truth.examples, truth.labels, strict=True)
    complaints = [example.text for example, label in found if label == blame]
    return data_tests([example.text for example in examples], complaints)


def _texts(test: Behaviour) -> Iterable[str]:
    for case in test.cases:
        yield case.text
        if isinstance(case, Pair):
            yield case.altered


def _judge(texts: Iterable[str], model: LoadedModel, console: Console) -> dict[str, Judged]:
    once = list(dict.fromkeys(texts))
    scored = track(score_texts(once, model), "behaviour", len(once), console)
    return {
        # The likeliest label, whatever is called in its place where the model is unsure.
        text: Judged(max(s.scores, key=s.scores.__getitem__), s.scores, s.confident)
        for text, s in zip(once, scored, strict=True)
    }


def figures_of(test: Behaviour, judged: dict[str, Judged], poles: Poles) -> dict[str, Any]:
    """The figures of one test; `judged` has what the model says of each of its texts."""
    cases = failed = 0
    examples: list[dict[str, Any]] = []
    for case in test.cases:
        if isinstance(case, Pair):
            before, after = judged[case.text], judged[case.altered]
            if test.kind == "complaint" and before.label != poles.negative:
                continue
            fails = _turns(test.kind, before, after)
            shown = {**_shown(case), "before": before.as_json(), "after": after.as_json()}
        else:
            if case.expected == _NEUTRAL and poles.neutral is None:
                continue
            fails = not _is_right(case, judged[case.text], poles)
            shown = {**_shown(case), "found": judged[case.text].as_json()}
        cases += 1
        failed += fails
        if fails and len(examples) < EXAMPLES:
            examples.append(shown)
    figures: dict[str, Any] = {
        "kind": test.kind,
        "says": test.says,
        "cases": cases,
        "failures": failed,
        "share": failed / cases if cases else None,
        "examples": examples,
    }
    note = test.note if cases else _why_empty(test)
    return {**figures, "note": note} if note else figures


def _turns(kind: str, before: Judged, after: Judged) -> bool:
    changed = before.label != after.label
    if kind == "complaint":
        return changed
    return changed and any(abs(after.scores[n] - p) > SHIFT_MAX for n, p in before.scores.items())


def _is_right(case: Known, found: Judged, poles: Poles) -> bool:
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
    return "no text could be changed so"


def print_tables(figures: dict[str, Any], console: Console) -> None:
    """Show the shares and the examples to a person."""
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
