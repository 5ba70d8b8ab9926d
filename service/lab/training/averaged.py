"""A whole training: several runs with different seeds, and the average of their weights.

Exists so that one command makes the shipped weights. Runs from the same base model stay so close to
each other that the mean of their weights is better than each of them. A share of the base model's
own weights in the mean keeps what the base model had learned. A finished run is not repeated.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import torch

from service.errors import InputError
from service.lab.bias.data import read_countries
from service.lab.teaching.counterfactual import Counterfactuals, split_countries
from service.lab.teaching.mixture import read_mixture
from service.lab.teaching.recipe import same_recipe
from service.lab.training.base_model import becomes_distilbert, load_base
from service.lab.training.batches import load_tokenizer
from service.lab.training.card import write_card
from service.lab.training.figures import figures_on, mean_loss
from service.lab.training.rounded import round_weights
from service.lab.training.teachers import teacher_probabilities
from service.lab.training.train import Trainer, keep

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console
    from transformers import PreTrainedModel

    from service.lab.bias.data import Country
    from service.lab.teaching.recipe import Recipe
    from service.lab.teaching.sources import Mixture, Sources


def train(
    base: Path,
    sources: Sources,
    output: Path,
    recipe: Recipe,
    console: Console,
    base_name: str | None = None,
) -> dict[str, Any]:
    """Train, average the runs if the recipe says so, and return the figures of the kept model.

    `base_name` is the name of the base model for the card; by default that of its folder.

    Raises:
        InputError: a file or folder cannot be used.
        SettingsError, ModelError: a teacher cannot be used.
        OSError: the output folder cannot be created.
    """
    _check(base, sources, recipe)
    mixture = read_mixture(sources, recipe)
    mixture.require_examples(sources.data)
    # Create it now, so that an error is not found after hours of training.
    output.mkdir(parents=True, exist_ok=True)
    names = {"base": base_name or base.name, "data": _named(sources)}
    if sources.teachers:
        names["teachers"] = ", ".join(folder.name for folder in sources.teachers)
    trained: Sequence[Country] = ()
    if recipe.consistency_every and sources.countries is not None:
        trained, _ = split_countries(read_countries(sources.countries))
    texts = [example.text for example in mixture.train] + mixture.unlabelled
    soft_labels = teacher_probabilities(sources.teachers, mixture.teacher_texts, console)

    def run(folder: Path, how: Recipe) -> dict[str, Any]:
        counterfactuals = (
            Counterfactuals(trained, texts, how.seed, how.normaliser, around=how.altered_share > 0)
            if trained
            else None
        )
        return Trainer(
            base, mixture, folder, how,
            names=names, counterfactuals=counterfactuals, soft_labels=soft_labels,
        ).run(console)  # fmt: skip

    folders, parts = [output], []
    if recipe.runs > 1 or recipe.base_share or recipe.int8:
        folders = [output.with_name(f"{output.name}.run-{n + 1}") for n in range(recipe.runs)]
    for number, folder in enumerate(folders):
        how = replace(recipe, runs=1, base_share=0.0, int8=False, seed=recipe.seed + number)
        parts.append(_finished_figures(folder, how) or run(folder, how))
    if folders == [output]:
        return _measured(output, parts[0], mixture)
    model = average(base, folders, recipe, mixture.labels)
    keep(model, load_tokenizer(base), output)
    minutes = round(sum(part["minutes"] for part in parts), 1)
    return _measured(output, parts[0] | {"minutes": minutes, "recipe": asdict(recipe)}, mixture)


def _check(base: Path, sources: Sources, recipe: Recipe) -> None:
    """Check that files and parameters go together.

    Raises:
        InputError: they do not.
    """
    if recipe.consistency_every and sources.countries is None:
        raise InputError("--consistency-every needs countries; name their folder with --countries")
    if sources.domains is None and (recipe.balance or recipe.altered_share or recipe.lessons):
        raise InputError(
            "--balance, --altered-share and --lessons are for three labels; name the folder of "
            "labelled domains with --domains"
        )
    if bool(sources.teachers) != bool(recipe.teacher_share):
        raise InputError("--teacher and --teacher-share need each other; give both, or neither")
    if recipe.int8 and not becomes_distilbert(base):
        raise InputError(
            f"{base}: --int8 is for a DistilBERT, or an encoder that becomes one; leave it out"
        )


def average(
    base: Path, folders: Sequence[Path], recipe: Recipe, labels: Sequence[str]
) -> PreTrainedModel:
    """The mean of the weights of the folders' models, mixed with `recipe.base_share` of `base`.

    They are rounded to int8 if the recipe says so.
    """
    torch.manual_seed(recipe.split_seed)
    model = load_base(base, labels)
    states = [load_base(folder, labels).state_dict() for folder in folders]
    share = (1 - recipe.base_share) / len(states)
    mean = {
        name: recipe.base_share * start + share * sum(state[name] for state in states)
        for name, start in model.state_dict().items()
    }
    model.load_state_dict(mean)
    if recipe.int8:
        round_weights(model)
    return model


def _measured(folder: Path, figures: dict[str, Any], mixture: Mixture) -> dict[str, Any]:
    """Measure the kept model, write its card, and return its figures."""
    recipe = figures["recipe"]
    model, tokenizer = load_base(folder, mixture.labels), load_tokenizer(folder)
    found = {
        name: figures_on(model, tokenizer, rows, recipe["length_max"])
        for name, rows in mixture.held_out.items()
    }
    measured = {
        **figures,
        "held_out_accuracy": {name: round(f.polar_accuracy, 4) for name, f in found.items()},
        "held_out_recall": {
            name: round(f.macro_recall, 4)
            for name, f in found.items()
            if f.macro_recall is not None and len(mixture.labels) > 2
        },
        "held_out_loss": round(mean_loss(found.values()), 4),
    }
    if mixture.test:
        test = figures_on(model, tokenizer, mixture.test, recipe["length_max"])
        measured["test_accuracy"] = round(test.polar_accuracy, 4)
    write_card(folder, measured)
    return measured


def _finished_figures(folder: Path, recipe: Recipe) -> dict[str, Any] | None:
    """The figures of a finished run of this recipe; None if there is none."""
    try:
        written: dict[str, Any] = json.loads((folder / "training.json").read_text())
    except OSError:
        return None
    return written if same_recipe(written["recipe"], recipe) else None


def _named(sources: Sources) -> str:
    """The training data as the card names it."""
    files = (sources.data, sources.posts, sources.tweets)
    named = [f"{file.parent.name}/{file.name}" for file in files if file is not None]
    if sources.domains is not None:
        without = f" without {', '.join(sources.leave_out)}" if sources.leave_out else ""
        named.append(f"all of {sources.domains.name}/{without}")
    return ", ".join(named)
