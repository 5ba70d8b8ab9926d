"""How to train; apart from `train`, so that the command's help needs no torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How to train; the defaults are the published recipe of the SST-2 DistilBERT."""

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
    teacher_share: float = 0.0
    runs: int = 1
    base_share: float = 0.0
    held_out: int = 500
    evaluate_every: int = 500
    precision: str = "auto"
    split_seed: int = 1
    seed: int = 1


# What each part means, for the command's help.
HELP = {
    "learning_rate": "Highest learning rate; it rises over the warm-up and falls to zero.",
    "batch_size": "Texts in a batch.",
    "warmup_steps": "Steps until the highest learning rate.",
    "length_max": "Tokens after which a text is cut.",
    "epochs": "Times that the data is gone through.",
    "steps_max": "Steps after which training ends even if an epoch does not; 0 is no such limit.",
    "weight_decay": "Decay of the weight matrices.",
    "average_decay": "Decay of the average of the weights that is kept; 0 keeps no average.",
    "freeze_embeddings": "Leave the embeddings as the base model has them.",
    "mask_share": "Share of the tokens of longer texts that are hidden, others each time.",
    "normaliser": "Version of the normaliser that texts pass through; 0 is none.",
    "tweet_copies": "Times that each tweet comes in an epoch.",
    "balance": "How far the labels of a domain count alike: 0 each text, 1 each label. Needs "
    "--domains.",
    "reviews_weight": "Weight of a sentence of --data; that of the mean text of a domain is 1. "
    "Needs --domains.",
    "altered_share": "Share of the texts that are trained on with a greeting, a handle, a typo or "
    "the like, which change no opinion. Needs --domains.",
    "lessons": "Texts made of templates, of what public data does not teach. Needs --domains.",
    "consistency_every": "Every so many steps, copies of texts that differ in a country, name, "
    "pronoun or group are trained to score alike; 0 never. Needs --countries.",
    "consistency_weight": "Weight of that loss.",
    "teacher_share": "Weight of what the teachers say of a sentence of --data against its label, "
    "0 to 1. Needs --teacher.",
    "runs": "Runs, with this seed and the next ones, whose weights are averaged.",
    "base_share": "Share of the base model's own weights in that average, 0 to 1.",
    "held_out": "Sentences of --data held out to choose the best checkpoint.",
    "evaluate_every": "Steps between evaluations; also where training can be resumed.",
    "precision": "auto, float32 or bfloat16.",
    "split_seed": "Seed of what is held out and of the new layers: equal for runs to compare.",
    "seed": "Seed of the order of the texts and of dropout.",
}
