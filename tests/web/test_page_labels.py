"""The live page in Chromium, for models with three labels, with two, and with others."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tools.page.fed import fed_page
from tools.page.opened import ask, opened, row

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


CONTRAST = (Path(__file__).parents[1] / "tools" / "page" / "contrast.js").read_text(
    encoding="utf-8"
)
THREE = ("NEGATIVE", "NEUTRAL", "POSITIVE")
STARS = ("1 star", "2 stars", "3 stars", "4 stars", "5 stars", "MIXED", "NEUTRAL")
# The luminance of the colours in the legend, from 0 to 1, as seen without hues.
SWATCHES = """() => [...document.querySelectorAll("#labels .legend i")].map((swatch) => {
  const canvas = document.createElement("canvas").getContext("2d");
  canvas.fillStyle = getComputedStyle(swatch).backgroundColor;
  canvas.fillRect(0, 0, 1, 1);
  const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data;
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
})"""


def _legend(page: Page) -> list[str]:
    return page.locator("#labels .legend li").all_inner_texts()


# Of ten texts, two are negative, five neutral, three positive, and one of each is unsure.
TEN = [
    (label, number > 0)
    for label, count in zip(THREE, (2, 5, 3), strict=True)
    for number in range(count)
]


def _expect_legend(page: Page, *lines: str) -> None:
    for place, line in enumerate(lines):
        expect(page.locator("#labels .legend li").nth(place)).to_have_text(re.compile(line))
    expect(page.locator("#labels .legend li")).to_have_count(len(lines))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1360])
def test_three_labels_have_a_share_a_colour_and_a_place(
    browser: Browser, width: int, scheme: str
) -> None:
    """Legend and chart share one order, are described in words, and colours differ in lightness."""
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    with fed_page(THREE) as fed:
        fed.repeat(TEN)
        for page in opened(browser, fed.server.port, **options):
            _expect_legend(page, "30 %.*positive", "50 %.*neutral", "20 %.*negative")
            expect(page.locator("#labels .note")).to_have_text("30 % unsure")
            tones = "nodes => nodes.map(node => node.dataset.tone)"
            layers = page.locator("#labels .layer").evaluate_all(tones)
            assert ["negative", "neutral", "positive"] == list(dict.fromkeys(layers))
            swatches = page.locator("#labels .legend i").evaluate_all(tones)
            assert ["positive", "neutral", "negative"] == swatches
            described = page.locator("#labels svg").get_attribute("aria-label")
            assert "Shares of labels: positive 30 %; neutral 50 %; negative 20 %" == described
            lightness = page.evaluate(SWATCHES)
            assert all(abs(a - b) > 0.1 for a, b in itertools.combinations(lightness, 2)), lightness
            assert page.evaluate(CONTRAST) == []
            assert page.evaluate("document.documentElement.scrollWidth") == width


def test_unsure_messages_are_marked(browser: Browser) -> None:
    """By a word; confident and unscored ones are not."""
    with fed_page(THREE) as fed:
        for page in opened(browser, fed.server.port):
            fed.tell("Room 204, at 3 pm.", "NEUTRAL", 0.97)
            fed.tell("Well, well.", "NEUTRAL", 0.41, confident=False)
            fed.tell("Guten Tag.", None, confident=None)
            for text, label, marked in (
                ("Room 204, at 3 pm.", "neutral", 0),
                ("Well, well.", "neutral", 1),
                ("Guten Tag.", "none", 0),
            ):
                expect(row(page, text)).to_have_attribute("data-tone", label)
                expect(row(page, text).get_by_text("unsure", exact=True)).to_have_count(marked)
            expect(row(page, "Guten Tag.").locator(".chip")).to_contain_text("unscored")
            page.keyboard.press("l")
            page.keyboard.type("neu")
            expect(page.locator("#list .text")).to_have_text(["Well, well.", "Room 204, at 3 pm."])


def test_labels_are_shown_before_the_first_message(browser: Browser) -> None:
    """They are the model's; nothing is said of unsure texts without thresholds."""
    with fed_page(("NEGATIVE", "POSITIVE")) as fed:
        for page in opened(browser, fed.server.port):
            _expect_legend(page, "positive", "negative")
            assert not any("%" in line for line in _legend(page))
            fed.tell("So good.", "POSITIVE")
            _expect_legend(page, "100 %.*positive", "0 %.*negative")
            expect(page.locator("#labels .note")).to_have_text("Shares over time")


def test_other_labels_keep_their_colours(browser: Browser) -> None:
    """Assigned by their order in the model; labels beyond the limit share a layer."""
    with fed_page(STARS) as fed:
        # The first label of the model comes last and is the most frequent one.
        counts = {label: 8 - place for place, label in enumerate(STARS)}
        fed.repeat([(label, True) for label in reversed(STARS) for _ in range(counts[label])])
        for page in opened(browser, fed.server.port):
            _expect_legend(
                page, "14 %.*4 stars", "17 %.*3 stars", "20 %.*2 stars", "23 %.*1 star",
                "26 %.*3 more",
            )  # fmt: skip
            assert page.locator("#labels .layer").count() <= 5
            assert page.evaluate(CONTRAST) == []
            assert {
                "1 star": "other-0", "2 stars": "other-1", "3 stars": "other-2",
                "4 stars": "other-3", "5 stars": "other-4", "MIXED": "other-0",
                "NEUTRAL": "neutral",
            } == {
                label: row(page, f"One more {label}.").get_attribute("data-tone") for label in STARS
            }  # fmt: skip


@pytest.mark.parametrize(
    ("scores", "against", "others"),
    [
        ({"NEGATIVE": 0.75, "POSITIVE": 0.25}, "positive", ""),
        (
            {"NEGATIVE": 0.6, "NEUTRAL": 0.1, "POSITIVE": 0.3},
            "none",
            "positive 0.30 · neutral 0.10",
        ),
    ],
)
def test_an_answer_shows_all_its_labels(
    browser: Browser, scores: dict[str, float], against: str, others: str
) -> None:
    """With two labels, a word against one has the other's colour; with three it has none."""
    answer = {
        "label": "NEGATIVE", "score": scores["NEGATIVE"], "confident": False, "scores": scores,
        "words": [
            {"text": "kind", "start": 0, "end": 4, "weight": -0.3},
            {"text": "but", "start": 5, "end": 8, "weight": 0.0},
            {"text": "awful", "start": 9, "end": 14, "weight": 0.5},
        ],
        "countries": [],
    }  # fmt: skip
    with fed_page(list(scores), explain=True) as fed:
        for page in opened(browser, fed.server.port):
            page.route("**/explain", lambda route: route.fulfill(json=answer))
            ask(page, "kind but awful")
            marks = page.locator("#words mark")
            expect(marks).to_have_text(["kind", "awful"])
            expect(marks.nth(0)).to_have_attribute("data-tone", against)
            expect(marks.nth(1)).to_have_attribute("data-tone", "negative")
            expect(page.locator("#others")).to_have_text(others)
            expect(page.locator("#verdict").get_by_text("unsure", exact=True)).to_be_visible()
            assert page.evaluate(CONTRAST) == []
