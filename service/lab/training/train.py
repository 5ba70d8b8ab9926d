"""Fine-tuning a classifier of two labels or three: `sentiment-stream train`.

Exists so that everybody can reproduce the shipped weights from labelled text and a base model. A
run is deterministic for a seed and can be resumed at every evaluation. It reads no pickle files.
"""

from __future__ import annotations

import copy
import math
import random
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch
from torch.optim.swa_utils import get_ema_multi_avg_fn
from transformers import get_linear_schedule_with_warmup

from service.lab.teaching.recipe import same_recipe
from service.lab.training.base_model import load_base
from service.lab.training.batches import (
    Row,
    batches,
    encode,
    load_tokenizer,
    padded,
    uses_bfloat16,
)
from service.lab.training.card import write_figures
from service.lab.training.figures import figures_on, mean_loss, worst
from service.lab.training.losses import batch_loss, inconsistency
from service.lab.training.state import load_state, read_counters, save_state
from service.terminal import progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rich.console import Console
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from service.lab.teaching.counterfactual import Counterfactuals
    from service.lab.teaching.recipe import Recipe
    from service.lab.teaching.sources import Mixture

GRADIENT_NORM_MAX = 1.0
# Steps between two updates of the averaged weights; with every step, training would take a third
# longer.
AVERAGE_EVERY = 4
# Shorter texts (special tokens included) are not masked: the masked word might be the opinion.
MASKED_TOKENS_MIN = 8
# Groups of texts that must have equal scores in one step, and the most texts of each.
GROUPS, COPIES = 10, 4


class Trainer:
    """One training run; in a new process, `run` resumes an interrupted one."""

    def __init__(
        self,
        base: Path,
        mixture: Mixture,
        output: Path,
        recipe: Recipe,
        *,
        names: dict[str, str],
        counterfactuals: Counterfactuals | None,
        soft_labels: dict[str, float],
    ) -> None:
        """Load the base model; nothing is written yet.

        Args:
            base: the folder of the base model.
            mixture: the texts.
            output: the folder for the best checkpoint.
            recipe: how to train.
            names: names of the base model and the data, for the card.
            counterfactuals: groups of texts that must have equal scores; without them there is no
                consistency loss.
            soft_labels: the result of `teachers.teacher_probabilities`.

        Raises:
            InputError: the folder of the base model cannot be used.
        """
        self._recipe = recipe
        self._mixture = mixture
        self._output = output
        self._state_folder = output.with_name(output.name + ".training")
        self._names = names
        self._counterfactuals = counterfactuals if recipe.consistency_every else None
        self._soft_labels = soft_labels
        self._tokenizer = load_tokenizer(base)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        # All runs of one split start with the same new layers, so that their weights can be
        # averaged.
        torch.manual_seed(recipe.split_seed)
        self._model = _on(load_base(base, mixture.labels), self._device)
        torch.manual_seed(recipe.seed)
        if recipe.freeze_embeddings:
            for name, parameter in self._model.named_parameters():
                parameter.requires_grad_(".embeddings." not in name)
        self._average = copy.deepcopy(self._model) if recipe.average_decay else None
        self._update_average = get_ema_multi_avg_fn(  # type: ignore[no-untyped-call] # has no types
            recipe.average_decay**AVERAGE_EVERY
        )
        self._optimizer = torch.optim.AdamW(_decay_groups(self._model, recipe), fused=True)
        self._steps = -(-len(mixture.train) // recipe.batch_size) * recipe.epochs
        if recipe.steps_max:
            self._steps = min(self._steps, recipe.steps_max)
        self._schedule = get_linear_schedule_with_warmup(  # type: ignore[no-untyped-call] # no types
            self._optimizer, recipe.warmup_steps, self._steps
        )
        self._autocast = torch.autocast(
            self._device.type, torch.bfloat16, enabled=uses_bfloat16(recipe.precision, self._device)
        )
        self._step = 0
        self._best: dict[str, Any] = {}
        self._seconds = 0.0

    def run(self, console: Console) -> dict[str, Any]:
        """Train to the end, keep the best checkpoint, and return the figures of the run."""
        self._resume(console)
        rows = self._rows()
        with progress_bar(console) as progress:
            task = progress.add_task("train", total=self._steps, completed=self._step)
            started = time.monotonic() - self._seconds
            for batch in self._remaining_batches(rows):
                loss = self._train_step(batch)
                self._step += 1
                progress.update(task, advance=1, description=f"train, loss {loss:.3f}")
                if self._step % self._recipe.evaluate_every == 0 or self._step == self._steps:
                    self._seconds = time.monotonic() - started
                    self._evaluate_and_keep(console)
        return self._finish()

    def _rows(self) -> list[Row]:
        examples = self._mixture.train
        ids = encode(self._tokenizer, [e.text for e in examples], self._recipe.length_max)
        return [
            Row(i, e.label, self._soft_labels.get(e.text, math.nan), e.weight, e.poles_only)
            for i, e in zip(ids, examples, strict=True)
        ]

    def _remaining_batches(self, rows: list[Row]) -> Iterator[list[Row]]:
        position = 0
        for epoch in range(self._recipe.epochs):
            order = random.Random(f"{self._recipe.seed}/{epoch}")
            for batch in batches(rows, self._recipe.batch_size, order):
                position += 1
                if self._step < position <= self._steps:
                    yield batch

    def _train_step(self, batch: list[Row]) -> float:
        self._model.train()
        logits = self._logits(self._masked([row.ids for row in batch]))
        loss = batch_loss(logits, batch, self._recipe.teacher_share)
        loss.backward()  # type: ignore[no-untyped-call] # has no types
        groups = self._counterfactuals
        if groups is not None and self._step % self._recipe.consistency_every == 0:
            unequal = self._recipe.consistency_weight * self._inconsistency(groups)
            unequal.backward()  # type: ignore[no-untyped-call] # has no types
        torch.nn.utils.clip_grad_norm_(self._trained(self._model), GRADIENT_NORM_MAX)
        self._optimizer.step()
        self._schedule.step()
        self._optimizer.zero_grad(set_to_none=True)
        if self._average is not None and self._step % AVERAGE_EVERY == 0:
            with torch.no_grad():
                self._update_average(
                    self._trained(self._average), self._trained(self._model), self._step
                )
        return float(loss.detach())

    def _masked(self, sequences: list[list[int]]) -> list[list[int]]:
        """The texts with some tokens masked, as in the base model's own training."""
        share, mask = self._recipe.mask_share, self._tokenizer.mask_token_id
        if not share:
            return sequences
        order = random.Random(f"{self._recipe.seed}/mask/{self._step}")
        return [
            [ids[0], *(mask if order.random() < share else i for i in ids[1:-1]), ids[-1]]
            if len(ids) >= MASKED_TOKENS_MIN
            else ids
            for ids in sequences
        ]

    def _trained(self, model: PreTrainedModel) -> list[torch.nn.Parameter]:
        return [parameter for parameter in model.parameters() if parameter.requires_grad]

    def _logits(self, sequences: Sequence[Sequence[int]]) -> torch.Tensor:
        inputs = padded(sequences, self._model.config.pad_token_id, self._device)
        with self._autocast:
            logits: torch.Tensor = self._model(**inputs).logits
        return logits.float()

    def _inconsistency(self, counterfactuals: Counterfactuals) -> torch.Tensor:
        """The consistency loss of this step's groups; see `losses.inconsistency`."""
        groups = counterfactuals.groups(self._step, GROUPS, COPIES)
        texts = [text for group in groups for text in group]
        # Without dropout, whose noise would hide the effect of the exchanged words.
        self._model.eval()  # type: ignore[no-untyped-call] # has no types
        logits = self._logits(encode(self._tokenizer, texts, self._recipe.length_max))
        return inconsistency(logits, [len(group) for group in groups])

    def _evaluate_and_keep(self, console: Console) -> None:
        candidate = self._model if self._average is None else self._average
        figures = {
            name: figures_on(candidate, self._tokenizer, data, self._recipe.length_max)
            for name, data in self._mixture.held_out.items()
        }
        chosen_by, loss = worst(figures), mean_loss(figures.values())
        for name, found in figures.items():
            recall = "" if found.macro_recall is None else f", recall {found.macro_recall:.4f}"
            console.print(f"step {self._step}: {name} poles {found.polar_accuracy:.4f}{recall}")
        console.print(f"step {self._step}: worst {chosen_by:.4f}, loss {loss:.4f}")
        if (chosen_by, -loss) >= (self._best.get("worst", 0.0), -self._best.get("loss", 0.0)):
            self._best = {"worst": chosen_by, "loss": loss, "step": self._step}
            keep(candidate, self._tokenizer, self._output)
        counters = {
            "step": self._step, "best": self._best, "seconds": self._seconds,
            "recipe": asdict(self._recipe), "rates": self._schedule.get_last_lr(),
        }  # fmt: skip
        save_state(self._state_folder, self._model, self._average, self._optimizer, counters)

    def _finish(self) -> dict[str, Any]:
        held_out = self._mixture.held_out
        figures: dict[str, Any] = {
            **self._names,
            "labels": list(self._mixture.labels),
            "examples": len(self._mixture.train),
            "held_out_examples": {name: len(data) for name, data in held_out.items()},
            "best_step": self._best["step"],
            "steps": self._steps,
            "minutes": round(self._seconds / 60, 1),
            "recipe": asdict(self._recipe),
        }
        write_figures(self._output, figures)
        return figures

    def _resume(self, console: Console) -> None:
        counters = read_counters(self._state_folder)
        if counters is None:
            return
        if not same_recipe(counters["recipe"], self._recipe):
            console.print(f"{self._state_folder}: from another recipe, starting again")
            return
        load_state(self._state_folder, self._model, self._average, self._optimizer)
        self._step, self._best = counters["step"], counters["best"]
        self._seconds = counters["seconds"]
        self._schedule.last_epoch = self._step
        for group, rate in zip(self._optimizer.param_groups, counters["rates"], strict=True):
            group["lr"] = rate
        console.print(f"resuming at step {self._step} of {self._steps}")


def keep(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write a checkpoint in half precision; the model itself is not changed."""
    kept = copy.deepcopy(model).half()  # type: ignore[no-untyped-call] # has no types
    kept.config.dtype = "float16"
    kept.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    # save_pretrained makes the weights readable by their owner only, and the service may run as
    # another user.
    for file in folder.glob("*.safetensors"):
        file.chmod(0o644)


def _decay_groups(model: PreTrainedModel, recipe: Recipe) -> list[dict[str, Any]]:
    """Parameter groups for the optimizer: weight decay for matrices, none for biases and norms."""
    plain: list[torch.nn.Parameter] = []
    decayed: list[torch.nn.Parameter] = []
    for parameter in model.parameters():
        if parameter.requires_grad:
            (decayed if parameter.ndim > 1 else plain).append(parameter)
    return [
        {"params": decayed, "weight_decay": recipe.weight_decay, "lr": recipe.learning_rate},
        {"params": plain, "weight_decay": 0.0, "lr": recipe.learning_rate},
    ]


def _on(model: PreTrainedModel, device: torch.device) -> PreTrainedModel:
    torch.nn.Module.to(model, device)  # the override of transformers hides the types
    return model
