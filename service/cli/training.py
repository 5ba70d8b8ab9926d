"""Commands that make a model; their work is in `service.lab`."""
# ruff: noqa: D301 - click leaves a paragraph as it is where it finds the character, not the escape

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click

from service.cli.options import A_FOLDER, A_PATH, json_flag, print_figures
from service.terminal import remarks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from service.checkpoint.calibration import FittedIn


def _with_recipe(command: Callable[..., Any]) -> Callable[..., Any]:
    from service.lab.teaching.recipe import HELP, Recipe  # noqa: PLC0415

    for name, help_text in reversed(HELP.items()):
        default = getattr(Recipe, name)
        flag = "--" + name.replace("_", "-")
        option = click.option(
            flag, name, default=default, is_flag=default is False, show_default=True, help=help_text
        )
        command = option(command)
    return command


def _with_sources(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option(
            "--leave-out",
            "leave_out",
            multiple=True,
            help="Domain of --domains that only chooses the checkpoint, not trains it; repeatable.",
        ),
        click.option(
            "--domains",
            type=A_PATH,
            help="Folder with tweets_semeval.tsv, tweets_kaggle.tsv, sst5.tsv, "
            "customer_reviews.tsv and goemotions28.tsv; the model then has three labels.",
        ),
        click.option(
            "--tweets", type=A_PATH, help="TSV of id, mean rating, text; odd ids are used."
        ),
        click.option(
            "--posts", type=A_PATH, help="TSV of text, label ids (1 negative, 3 positive), id."
        ),
        click.option("--data", required=True, type=A_PATH, help="TSV to train on."),
    ):
        command = option(command)
    return command


@click.command()
@click.option(
    "--base",
    required=True,
    type=A_PATH,
    help="Folder of a BERT or DistilBERT checkpoint to start from.",
)
@click.option(
    "--teacher",
    "teachers",
    multiple=True,
    type=A_PATH,
    help="Folder of a larger model whose labels of --data are learned too; repeatable.",
)
@click.option(
    "--base-name", help="Name of the base model in the card; by default the folder's name."
)
@_with_sources
@click.option(
    "--countries",
    type=A_PATH,
    help="Folder with countries.csv, whose names are swapped for the consistency loss.",
)
@click.option("--test", type=A_PATH, help="TSV to measure once at the end, for the card.")
@click.option(
    "--output",
    required=True,
    type=A_FOLDER,
    help="Folder to write.",
)
@json_flag
@_with_recipe
def train(base: Path, base_name: str | None, output: Path, as_json: bool, **options: Any) -> None:
    """Fine-tune a classifier; with --domains, one with three labels.

    After an interruption, the same command continues.

    \b
    sentiment-stream train --base minilm/ --data train.tsv --test dev.tsv --output model/
    """
    from service.lab.teaching.recipe import Recipe  # noqa: PLC0415
    from service.lab.teaching.sources import Sources  # noqa: PLC0415
    from service.lab.training.averaged import train as run  # noqa: PLC0415

    sources = Sources(**{field.name: options.pop(field.name) for field in fields(Sources)})
    recipe = Recipe(**options)
    figures = run(base, sources, output, recipe, remarks(), base_name)
    print_figures(f"{output}: trained", figures, as_json)


@click.command()
@click.option(
    "--model",
    required=True,
    type=A_PATH,
    help="Folder that `train` wrote; sentiment.json is written there.",
)
@click.option(
    "--window-tokens",
    default=0,
    show_default=True,
    type=click.IntRange(0, 512),
    help="Tokens of a window of a long text; 0 is as many as the model takes.",
)
@click.option(
    "--precision",
    default="float32",
    show_default=True,
    type=click.Choice(["float32", "int8"]),
    help="Precision to fit it in; the model then runs in it on a CPU by default.",
)
@_with_sources
@json_flag
def calibrate(
    model: Path, window_tokens: int, precision: FittedIn, as_json: bool, **files: Any
) -> None:
    """Calibrate a trained model's scores and find its thresholds.

    It uses the texts that training held out, and writes the result beside the weights. Give the
    files that the model was trained on: they are split in the same way again.

    \b
    sentiment-stream calibrate --model model/ --data train.tsv
    """
    from service.lab.teaching.sources import Sources  # noqa: PLC0415
    from service.lab.training.calibrate import calibrate as fit  # noqa: PLC0415

    figures = fit(model, Sources(**files), window_tokens, precision)
    print_figures(f"{model}: calibrated", figures, as_json)


TRAINING_COMMANDS = (train, calibrate)
