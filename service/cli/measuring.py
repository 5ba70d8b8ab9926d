"""Commands that measure a model's scores; their work is in `service.lab` and `service.topics`."""
# ruff: noqa: D301 - click leaves a paragraph as it is where it finds the character, not the escape

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast, get_args

import click

from service.cli.options import (
    A_PATH,
    NEW_FILE,
    NEW_FOLDER,
    json_flag,
    print_found,
    with_settings,
)
from service.errors import InputError
from service.lab.data.labelled import Form
from service.settings import load_settings
from service.tables.reading import FORMS
from service.terminal import remarks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rich.console import Console

    from service.lab.data.tabled import Columns
    from service.settings import Settings


def _file_to_write(ctx: click.Context, param: click.Parameter, value: str | None) -> Path | None:
    if value == "":
        raise InputError("--write: name the file to write, like --write calibration.json")
    return None if value is None else NEW_FILE.convert(value, param, ctx)


@click.command()
@click.option("--data", type=A_PATH, help="Labelled text: a table of any form of `score`.")
@click.option(
    "--format",
    "form",
    type=click.Choice([form for form in FORMS if form != "text"] + list(get_args(Form))),
    help="Form of the table; by default by the file's name. Or a published form: glue: the header "
    "sentence<TAB>label, labels by number. named: text<TAB>label, labels "
    "negative, neutral and positive. ratings: number, mean rating, text; rows with a clear rating "
    "and an even number, or with ratings-odd an odd one. emotions: text, label numbers, id; only "
    "rows with label 1 (negative) or 3 (positive).",
)
@click.option(
    "--text-column",
    metavar="NAME|POINTER",
    help="Column with the text; by default text or sentence.",
)
@click.option(
    "--label-column",
    default="label",
    show_default=True,
    metavar="NAME|POINTER",
    help="Column with the label.",
)
@click.option(
    "--labels",
    metavar="MAPPING",
    help="What labels stand for, like negative=1,negative=2,neutral=3,positive=4,positive=5; "
    "skip=VALUE leaves rows out. By default labels are the names, or numbers from 0.",
)
@click.option("--plots", type=NEW_FOLDER, help="Folder to write two SVGs to.")
@click.option(
    "--target-accuracy",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Find the thresholds above which at least this share of labels is right, by a method that "
    "is wrong for at most one data set in ten.",
)
@click.option(
    "--write",
    # Without a file name the value is empty, and the next option is not taken for the name.
    is_flag=False,
    flag_value="",
    callback=_file_to_write,
    metavar="FILE",
    help="File to write the thresholds to, for SENTIMENT_MODEL__CALIBRATION_FILE.",
)
@click.option(
    "--behaviour",
    is_flag=True,
    help="Test whether a greeting, a typo or a handle changes labels, and whether the model "
    'understands "not" and "but"; on written sentences, and on the texts of --data if given.',
)
@json_flag
@with_settings("model")
def evaluate(
    settings: Settings,
    data: Path | None,
    plots: Path | None,
    target_accuracy: float | None,
    write: Path | None,
    behaviour: bool,
    as_json: bool,
    **columns: str | None,
) -> None:
    """Measure on labelled text how often the model is right.

    The figures are accuracy, calibration and thresholds. --behaviour tests whether the labels are
    steady, and whether the model understands.

    \b
    sentiment-stream evaluate --data dev.tsv
    sentiment-stream evaluate --data dev.tsv --json | jq .expected_calibration_error
    sentiment-stream evaluate --data reviews.csv --label-column stars --labels negative=1,positive=5
    sentiment-stream evaluate --data tweets.tsv --format ratings --plots plots/
    sentiment-stream evaluate --data reviews.tsv --format named
    sentiment-stream evaluate --data held-out.tsv --target-accuracy 0.95 --write ours.json
    sentiment-stream evaluate --behaviour --json | jq .behaviour.sign_off_added.share
    """
    if data is None:
        _refuse_without_data(behaviour, plots is not None or target_accuracy is not None)
    if write is not None and target_accuracy is None:
        raise InputError("--write keeps what --target-accuracy finds; give both")
    form = _form(**columns)
    # The model's own labels are measured, not the label that takes their place if it is unsure.
    model_settings = settings.model.model_copy(update={"unsure_label": "keep"})
    settings = settings.model_copy(update={"model": model_settings})
    from service.lab.behaviour import run as steadiness  # noqa: PLC0415 - see `service.cli`
    from service.lab.measuring.evaluate import evaluate as measure  # noqa: PLC0415
    from service.lab.measuring.evaluate import print_table, write_target  # noqa: PLC0415
    from service.lab.measuring.plots import write_plots  # noqa: PLC0415
    from service.scoring.texts import load_model  # noqa: PLC0415

    # Loaded once for both. Without --behaviour it is loaded after the data, so that wrong data
    # is refused at once.
    model = load_model(settings.model) if behaviour else None
    figures: dict[str, Any] = {}
    if data is not None:
        figures = measure(
            data, settings, remarks(), model, form=form, target_accuracy=target_accuracy
        )
    shown = [print_table] if data is not None else []
    if model is not None:
        # For a file of two poles, `labels` are the poles: its table is printed by them.
        figures = steadiness.measure(model, remarks(), data, form) | figures
        shown.append(steadiness.print_tables)
    print_found(figures, as_json, lambda out: _show_all(shown, figures, out))
    written = write_plots(figures, plots) if plots is not None else []
    for path in written:
        remarks().print(f"written: {path}")
    if write is not None:
        write_target(write, settings.model, figures)
        remarks().print(
            f"written: {write}; `run` reads it with SENTIMENT_MODEL__CALIBRATION_FILE={write}"
        )


@click.command()
@click.option(
    "--data",
    default="../shared/data/bias",
    show_default=True,
    type=A_PATH,
    help="Folder with countries.csv, countries-110m.json, winogender/ and winobias/; "
    "service/model/README.md says where to get them.",
)
@click.option(
    "--pairs",
    multiple=True,
    type=A_PATH,
    help="More pairs: a TSV of two texts, StereoSet's .json, CrowS-Pairs' .csv; repeatable.",
)
@click.option("--against", help="Another model to compare it with: a folder, or a name on the hub.")
@click.option("--against-revision", help="The commit of the other model, if it is on the hub.")
@click.option("--output", type=NEW_FOLDER, help="Folder for the report: HTML, Markdown, maps.")
@json_flag
@with_settings("model")
def bias(
    settings: Settings,
    data: Path,
    pairs: tuple[Path, ...],
    against: str | None,
    against_revision: str | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Measure how scores depend on who a text is about.

    It covers countries and nationalities, gender, names and groups. --output writes a report with
    maps.

    \b
    sentiment-stream bias --output report/
    sentiment-stream bias --model-name mine/ --against bundled --output report/
    sentiment-stream bias --pairs stereoset.json --json | jq .models[0].all_pairs
    """
    from service.lab.bias.data import WORLD  # noqa: PLC0415
    from service.lab.bias.report import write_report  # noqa: PLC0415
    from service.lab.bias.run import measure, print_tables  # noqa: PLC0415 - see `service.cli`
    from service.lab.bias.world_map import read_world  # noqa: PLC0415

    world = read_world(data / WORLD)
    asked = [settings.model]
    if against is not None:
        # Both files are for one model, and the other is refused with them.
        own = {"name": against, "revision": against_revision,
               "tuning_file": None, "calibration_file": None}  # fmt: skip
        asked.append(load_settings({"model": settings.model.model_dump() | own}).model)
    models = [measure(one, data, pairs, remarks()) for one in asked]
    print_found({"models": models}, as_json, lambda out: print_tables(models, out))
    for path in write_report(models, world, output) if output is not None else ():
        remarks().print(f"written: {path}")


def _form(
    form: str | None, text_column: str | None, label_column: str | None, labels: str | None
) -> Form | Columns:
    from service.lab.data.tabled import Columns, meanings_of  # noqa: PLC0415
    from service.lab.data.texts import TEXT_COLUMNS  # noqa: PLC0415
    from service.tables.rows import Column  # noqa: PLC0415 - see `service.cli`

    published = next((one for one in get_args(Form) if one == form), None)
    if published is not None:
        if text_column or labels or label_column != "label":
            raise InputError(f"--format {form} says where text and label are; give only one")
        return cast("Form", published)
    return Columns(
        form,
        Column("--text-column", TEXT_COLUMNS if text_column is None else text_column),
        Column("--label-column", label_column or ""),
        None if labels is None else meanings_of(labels),
    )


def _show_all(
    shown: Sequence[Callable[[dict[str, Any], Console], None]],
    figures: dict[str, Any],
    out: Console,
) -> None:
    for show in shown:
        show(figures, out)


def _refuse_without_data(behaviour: bool, needs_data: bool) -> None:
    if not behaviour:
        raise InputError("give --data FILE, or --behaviour for written sentences")
    if needs_data:
        raise InputError("--plots and --target-accuracy need labelled text; give --data FILE")


@click.command()
@click.argument("topic")
@click.argument("candidate")
@click.option(
    "--examples", default=10, show_default=True, type=click.IntRange(0, 1000),
    help="Messages to show with a flipped polarity, and as many with a shifted score.",
)  # fmt: skip
@json_flag
@with_settings("kafka")
def compare(settings: Settings, topic: str, candidate: str, examples: int, as_json: bool) -> None:
    """Show where two models differ, by their two output topics.

    It joins the messages that both have scored. To try a candidate, run a second release on the
    same input topic with its own group and output topic, then compare.

    \b
    sentiment-stream compare sentiment.events sentiment.events.candidate
    """
    from service.topics.compare import compare as join  # noqa: PLC0415 - see `service.cli`
    from service.topics.compare import print_comparison  # noqa: PLC0415

    if topic == candidate:
        raise InputError("these are the same topic; name two")
    figures = asyncio.run(join(settings.kafka, (topic, candidate), examples, remarks()))
    print_found(figures, as_json, lambda out: print_comparison(figures, out))


MEASURING_COMMANDS = (evaluate, bias, compare)
