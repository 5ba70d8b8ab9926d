"""Fine-tuning a two-label classifier: `sentiment-stream train`.

Exists so that the shipped weights can be made again by anyone from labelled text and a base
model. Deterministic by seed, resumable at every evaluation, and without pickle: the training
state is one safetensors file beside a JSON of counters.
"""

from __future__ import annotations

import copy
import json
import random
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from safetensors.torch import load_file, save_file
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import AutoTokenizer, get_linear_schedule_with_warmup

from service.lab.base_model import load_base
from service.lab.card import write_card
from service.lab.glue import Example, hold_out, read_glue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import Console
    from transformers import PreTrainedModel

    from service.lab.recipe import Recipe

# Batches are cut from stretches of so many, sorted by length: little padding, still random.
BUCKET_BATCHES = 50
EVALUATION_BATCH = 64
GRADIENT_NORM_MAX = 1.0


class Trainer:
    """One training run; `run` may be called again in a new process and goes on where it was."""

    def __init__(
        self,
        base: Path,
        data: Path,
        output: Path,
        recipe: Recipe,
        *,
        base_name: str | None = None,
        test: Path | None = None,
    ) -> None:
        """Load the base model and the data; nothing is written yet.

        `test` is measured once at the end and never used to choose anything.

        Raises:
            InputError: a file or folder cannot be used.
        """
        torch.manual_seed(recipe.seed)
        self._recipe = recipe
        self._output = output
        self._state_folder = output.with_name(output.name + ".training")
        self._names = {"base": base_name or base.name, "data": data.name}
        self._test = read_glue(test) if test is not None else []
        self._train, self._held_out = hold_out(read_glue(data), recipe.held_out, recipe.seed)
        self._tokenizer = AutoTokenizer.from_pretrained(base)
        self._tokenizer.backend_tokenizer.no_truncation()
        self._tokenizer.backend_tokenizer.no_padding()
        self._tokenizer.model_max_length = 512
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model = _on(load_base(base), self._device)
        self._average = (
            AveragedModel(
                self._model,
                multi_avg_fn=get_ema_multi_avg_fn(  # type: ignore[no-untyped-call] # has no types
                    recipe.average_decay
                ),
            )
            if recipe.average_decay
            else None
        )
        self._optimizer = torch.optim.AdamW(_decay_groups(self._model, recipe), foreach=True)
        self._steps = -(-len(self._train) // recipe.batch_size) * recipe.epochs
        self._schedule = get_linear_schedule_with_warmup(  # type: ignore[no-untyped-call] # no types
            self._optimizer, recipe.warmup_steps, self._steps
        )
        self._autocast = torch.autocast(
            self._device.type, torch.bfloat16, enabled=_bfloat16_pays(recipe, self._device)
        )
        self._step = 0
        self._best: dict[str, float] = {}
        self._seconds = 0.0

    def run(self, console: Console) -> dict[str, Any]:
        """Train to the end, keep the best checkpoint, write the card; return its figures."""
        self._resume(console)
        train_ids = self._encode(self._train)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
            task = progress.add_task("train", total=self._steps, completed=self._step)
            started = time.monotonic() - self._seconds
            for batch in self._remaining_batches(train_ids):
                loss = self._train_step(batch)
                self._step += 1
                progress.update(task, advance=1, description=f"train, loss {loss:.3f}")
                if self._step % self._recipe.evaluate_every == 0 or self._step == self._steps:
                    self._seconds = time.monotonic() - started
                    self._evaluate_and_keep(console)
        return self._finish()

    def _encode(self, examples: list[Example]) -> list[tuple[list[int], int]]:
        backend = self._tokenizer.backend_tokenizer
        backend.enable_truncation(self._recipe.length_max)
        encodings = backend.encode_batch([e.text for e in examples])
        backend.no_truncation()
        return [(e.ids, example.label) for e, example in zip(encodings, examples, strict=True)]

    def _remaining_batches(
        self, rows: list[tuple[list[int], int]]
    ) -> Iterator[list[tuple[list[int], int]]]:
        size = self._recipe.batch_size
        position = 0
        for epoch in range(self._recipe.epochs):
            order = random.Random(f"{self._recipe.seed}/{epoch}")
            shuffled = order.sample(rows, len(rows))
            stretch = size * BUCKET_BATCHES
            batches = []
            for start in range(0, len(shuffled), stretch):
                part = sorted(shuffled[start : start + stretch], key=lambda row: len(row[0]))
                batches += [part[i : i + size] for i in range(0, len(part), size)]
            order.shuffle(batches)
            for batch in batches:
                position += 1
                if position > self._step:
                    yield batch

    def _tensors(
        self, batch: list[tuple[list[int], int]]
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        longest = max(len(ids) for ids, _ in batch)
        input_ids = torch.full((len(batch), longest), self._model.config.pad_token_id)
        mask = torch.zeros((len(batch), longest), dtype=torch.long)
        for row, (ids, _) in enumerate(batch):
            input_ids[row, : len(ids)] = torch.tensor(ids)
            mask[row, : len(ids)] = 1
        labels = torch.tensor([label for _, label in batch])
        return input_ids.to(self._device), mask.to(self._device), labels.to(self._device)

    def _train_step(self, batch: list[tuple[list[int], int]]) -> float:
        self._model.train()
        input_ids, mask, labels = self._tensors(batch)
        with self._autocast:
            logits = self._model(input_ids=input_ids, attention_mask=mask).logits
        loss = torch.nn.functional.cross_entropy(logits.float(), labels)
        loss.backward()  # type: ignore[no-untyped-call] # has no types
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), GRADIENT_NORM_MAX)
        self._optimizer.step()
        self._schedule.step()
        self._optimizer.zero_grad(set_to_none=True)
        if self._average is not None:
            self._average.update_parameters(self._model)
        return float(loss.detach())

    def _evaluate_and_keep(self, console: Console) -> None:
        candidate = self._model
        if self._average is not None:
            candidate = cast("PreTrainedModel", self._average.module)
        accuracy, loss = self._figures_on(candidate, self._held_out)
        console.print(f"step {self._step}: held-out accuracy {accuracy:.4f}, loss {loss:.4f}")
        if (accuracy, -loss) >= (self._best.get("accuracy", 0.0), -self._best.get("loss", 0.0)):
            self._best = {"accuracy": accuracy, "loss": loss, "step": self._step}
            self._keep(candidate)
        self._save_state()

    @torch.inference_mode()
    def _figures_on(self, model: PreTrainedModel, data: list[Example]) -> tuple[float, float]:
        model.eval()  # type: ignore[no-untyped-call] # has no types
        rows = sorted(self._encode(data), key=lambda row: len(row[0]))
        correct, loss = 0, 0.0
        for start in range(0, len(rows), EVALUATION_BATCH):
            input_ids, mask, labels = self._tensors(rows[start : start + EVALUATION_BATCH])
            logits = model(input_ids=input_ids, attention_mask=mask).logits
            correct += int((logits.argmax(-1) == labels).sum())
            loss += float(torch.nn.functional.cross_entropy(logits, labels, reduction="sum"))
        return correct / len(rows), loss / len(rows)

    def _keep(self, model: PreTrainedModel) -> None:
        kept = copy.deepcopy(model).half()  # type: ignore[no-untyped-call] # has no types
        kept.config.dtype = "float16"
        kept.save_pretrained(self._output)
        self._tokenizer.save_pretrained(self._output)
        # Weights are written for their owner alone, which a service of another user cannot read.
        for file in self._output.glob("*.safetensors"):
            file.chmod(0o644)

    def _finish(self) -> dict[str, Any]:
        figures: dict[str, Any] = {
            **self._names,
            "examples": len(self._train),
            "held_out_examples": len(self._held_out),
            "held_out_accuracy": round(self._best["accuracy"], 4),
            "held_out_loss": round(self._best["loss"], 4),
            "best_step": int(self._best["step"]),
            "steps": self._steps,
            "minutes": round(self._seconds / 60, 1),
            "recipe": asdict(self._recipe),
        }
        if self._test:
            kept = _on(load_base(self._output), self._device)
            figures["test_accuracy"] = round(self._figures_on(kept, self._test)[0], 4)
        write_card(self._output, figures)
        return figures

    def _save_state(self) -> None:
        self._state_folder.mkdir(parents=True, exist_ok=True)
        tensors = {f"model.{k}": v for k, v in self._model.state_dict().items()}
        if self._average is not None:
            tensors |= {f"average.{k}": v for k, v in self._average.state_dict().items()}
        for index, state in self._optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{key}": value for key, value in state.items()}
        tensors["random"] = torch.get_rng_state()
        partial = self._state_folder / "state.partial"
        save_file({k: v.detach().cpu().clone() for k, v in tensors.items()}, partial)
        partial.rename(self._state_folder / "state.safetensors")
        counters = {"step": self._step, "best": self._best, "seconds": self._seconds}
        counters["recipe"] = asdict(self._recipe)
        counters["rates"] = self._schedule.get_last_lr()
        (self._state_folder / "counters.json").write_text(json.dumps(counters))

    def _resume(self, console: Console) -> None:
        state_file = self._state_folder / "state.safetensors"
        if not state_file.is_file():
            return
        counters = json.loads((self._state_folder / "counters.json").read_text())
        if counters["recipe"] != asdict(self._recipe):
            console.print(f"{self._state_folder}: of another recipe, starting anew")
            return
        tensors = load_file(state_file)
        groups: dict[str, dict[str, torch.Tensor]] = {"model": {}, "average": {}, "optimizer": {}}
        for name, tensor in tensors.items():
            room, _, rest = name.partition(".")
            if room in groups:
                groups[room][rest] = tensor
        self._model.load_state_dict(groups["model"])
        if self._average is not None:
            self._average.load_state_dict(groups["average"])
        state: dict[int, dict[str, torch.Tensor]] = {}
        for name, tensor in groups["optimizer"].items():
            index, _, key = name.partition(".")
            state.setdefault(int(index), {})[key] = tensor
        self._optimizer.load_state_dict(
            {"state": state, "param_groups": self._optimizer.state_dict()["param_groups"]}
        )
        torch.set_rng_state(tensors["random"])
        self._step, self._best = counters["step"], counters["best"]
        self._seconds = counters["seconds"]
        self._schedule.last_epoch = self._step
        for group, rate in zip(self._optimizer.param_groups, counters["rates"], strict=True):
            group["lr"] = rate
        console.print(f"going on at step {self._step} of {self._steps}")


def _decay_groups(model: PreTrainedModel, recipe: Recipe) -> list[dict[str, Any]]:
    plain: list[torch.nn.Parameter] = []
    decayed: list[torch.nn.Parameter] = []
    for parameter in model.parameters():
        (decayed if parameter.ndim > 1 else plain).append(parameter)
    return [
        {"params": decayed, "weight_decay": recipe.weight_decay, "lr": recipe.learning_rate},
        {"params": plain, "weight_decay": 0.0, "lr": recipe.learning_rate},
    ]


def _on(model: PreTrainedModel, device: torch.device) -> PreTrainedModel:
    torch.nn.Module.to(model, device)  # the override of transformers hides the types
    return model


def _bfloat16_pays(recipe: Recipe, device: torch.device) -> bool:
    if recipe.precision != "auto":
        return recipe.precision == "bfloat16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    # Without these instructions a processor computes bfloat16 slower than float32. torch has no
    # public name for the question yet.
    return bool(torch.cpu._is_avx512_bf16_supported())  # noqa: SLF001
