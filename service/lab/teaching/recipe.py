"""The parameters of training; separate from `train`, so that the command's help needs no torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """The parameters of training; the defaults are the published recipe of the SST-2 DistilBERT."""

    learning_rate: float = 1e-5
    batch_size: int = 32
    warmup_steps: int = 600
    length_max: int = 128
    epochs: int = 3
    steps_max: int = 0
    weight_decay: float = 0.01
    average_decay: float = 0.0
    freeze_embeddings: bool = False
    mask_share: float = 0.0
    normaliser: int = 0
    tweet_copies: int = 1
    balance: float = 0.0
    reviews_weight: float = 0.7
    altered_share: float = 0.0
    lessons: int = 0
    consistency_every: int = 0
    consistency_weight: float = 1.0
    int8: bool = False
    teacher_share: float = 0.0
    runs: int = 1
    base_share: float = 0.0
    held_out: int = 500
    evaluate_every: int = 500
    precision: str = "auto"
    split_seed: int = 1
    seed: int = 1


def same_recipe(written: dict[str, Any], recipe: Recipe) -> bool:
    """Whether a file's recipe is this one; what earlier releases do not write is the default."""
    return asdict(Recipe()) | written == asdict(recipe)


# The meaning of each parameter, for the command's help.
HELP = {
    "learning_rate": "Highest learning rate; it rises during the warm-up and then falls to zero.",
    "batch_size": "Texts in a batch.",
    "warmup_steps": "Steps until the highest learning rate.",
    "length_max": "Tokens to which a text is truncated.",
    "epochs": "Passes over the data.",
    "steps_max": "Most steps, even if an epoch has more; 0 is no limit.",
    "weight_decay": "Decay of the weight matrices.",
    "average_decay": "Decay of the moving average of the weights, which is kept; 0 for no average.",
    "freeze_embeddings": "Keep the embeddings of the base model.",
    "mask_share": "Share of the tokens of longer texts that are masked, at random in each step.",
    "normaliser": "Version of the normaliser for the texts; 0 for none.",
    "tweet_copies": "Copies of each tweet in an epoch.",
    "balance": "Weight of rare labels in a domain: 0 gives all texts the same weight, 1 all "
    "labels. Needs --domains.",
    "reviews_weight": "Weight of a sentence of --data; the mean weight in a domain is 1. Needs "
    "--domains.",
    "altered_share": "Share of the training texts that get a greeting, a handle, a typo or the "
    "like, which changes no opinion. Needs --domains.",
    "lessons": "Number of texts from templates, for what public data lacks. Needs --domains.",
    "consistency_every": "Steps between trainings on copies of texts that differ in a country, "
    "name, pronoun or group and must have equal scores; 0 for none. Needs --countries.",
    "consistency_weight": "Weight of that loss.",
    "int8": "Round the weights to what they are in int8, so that both precisions run the same "
    "weights. For DistilBERT.",
    "teacher_share": "Weight of the teachers' probability for a sentence of --data against its "
    "label, 0 to 1. Needs --teacher.",
    "runs": "Runs, with this seed and the next ones, whose weights are averaged.",
    "base_share": "Share of the base model's own weights in that average, 0 to 1.",
    "held_out": "Sentences of --data to hold out for the selection of a checkpoint.",
    "evaluate_every": "Steps between evaluations, after which training can be resumed.",
    "precision": "auto, float32 or bfloat16.",
    "split_seed": "Seed of the split and of new layers; use the same for runs to compare.",
    "seed": "Seed of the order of the texts and of dropout.",
}
