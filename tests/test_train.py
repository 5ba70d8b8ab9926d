"""Training: the base model is converted exactly, a run is repeatable, resumable, and leak-free."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from service.errors import InputError
from service.lab.glue import Example, hold_out, read_glue
from service.lab.recipe import Recipe

torch = pytest.importorskip("torch")
from safetensors.torch import load_file  # noqa: E402 - only where torch is installed
from transformers import AutoModel, AutoModelForSequenceClassification  # noqa: E402

from service.lab.base_model import load_base  # noqa: E402
from service.lab.train import Trainer  # noqa: E402
from tiny_checkpoints import write_tiny_encoder  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

pytestmark = pytest.mark.model

RECIPE = Recipe(
    learning_rate=1e-3, batch_size=4, warmup_steps=2, epochs=2, average_decay=0.9, held_out=4,
    evaluate_every=3, precision="float32", seed=5,
)  # fmt: skip


def write_data(folder: Path) -> Path:
    """Sentences of the tiny vocabulary, long enough to be held out, with both labels."""
    rows = [
        "\t".join((" ".join(f"w{(i * 7 + j) % 90}" for j in range(13)), str(i % 2)))
        for i in range(40)
    ]
    path = folder / "train.tsv"
    path.write_text("sentence\tlabel\n" + "\n".join(rows) + "\n")
    return path


def trained(folder: Path, output: str, interrupt_at: int | None = None) -> dict[str, Tensor]:
    """Train to the end, perhaps interrupted once; gives the weights."""
    base = write_tiny_encoder(folder / "base")
    data = write_data(folder)
    if interrupt_at is not None:
        first = Trainer(base, data, folder / output, RECIPE)
        original = first._train_step

        def step(batch: list[tuple[list[int], int]]) -> float:
            if first._step == interrupt_at:
                raise KeyboardInterrupt
            return original(batch)

        first._train_step = step  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            first.run(Console(file=io.StringIO()))
    trainer = Trainer(base, data, folder / output, RECIPE, base_name="tiny", test=data)
    figures = trainer.run(Console(file=io.StringIO()))
    assert figures == json.loads((folder / output / "training.json").read_text())
    assert "| best step |" in (folder / output / "README.md").read_text()
    return load_file(folder / output / "model.safetensors")


def test_an_encoder_becomes_a_distilbert_exactly(tmp_path: Path) -> None:
    """The converted model gives the encoder's hidden states."""
    folder = write_tiny_encoder(tmp_path)
    ids = torch.tensor([[2, 17, 40, 8, 3], [2, 9, 3, 0, 0]])
    mask = (ids != 0).long()
    encoder = AutoModel.from_pretrained(folder).eval()
    converted = torch.nn.Module.eval(load_base(folder))
    with torch.inference_mode():
        expected = encoder(input_ids=ids, attention_mask=mask).last_hidden_state[mask.bool()]
        actual = converted.distilbert(ids, mask).last_hidden_state[mask.bool()]
    torch.testing.assert_close(actual, expected)


def test_an_interrupted_run_ends_like_a_whole_one(tmp_path: Path) -> None:
    """Resuming loses nothing: the weights are the same to the bit."""
    whole = trained(tmp_path, "whole")
    resumed = trained(tmp_path, "resumed", interrupt_at=7)
    assert whole.keys() == resumed.keys()
    for name, tensor in whole.items():
        assert torch.equal(tensor, resumed[name]), name


def test_the_output_is_an_ordinary_checkpoint(tmp_path: Path) -> None:
    """Transformers loads it by itself, in half precision, with the names of the labels."""
    trained(tmp_path, "output")
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "output")
    assert {0: "NEGATIVE", 1: "POSITIVE"} == model.config.id2label
    assert torch.float16 == model.dtype


def test_held_out_sentences_do_not_leak() -> None:
    """No fragment of a held-out sentence of four words or more is trained on."""
    sentence = "one two three four five six seven eight nine ten eleven twelve"
    rows = [
        Example(sentence, 1),
        Example("three four five six", 1),
        Example("three four", 0),
        Example("something else entirely here", 0),
    ]
    train, held = hold_out(rows, 1, seed=1)
    assert [sentence] == [e.text for e in held]
    assert ["three four", "something else entirely here"] == [e.text for e in train]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"text\tlabel\nfine\t1\n", "first line"),
        (b"sentence\tlabel\nno label\n", ":2:"),
        (b"sentence\tlabel\ncaf\xe9\t1\n", "UTF-8"),
    ],
)
def test_a_wrong_file_is_said_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    """What is wrong, and where."""
    path = tmp_path / "data.tsv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_glue(path)


def test_quotes_are_text_and_carriage_returns_are_not(tmp_path: Path) -> None:
    """There is no quoting in GLUE files."""
    path = tmp_path / "data.tsv"
    path.write_bytes(b'sentence\tlabel\r\n"quoted\t1\r\nsays "so"\t0\r\n')
    assert [Example('"quoted', 1), Example('says "so"', 0)] == read_glue(path)
