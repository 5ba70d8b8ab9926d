"""Training: the base model is converted exactly, a run is repeatable, resumable, and leak-free."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from service.errors import InputError
from service.lab.data.domains import LABELS
from service.lab.data.glue import Example, hold_out, read_glue
from service.lab.teaching.mixture import read_mixture
from service.lab.teaching.recipe import Recipe
from service.lab.teaching.sources import Sources
from service.lab.training.card import HAND_WRITTEN, write_card

torch = pytest.importorskip("torch")
from safetensors.torch import load_file  # noqa: E402 - only where torch is installed
from transformers import AutoModel, AutoModelForSequenceClassification  # noqa: E402

from service.checkpoint.calibration import read_calibration  # noqa: E402
from service.lab.training.averaged import train  # noqa: E402
from service.lab.training.base_model import load_base  # noqa: E402
from service.lab.training.calibrate import calibrate  # noqa: E402
from service.lab.training.teachers import teacher_probabilities  # noqa: E402
from service.lab.training.train import Trainer  # noqa: E402
from tools.domain_files import sources as domain_sources  # noqa: E402
from tools.tiny_checkpoints import write_tiny_encoder  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from service.lab.training.batches import Row

pytestmark = pytest.mark.model

RECIPE = Recipe(
    learning_rate=1e-3, batch_size=4, warmup_steps=2, epochs=2, average_decay=0.9, held_out=4,
    evaluate_every=3, precision="float32", seed=5,
)  # fmt: skip


def sentence(number: int) -> str:
    """Words of the tiny vocabulary, enough for a held-out sentence."""
    return " ".join(f"w{(number * 7 + j) % 90}" for j in range(13))


def write_sources(folder: Path) -> Sources:
    """Files of every form with both labels; the last posts have no label."""
    data, posts, tweets = (folder / f"{name}.tsv" for name in ("train", "posts", "tweets"))
    rows = "".join(f"{sentence(i)}\t{i % 2}\n" for i in range(40))
    data.write_text("sentence\tlabel\n" + rows)
    labels = ("1", "3", "2", "1,3")
    posts.write_text("".join(f"{sentence(50 + i)}\t{labels[i % 4]}\tid\n" for i in range(24)))
    tweets.write_text("".join(f"{i}\t{i % 5 - 2}\t{sentence(80 + i)}\n" for i in range(24)))
    (folder / "countries.csv").write_text(
        "name,iso2,iso_numeric,adjective,sub_region\n"
        + "".join(f"w{i},A{i},{i:03},w{i + 30},Everywhere\n" for i in range(10))
    )
    return Sources(data, posts, tweets, countries=folder)


def only_data(folder: Path) -> Sources:
    """Only reviews; the test file is the training file."""
    return Sources(write_sources(folder).data, test=folder / "train.tsv")


def trained(
    folder: Path, output: str, recipe: Recipe = RECIPE, interrupt_at: int | None = None
) -> dict[str, Tensor]:
    """Train to the end, with an interruption if asked; return the weights."""
    base = write_tiny_encoder(folder / "base")
    sources = write_sources(folder) if recipe.consistency_every else only_data(folder)
    quiet = Console(file=io.StringIO())
    if interrupt_at is not None:
        original = Trainer._train_step

        def step(trainer: Trainer, batch: list[Row]) -> float:
            if trainer._step == interrupt_at:
                raise KeyboardInterrupt
            return original(trainer, batch)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Trainer, "_train_step", step)
            with pytest.raises(KeyboardInterrupt):
                train(base, sources, folder / output, recipe, quiet)
    figures = train(base, sources, folder / output, recipe, quiet, "tiny")
    assert figures == json.loads((folder / output / "training.json").read_text())
    assert "| best step " in (folder / output / "README.md").read_text()
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


def test_an_interrupted_run_ends_like_an_uninterrupted_one(tmp_path: Path) -> None:
    """Resuming loses nothing: the weights are the same to the bit."""
    recipe = replace(RECIPE, consistency_every=2)
    whole = trained(tmp_path, "whole", recipe)
    resumed = trained(tmp_path, "resumed", recipe, interrupt_at=7)
    assert whole.keys() == resumed.keys()
    for name, tensor in whole.items():
        assert torch.equal(tensor, resumed[name]), name


def test_frozen_embeddings_stay_as_they_were(tmp_path: Path) -> None:
    """They are the base model's in half precision; the layers above have changed."""
    weights = trained(tmp_path, "frozen", replace(RECIPE, freeze_embeddings=True))
    base = {k: v.half() for k, v in load_base(tmp_path / "base").state_dict().items()}
    word = "distilbert.embeddings.word_embeddings.weight"
    layer = "distilbert.transformer.layer.0.ffn.lin1.weight"
    assert torch.equal(base[word], weights[word])
    assert not torch.equal(base[layer], weights[layer])


def test_runs_are_done_once_and_averaged_with_the_base(tmp_path: Path) -> None:
    """Each weight is the mean of both runs, mixed with the base model; no run is repeated."""
    base = trained(tmp_path, "start")
    recipe = replace(RECIPE, runs=2, base_share=0.5, epochs=1)
    start, quiet = tmp_path / "start", Console(file=io.StringIO())
    figures = train(start, only_data(tmp_path), tmp_path / "output", recipe, quiet)
    assert 2 == figures["recipe"]["runs"]
    runs = [tmp_path / f"output.run-{number}" for number in (1, 2)]
    states = [load_file(run / "model.safetensors") for run in runs]
    assert [5, 6] == [json.loads((r / "training.json").read_text())["recipe"]["seed"] for r in runs]
    for name, tensor in load_file(tmp_path / "output" / "model.safetensors").items():
        mean = base[name].float() / 2 + sum(state[name].float() for state in states) / 4
        torch.testing.assert_close(tensor.float(), mean, rtol=2e-3, atol=1e-4)
    written = (runs[0] / "model.safetensors").stat().st_mtime_ns
    train(start, only_data(tmp_path), tmp_path / "output", recipe, quiet)
    assert written == (runs[0] / "model.safetensors").stat().st_mtime_ns


def test_a_student_learns_from_its_teacher_and_not_from_the_label(tmp_path: Path) -> None:
    """With all weight on a teacher that learned the opposite labels, the student agrees with it."""
    base, quiet = write_tiny_encoder(tmp_path / "base"), Console(file=io.StringIO())
    long = replace(RECIPE, epochs=12, average_decay=0.0, evaluate_every=200)
    turned = write_sources(tmp_path)
    text = turned.data.read_text()
    turned.data.write_text(text.replace("\t1\n", "\t-\n").replace("\t0", "\t1").replace("-", "0"))
    train(base, turned, tmp_path / "teacher", long, quiet)
    turned.data.write_text(text)
    sources = Sources(turned.data, teachers=(tmp_path / "teacher",))
    figures = train(base, sources, tmp_path / "pupil", replace(long, teacher_share=1.0), quiet)
    assert figures["teachers"] == "teacher"
    assert "taught by teacher" in (tmp_path / "pupil" / "README.md").read_text()
    sentences = read_mixture(sources, long).teacher_texts
    says = [
        teacher_probabilities([tmp_path / name], sentences, quiet) for name in ("teacher", "pupil")
    ]
    agreed = [(says[0][s] > 0.5) == (says[1][s] > 0.5) for s in sentences]
    assert sum(agreed) >= 0.9 * len(sentences)


@pytest.mark.parametrize(("teachers", "share"), [((), 0.5), (("base",), 0.0)])
def test_a_teacher_needs_a_weight(tmp_path: Path, teachers: tuple[str, ...], share: float) -> None:
    """One without the other is most likely a mistake, and refused before any work."""
    base = write_tiny_encoder(tmp_path / "base")
    data = write_sources(tmp_path).data
    sources = Sources(data, teachers=tuple(tmp_path / name for name in teachers))
    with pytest.raises(InputError, match="need each other"):
        train(base, sources, tmp_path / "x", replace(RECIPE, teacher_share=share), Console())


def test_consistency_needs_countries(tmp_path: Path) -> None:
    """They are checked before training."""
    with pytest.raises(InputError, match="--countries"):
        train(
            write_tiny_encoder(tmp_path / "base"), only_data(tmp_path), tmp_path / "output",
            replace(RECIPE, consistency_every=2), Console(file=io.StringIO()),
        )  # fmt: skip


def test_what_is_written_by_hand_stays_in_the_card(tmp_path: Path) -> None:
    """A new run only replaces the text above it."""
    trained(tmp_path, "output")
    card = tmp_path / "output" / "README.md"
    assert "## Limits" in card.read_text()
    card.write_text(card.read_text().partition(HAND_WRITTEN)[0] + HAND_WRITTEN + "\nBy {hand}.\n")
    write_card(tmp_path / "output", json.loads((tmp_path / "output/training.json").read_text()))
    assert card.read_text().endswith(HAND_WRITTEN + "\nBy {hand}.\n")


def test_the_output_is_an_ordinary_checkpoint(tmp_path: Path) -> None:
    """Transformers loads it, in half precision, with the names of the labels."""
    trained(tmp_path, "output")
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "output")
    assert {0: "NEGATIVE", 1: "POSITIVE"} == model.config.id2label
    assert torch.float16 == model.dtype


def test_held_out_sentences_do_not_leak() -> None:
    """No fragment of a held-out sentence of four words or more is trained on."""
    whole = "one two three four five six seven eight nine ten eleven twelve"
    rows = [
        Example(whole, 1),
        Example("three four five six", 1),
        Example("three four", 0),
        Example("something else entirely here", 0),
    ]
    train, held = hold_out(rows, 1, seed=1)
    assert [whole] == [e.text for e in held]
    assert ["three four", "something else entirely here"] == [e.text for e in train]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"text\tlabel\nfine\t1\n", "first line"),
        (b"sentence\tlabel\nno label\n", ":2:"),
        (b"sentence\tlabel\ncaf\xe9\t1\n", "UTF-8"),
    ],
)
def test_a_wrong_file_is_reported_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    """With the error and its place."""
    path = tmp_path / "data.tsv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_glue(path)


def test_quotes_are_text_and_carriage_returns_are_not(tmp_path: Path) -> None:
    """There is no quoting in GLUE files."""
    path = tmp_path / "data.tsv"
    path.write_bytes(b'sentence\tlabel\r\n"quoted\t1\r\nsays "so"\t0\r\n')
    assert [Example('"quoted', 1), Example('says "so"', 0)] == read_glue(path)


def test_a_model_with_two_labels_becomes_one_with_three(tmp_path: Path) -> None:
    """The logits of the poles are as before, and the one between them is 0."""
    base = write_tiny_encoder(tmp_path / "base")
    train(base, only_data(tmp_path), tmp_path / "poles", RECIPE, Console(file=io.StringIO()))
    two, three = load_base(tmp_path / "poles"), load_base(tmp_path / "poles", LABELS)
    ids = torch.tensor([[2, 17, 40, 8, 3]])
    with torch.inference_mode():
        before, after = (torch.nn.Module.eval(m)(ids).logits[0].tolist() for m in (two, three))
    assert after == pytest.approx([before[0], 0.0, before[1]], abs=1e-6)
    assert three.config.id2label == dict(enumerate(LABELS))


def test_three_labels_are_trained_and_calibrated(tmp_path: Path) -> None:
    """With everything that needs three labels: lessons, altered texts, teachers for reviews."""
    base = write_tiny_encoder(tmp_path / "base")
    quiet = Console(file=io.StringIO())
    files = tmp_path / "files"
    files.mkdir()
    sources = replace(domain_sources(files), countries=write_sources(tmp_path).countries)
    train(base, only_data(tmp_path), tmp_path / "poles", RECIPE, quiet)
    recipe = replace(
        RECIPE, lessons=40, balance=0.7, altered_share=0.5, normaliser=2, consistency_every=2,
        teacher_share=0.5, epochs=1,
    )  # fmt: skip
    asked = replace(sources, teachers=(tmp_path / "poles",))
    figures = train(tmp_path / "poles", asked, tmp_path / "three", recipe, quiet)
    assert figures["labels"] == list(LABELS)
    assert set(figures["held_out_recall"]) < set(figures["held_out_accuracy"])
    assert "| macro recall on " in (tmp_path / "three" / "README.md").read_text()
    calibrate(tmp_path / "three", sources)
    assert len(read_calibration(tmp_path / "three", len(LABELS)).bias) == len(LABELS)


def test_options_for_three_labels_need_their_files(tmp_path: Path) -> None:
    """Otherwise they would be ignored without notice."""
    with pytest.raises(InputError, match="name the folder of labelled domains with --domains"):
        train(
            write_tiny_encoder(tmp_path / "base"), write_sources(tmp_path), tmp_path / "model",
            replace(RECIPE, lessons=10), Console(file=io.StringIO()),
        )  # fmt: skip
