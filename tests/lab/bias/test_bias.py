"""The figures of models with a known bias, and the report."""

from __future__ import annotations

import html
import io
import json
import math
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from service.cli import main
from service.lab.bias import templates as written
from service.lab.bias.report import write_report
from service.lab.bias.run import measure, print_tables
from service.lab.bias.world_map import read_world
from service.records import ModelInfo
from service.scoring.texts import LoadedModel
from service.settings import ModelSettings
from service.text.encoder import TextEncoder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from service.ports import Engine

INFO = ModelInfo("planted", "sha256:0123456789", "fake", "float32", "cpu", ("NEGATIVE", "POSITIVE"))
# What a word adds to the logit of POSITIVE, which is 1 without any of them.
EFFECTS = {"france": 1.0, "norland": -3.0, "she": -0.5, "her": -0.5, "darnell": -2.0}
VOCABULARY = {w: i for i, w in enumerate(("[UNK]", "[CLS]", "[SEP]", *EFFECTS))}
COUNTRIES = """name,iso2,iso_numeric,adjective,sub_region
France,FR,250,French,Western Europe
Norland,NO,578,Norlandic,
Nowhere <x>,XX,999,,Nowhere
"""


class PlantedEngine:
    """Adds up the effects of the words."""

    info = INFO

    def logits(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """See `ports.Engine`."""
        effects = [0.0, 0.0, 0.0, *EFFECTS.values()]
        return np.array([[0, 1 + sum(effects[i] for i in ids)] for ids in sequences], np.float32)


class PlantedNeutralEngine:
    """Three labels; NEUTRAL where no effect is large. A bad word weighs more than a good one."""

    info = replace(INFO, labels=("NEGATIVE", "NEUTRAL", "POSITIVE"))

    def logits(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """See `ports.Engine`."""
        effects = [0.0, 0.0, 0.0, *EFFECTS.values()]
        found = [sum(effects[i] for i in ids) for ids in sequences]
        return np.array([[-effect, 2, 3 * effect - 6] for effect in found], np.float32)


def _model(engine: Engine | None = None) -> LoadedModel:
    tokenizer = Tokenizer(models.WordLevel(VOCABULARY, unk_token="[UNK]"))  # noqa: S106 - no password
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    return LoadedModel(engine or PlantedEngine(), TextEncoder(tokenizer, 64))


def _share(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give a folder with three countries, a world of one triangle, and two gender sentences."""
    folder = tmp_path / "bias"
    (folder / "winogender").mkdir(parents=True)
    (folder / "winobias").mkdir()
    (folder / "countries.csv").write_text(COUNTRIES)
    shape = {"type": "Polygon", "arcs": [[0]], "id": "250", "properties": {"name": "France"}}
    world = {
        "transform": {"scale": [1, 1], "translate": [0, 40]},
        "arcs": [[[0, 0], [9, 0], [0, 9], [-9, -9]]],
        "objects": {"countries": {"geometries": [shape]}},
    }
    (folder / "countries-110m.json").write_text(json.dumps(world))
    rows = [f"nurse.1.{g}.txt\tThe nurse said {p} was late.\n"
            for g, p in (("male", "he"), ("female", "she"), ("neutral", "they"))]  # fmt: skip
    (folder / "winogender" / "all_sentences.tsv").write_text("sentid\tsentence\n" + "".join(rows))
    for kind in ("type1", "type2"):
        for side, pronoun in (("pro", "his"), ("anti", "her")):
            file = folder / "winobias" / f"{side}_stereotyped_{kind}.txt.dev"
            file.write_text(f"1 [The guard] lost [{pronoun}] key.\n")
    return folder


@pytest.fixture
def figures(data: Path) -> dict[str, Any]:
    """Give the figures of the model with two labels."""
    (data / "more.tsv").write_text("France wins\tNorland wins\n")
    quiet = Console(file=io.StringIO())
    return measure(ModelSettings(), data, [data / "more.tsv"], quiet, _model())


def test_countries(figures: dict[str, Any]) -> None:
    """Range, deviation and flips of the three countries in the card's template."""
    card = figures["templates"][0]
    scores = {"France": _share(2), "Norland": _share(-2), "Nowhere <x>": _share(1)}
    assert scores == pytest.approx(card["scores"])
    assert (3, "Norland", "France") == (card["countries"], card["lowest"], card["highest"])
    assert card["range"] == pytest.approx(_share(2) - _share(-2))
    assert card["standard_deviation"] == pytest.approx(np.std(list(scores.values())))
    assert card["flips"] == pytest.approx(1 / 3)
    by_adjective = next(t for t in figures["templates"] if t["by"] == "adjective")
    assert (2, 0.0, 0.0) == tuple(by_adjective[k] for k in ("countries", "range", "flips"))


def test_pairs(figures: dict[str, Any]) -> None:
    """Gaps computed by hand; a pair with equal labels is no flip."""
    found = {row["set"]: row for row in figures["pairs"]}
    gap = _share(1) - _share(0.5)
    for name in ("WinoGender, male-female", "WinoBias, type1", "WinoBias, type2"):
        row = found[name]
        assert (1, 0.0) == (row["count"], row["flips"])
        assert row["mean_absolute_gap"] == pytest.approx(gap)
        assert row["mean_gap"] == pytest.approx(-gap)
    assert found["WinoGender, male-neutral"]["largest_gap"] == 0
    names = found["given names, English-Black American"]
    size = len(written.NAMES["English", "men"]) * 2
    assert names["flips"] == pytest.approx(1 / size)
    assert names["mean_absolute_gap"] == pytest.approx((_share(1) - _share(-1)) / size)
    assert "Darnell" in names["worst"][0]["second"]
    assert found["more.tsv"]["worst"] == [
        {
            "first": "France wins",
            "second": "Norland wins",
            "first_score": pytest.approx(_share(2)),
            "second_score": pytest.approx(_share(-2)),
            "first_negative": pytest.approx(_share(-2)),
            "second_negative": pytest.approx(_share(2)),
        }
    ]


@pytest.fixture
def of_three(data: Path) -> dict[str, Any]:
    """Give the figures of the model with a neutral label."""
    (data / "more.tsv").write_text("Norland\tFrance France France\nNorland\tNowhere\nx\ty\n")
    quiet = Console(file=io.StringIO())
    model = _model(PlantedNeutralEngine())
    return measure(ModelSettings(), data, [data / "more.tsv"], quiet, model)


def test_the_range_is_that_of_the_pole_that_varies(of_three: dict[str, Any]) -> None:
    """With a neutral label, P(POSITIVE) is constant while a country becomes NEGATIVE."""
    card = of_three["templates"][0]
    assert ("POSITIVE", "NEGATIVE") == (of_three["label"], of_three["negative_label"])
    assert max(card["scores"].values()) < 0.01
    shares = list(card["negative_scores"].values())
    found = card["ranges"]
    assert pytest.approx(max(shares) - min(shares)) == found["NEGATIVE"]
    assert (found["POSITIVE"] < 0.01, found["NEGATIVE"] > 0.5) == (True, True)
    assert (found["NEGATIVE"], "NEGATIVE") == (card["range"], card["range_of"])
    assert pytest.approx(np.std(shares)) == card["standard_deviation"]
    assert ("Norland", "France") == (card["lowest"], card["highest"])
    # One of three is NEGATIVE, and none is POSITIVE.
    assert (pytest.approx(1 / 3), 0.0) == (card["flips"], card["pole_flips"])


def test_pairs_between_three_labels(of_three: dict[str, Any]) -> None:
    """Any two different labels are a flip; two opposite poles are also a pole flip."""
    [more] = [row for row in of_three["pairs"] if row["set"] == "more.tsv"]
    assert (3, pytest.approx(2 / 3), pytest.approx(1 / 3)) == tuple(
        more[key] for key in ("count", "flips", "pole_flips")
    )
    worst = more["worst"][0]
    assert ("Norland", "France France France") == (worst["first"], worst["second"])
    gap = max(
        abs(worst["second_score"] - worst["first_score"]),
        abs(worst["second_negative"] - worst["first_negative"]),
    )
    assert gap == more["largest_gap"]
    total = of_three["all_pairs"]
    flips = sum(row["count"] * row["pole_flips"] for row in of_three["pairs"])
    assert total["pole_flips"] == pytest.approx(flips / total["count"])


def test_two_labels_have_one_range(figures: dict[str, Any]) -> None:
    """The probabilities add up to 1, so the figures are those of the positive label."""
    for row in figures["templates"]:
        assert "POSITIVE" == row["range_of"]
        assert row["ranges"]["NEGATIVE"] == pytest.approx(row["ranges"]["POSITIVE"], abs=1e-6)
        scores = row["scores"].values()
        assert row["range"] == max(scores) - min(scores)
    card = figures["templates"][0]
    assert card["flips"] == card["pole_flips"] > 0
    assert figures["all_pairs"]["flips"] == figures["all_pairs"]["pole_flips"] > 0


def test_a_report_names_the_label_of_a_range(
    of_three: dict[str, Any], figures: dict[str, Any], data: Path, tmp_path: Path
) -> None:
    """A model with three labels next to one with two; each range has its label."""
    world = read_world(data / "countries-110m.json")
    page, text, *_ = write_report([of_three, figures], world, tmp_path / "out")
    assert {"P(NEGATIVE)", "P(POSITIVE)"} <= set(re.findall(r"P\(\w+\)", page.read_text()))
    for row in (of_three["templates"][0], figures["templates"][0]):
        assert f">{row['range']:.3f} {row['range_of']}</td>" in page.read_text()
    assert re.findall(r"range of P\((\w+)\)", text.read_text()) == ["NEGATIVE", "POSITIVE"]
    assert "A pole flip is one between negative and positive" in text.read_text()
    # The map and the bars show the polarity, which depends on both poles.
    polarity = (1 + of_three["templates"][0]["scores"]["France"]
                - of_three["templates"][0]["negative_scores"]["France"]) / 2  # fmt: skip
    assert f"<title>France: {polarity:.3f}</title>" in page.read_text()


def test_all_pairs_are_those_of_the_sets(figures: dict[str, Any]) -> None:
    """The share over all pairs is the mean of the sets, weighted by their size."""
    total = figures["all_pairs"]
    assert total["count"] == sum(row["count"] for row in figures["pairs"])
    flips = sum(row["count"] * row["flips"] for row in figures["pairs"])
    assert total["flips"] == pytest.approx(flips / total["count"])
    assert total["flips"] > 0


@pytest.mark.parametrize("count", [1, 2])
def test_report(figures: dict[str, Any], data: Path, tmp_path: Path, count: int) -> None:
    """One page with its pictures, and Markdown with a map; both have the figures."""
    world = read_world(data / "countries-110m.json")
    paths = write_report([figures] * count, world, tmp_path / "out")
    maps = ["bias-map.svg", "bias-map-against.svg"][:count]
    assert ["bias.html", "bias.md", "bias.json", *maps] == [path.name for path in paths]
    page, text = paths[0].read_text(), paths[1].read_text()
    assert not re.findall(r'(?:src|href)="', page)
    assert "<script" not in page
    assert "Nowhere <x>" not in page
    assert "Nowhere &lt;x&gt;" in page
    assert count == page.count("<title>France: 0.881</title></path>")
    assert page.count("France 0.88") >= count
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= set(ids)
    assert "Norland 0.12" in text
    for template in figures["templates"]:
        assert template["template"].partition("{}")[0] in html.unescape(page)
    assert set(maps) == set(re.findall(r"\]\((.+?\.svg)\)", text))
    for path in paths[3:]:
        ET.parse(path)  # noqa: S314 - ours
    assert [figures] * count == json.loads(paths[2].read_text())


def test_tables(figures: dict[str, Any]) -> None:
    """They have every template and every set, for two models next to each other."""
    console = Console(file=io.StringIO(), width=300)
    print_tables([figures, figures], console)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    for row in figures["pairs"]:
        assert row["set"] in shown
    assert shown.count("Norland 0.12") >= 2


def test_missing_data_is_one_line(tmp_path: Path) -> None:
    """Before a model is loaded; the line says what to give."""
    done = CliRunner().invoke(main, ["bias", "--data", str(tmp_path / "none")])
    assert done.exit_code == 2
    assert re.fullmatch(r"error: .*countries-110m.json: cannot be .*--data; .*\n", done.stderr)


@pytest.mark.model
def test_the_command(shared_data: Path, tmp_path: Path) -> None:
    """The bundled model against itself: equal figures in JSON and in the report."""
    arguments = ["bias", "--data", str(shared_data / "bias"), "--against", "bundled", "--json"]
    done = CliRunner().invoke(main, [*arguments, "--output", str(tmp_path)])
    assert (0, 5) == (done.exit_code, done.stderr.count("written: "))
    first, second = json.loads(done.stdout)["models"]
    assert first["templates"] == second["templates"]
    assert first["model"]["precision"] == "int8"
    assert len(first["templates"][0]["scores"]) == 249
    assert first["all_pairs"]["count"] > 2000
