"""The live page in Chromium, with the real service and the demo's broker."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from service.demo.broker import demo_broker
from tools.page.opened import TOPICS, Stream, ask, opened, row
from tools.service_process import free_port, running_service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, Request

    from tools.service_process import ServiceProcess

CONTRAST = (Path(__file__).parents[1] / "tools" / "page" / "contrast.js").read_text(
    encoding="utf-8"
)
MARKUP = "<img src=x onerror=\"document.title='owned'\"><b>so bold</b> &amp; <script>1</script>"


@pytest.fixture(scope="module")
def stream(browser: Browser) -> Iterator[Stream]:
    """Give a broker with topics; skipped without a browser."""
    assert browser.is_connected()
    with demo_broker(TOPICS.values()) as address:
        yield Stream(address)


@pytest.fixture(scope="module")
def served(stream: Stream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """Give a service with the page, for all tests that do not stop it."""
    with running_service(tmp_path_factory.mktemp("page"), stream.settings()) as started:
        started.wait_ready()
        yield started


@pytest.fixture
def page(browser: Browser, served: ServiceProcess) -> Iterator[Page]:
    """Give the page, connected."""
    yield from opened(browser, served.port)


def test_it_shows_messages_and_dead_letters(page: Page, stream: Stream) -> None:
    """A message with its score, label, colour and source; a dead letter with its reason."""
    stream.send("What a wonderful surprise!", source="survey")
    stream.send("The worst hotel ever, awful.", source="hotel-review")
    stream.send_values(b"{not json")
    for text, label, source in (
        ("What a wonderful surprise!", "positive", "survey"),
        ("The worst hotel ever, awful.", "negative", "hotel-review"),
    ):
        shown = row(page, text)
        expect(shown).to_be_visible()
        expect(shown).to_have_attribute("data-tone", label)
        expect(shown.locator(".chip")).to_have_text(re.compile(rf"^0\.\d\d {label}$"))
        expect(shown.locator(".source")).to_have_text(source)
    expect(page.locator("#reasons li").filter(has_text="not_json")).to_be_visible()
    expect(page.locator("#letter-list li").first).to_contain_text("not_json")
    facts = page.locator("#facts")
    for fact in ("Model", "bundled", "Engine", "onnx_packed int8", "Partitions", "4", "Epoch"):
        expect(facts).to_contain_text(fact)
    expect(page.locator("#lags li")).to_have_count(4)
    for card in ("rate", "latency", "batches", "lag"):
        expect(page.locator(f"#{card} .big b")).to_have_text(re.compile(r"\d"))
    expect(page.locator("#labels .legend")).to_contain_text("positive")
    expect(page.locator("#latency h2")).to_contain_text("budget 100 ms")


def test_markup_in_a_text_is_shown_as_text(page: Page, stream: Stream) -> None:
    """Nothing that a producer sends, in the text or another field, becomes markup."""
    stream.send(MARKUP, source="<i>source</i>")
    expect(row(page, MARKUP)).to_be_visible()
    expect(row(page, MARKUP).locator(".source")).to_have_text("<i>source</i>")
    ask(page, MARKUP)
    expect(page.locator("#words")).to_have_text(MARKUP)
    assert page.title() == "sentiment-stream"
    inside = "#list img, #list script, #list bdi b, #list i, #words img, #words b, #source i"
    assert page.locator(inside).count() == 0


def test_it_is_paused_by_keyboard(page: Page, stream: Stream) -> None:
    """P pauses and resumes the list; messages that arrive meanwhile are counted, then shown."""
    stream.send("Here before the pause.")
    expect(row(page, "Here before the pause.")).to_be_visible()
    page.keyboard.press("p")
    pause = page.get_by_role("button", name="Resume")
    expect(pause).to_have_attribute("aria-pressed", "true")
    stream.send("Came while it was held.")
    expect(pause).to_have_text(re.compile(r"Resume · [1-9]\d* new"))
    assert row(page, "Came while it was held.").count() == 0
    page.keyboard.press("p")
    expect(row(page, "Came while it was held.")).to_be_visible()
    page.get_by_role("button", name="Pause", exact=True).press("Space")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    page.locator("#keys").evaluate("details => { details.open = true; }")
    page.locator("#keys-on").uncheck()
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()


def test_it_is_filtered_by_keyboard(page: Page, stream: Stream) -> None:
    """S and L focus the filters, typing chooses, Escape clears; no pointer is needed."""
    for source in ("app-review", "zeppelin-post"):
        stream.send(f"A wonderful day at the {source}.", source=source)
        stream.send(f"An awful, terrible {source}.", source=source)
    for source in ("app-review", "zeppelin-post"):
        expect(row(page, f"An awful, terrible {source}.")).to_be_visible()
    page.keyboard.press("s")
    expect(page.locator("#source")).to_be_focused()
    page.keyboard.type("zepp")
    expect(page.locator("#source")).to_have_value("zeppelin-post")
    expect(row(page, "A wonderful day at the app-review.")).to_be_hidden()
    expect(row(page, "A wonderful day at the zeppelin-post.")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.type("neg")
    expect(page.locator("#label")).to_have_value("NEGATIVE")
    expect(page.locator("#list .text")).to_have_text(["An awful, terrible zeppelin-post."])
    stream.send("Another awful app-review.", source="app-review")
    stream.send("Another awful zeppelin-post.", source="zeppelin-post")
    expect(row(page, "Another awful zeppelin-post.")).to_be_visible()
    expect(page.locator("#list li")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(row(page, "Another awful app-review.")).to_be_visible()


def test_a_sentence_is_scored_and_explained(page: Page) -> None:
    """The label, the words by their weight, and the scores with other countries."""
    page.locator("body").press("t")
    expect(page.locator("#sentence")).to_be_focused()
    ask(page, "The hotel in Kenya 🇰🇪 was awful.")
    expect(page.locator("#verdict")).to_have_text(re.compile(r"^0\.\d\d negative"))
    heaviest = page.locator("#words mark[data-tone=negative]").filter(has_text="awful.")
    assert float((heaviest.get_attribute("title") or "").removeprefix("+")) > 0.1
    expect(page.locator("#words")).to_have_text("The hotel in Kenya 🇰🇪 was awful.")
    assert 3 <= page.locator("#countries li").count() <= 20
    ask(page, "It rains.")
    expect(page.locator("#elsewhere")).to_be_hidden()
    page.locator("#sentence").fill("so " * 600)
    page.locator("#sentence").press("Enter")
    expect(page.locator("#refused")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1360])
def test_the_why_button_by_touch(
    browser: Browser, served: ServiceProcess, stream: Stream, width: int
) -> None:
    """It is visible on a touch screen, and leads to the answer without opening a keyboard."""
    size = {"width": width, "height": 800}
    for page in opened(browser, served.port, viewport=size, has_touch=True, is_mobile=True):
        stream.send("The soup was awful, and cold.")
        why = row(page, "The soup was awful, and cold.").get_by_role("button", name="Why?")
        expect(why).to_have_css("opacity", "1")
        page.get_by_role("button", name="Pause", exact=True).tap()
        why.tap()
        expect(page.locator("#words mark").filter(has_text="awful,")).to_be_in_viewport()
        expect(page.locator("#sentence")).not_to_be_focused()
        assert page.evaluate(CONTRAST) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_page_stays_small(page: Page, stream: Stream) -> None:
    """With any number of messages, the page holds a bounded number."""
    stream.send_values(*[b"{"] * 100)
    stream.send(*(f"Message number {number}, which is fine." for number in range(600)))
    # Once all are counted, the last one is alone in its beat, so that the sample contains it.
    count = "parseInt(document.querySelector('#rate .note').textContent.replace(',', ''))"
    page.wait_for_function(f"() => {count} >= 600")
    stream.send("The very last one.")
    expect(row(page, "The very last one.")).to_be_visible()
    assert page.locator("#list li").count() <= 40
    assert page.locator("#letter-list li").count() <= 12
    assert page.locator("*").count() < 1500


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1360])
def test_contrast_is_sufficient_and_nothing_is_cut_off(
    browser: Browser, served: ServiceProcess, stream: Stream, width: int, scheme: str
) -> None:
    """Text has a contrast of at least 4.5 to 1 in both schemes; phones need no sideways scroll."""
    options = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    for page in opened(browser, served.port, **options):
        stream.send("Wide enough: " + "x" * 200, "What a lovely day in France!")
        stream.send_values(b"[]")
        expect(row(page, "What a lovely day in France!")).to_be_visible()
        expect(page.locator("#letter-list li").first).to_be_visible()
        ask(page, "What a lovely day in France, and what an awful hotel!")
        page.locator("#keys").evaluate("details => { details.open = true; }")
        assert page.evaluate(CONTRAST) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Pause", exact=True).click()
        assert page.evaluate(CONTRAST) == []


def test_no_request_leaves_the_service(browser: Browser, served: ServiceProcess) -> None:
    """The page sends requests to its own service only."""
    context = browser.new_context()
    requested: list[str] = []

    def note(request: Request) -> None:
        requested.append(request.url)

    context.on("request", note)
    shown = context.new_page()
    shown.goto(f"http://127.0.0.1:{served.port}/")
    expect(shown.locator("#state")).to_have_text("Live")
    ask(shown, "It rains.")
    context.close()
    ours = f"http://127.0.0.1:{served.port}/"
    paths = {url.removeprefix(ours) for url in requested}
    assert {"", "page/page.css", "page/page.js", "feed", "explain"} <= paths
    assert [url for url in requested if not url.startswith(ours)] == []


def test_it_survives_a_restart_of_the_service(
    browser: Browser, stream: Stream, tmp_path: Path
) -> None:
    """It shows the lost connection, reconnects by itself, and follows the new settings."""
    port = free_port()
    settings = stream.settings(HTTP__PORT=str(port))
    pages = None
    for include_text in ("true", "false"):
        changed = {**settings, "DELIVERY__INCLUDE_TEXT": include_text}
        with running_service(tmp_path, changed) as service:
            service.port = port
            service.wait_ready()
            if pages is None:
                pages = opened(browser, port)
                page = next(pages)
            expect(page.locator("#state")).to_have_text("Live")
            stream.send(f"Sent with include_text={include_text}.")
            if include_text == "true":
                expect(row(page, "Sent with include_text=true.")).to_be_visible()
                expect(page.locator("#no-texts")).to_be_hidden()
            else:
                expect(page.locator("#no-texts")).to_be_visible()
                expect(page.locator("#list .place").first).to_contain_text(TOPICS["INPUT"])
                assert row(page, "Sent with include_text=false.").count() == 0
            assert service.stop() == 0
        expect(page.locator("#state")).to_contain_text("Connection lost")
    assert pages is not None
    assert list(pages) == []
