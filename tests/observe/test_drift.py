"""Drift: what a window of counts reports, and that it stays small."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.checkpoint.calibration import Reference
from service.observe.drift import (
    BLOCK_RECORDS,
    BLOCKS_MAX,
    LANGUAGES_MAX,
    LANGUAGES_REPORTED,
    OTHER,
    RECORDS_MIN,
    TOKEN_EDGES,
    DriftWindow,
    stability_index,
)
from service.records import Document, Message, Reading, TextStats, Unscored, Verdict
from tools.values import record

MESSAGE = Message(record(), "text", {})
# Half of the scores at either end, texts of up to 16 tokens, one unknown token in ten.
REFERENCE = Reference((0.5, *(0.0,) * 8, 0.5), (0.0, 1.0, 0.0, 0.0, 0.0, 0.0), 0.1, {"en": 1.0})
# Shares of three labels; the middle one has no influence on the score of the last.
THREE = Reference(
    (0.8, *(0.0,) * 8, 0.2),
    REFERENCE.tokens,
    0.1,
    {},
    {"NEGATIVE": 0.4, "NEUTRAL": 0.4, "POSITIVE": 0.2},
)


def _verdict(
    score: float = 0.99,
    tokens: int = 12,
    unknown: float = 0.1,
    windows: int = 1,
    language: str | None = "en",
) -> Verdict:
    stats = TextStats(tokens, truncated=False, windows=windows, unknown_share=unknown)
    document = Document(MESSAGE, ([0] * tokens,), stats, language)
    scores = {"NEGATIVE": 1 - score, "POSITIVE": score}
    return Verdict(document, Reading("POSITIVE", score, scores, True))


def _alternating(window: DriftWindow, count: int) -> None:
    for number in range(count):
        window.record(_verdict(0.99 if number % 2 else 0.01))


def test_without_a_change_there_is_no_drift() -> None:
    """All indices are present and near 0."""
    window = DriftWindow(REFERENCE)
    _alternating(window, RECORDS_MIN)
    drift = window.drift()
    assert {"scores", "tokens", "unknown", "languages"} == set(drift.indices)
    assert dict.fromkeys(drift.indices, 0.0) == pytest.approx(drift.indices, abs=0.02)
    assert (RECORDS_MIN, 0.0, {"en": 1.0}) == (drift.records, drift.long, drift.languages)
    assert drift.unknown == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("changed", "moved"),
    [
        (_verdict(0.5), {"scores"}),
        (_verdict(0.01, tokens=100), {"tokens"}),
        (_verdict(0.01, unknown=0.6), {"unknown"}),
        (_verdict(0.01, language="de"), {"languages"}),
        (_verdict(0.01, language=None), {"languages"}),
    ],
)
def test_each_index_moves_alone(changed: Verdict, moved: set[str]) -> None:
    """If half of the input changes in one way, that index is over 0.25 and all others near 0."""
    window = DriftWindow(REFERENCE)
    for _ in range(RECORDS_MIN):
        window.record(_verdict(0.99))
        window.record(changed)
    indices = window.drift().indices
    assert moved == {name for name, index in indices.items() if index > 0.25}
    assert all(index < 0.1 for name, index in indices.items() if name not in moved)


@pytest.mark.parametrize(
    ("of_ten", "moved"),
    [
        ({"NEGATIVE": 4, "NEUTRAL": 4, "POSITIVE": 2}, set()),
        ({"NEGATIVE": 7, "NEUTRAL": 1, "POSITIVE": 2}, {"labels"}),
        ({"NEGATIVE": 0, "NEUTRAL": 8, "POSITIVE": 2}, {"labels"}),
        ({"NEGATIVE": 4, "NEUTRAL": 4, "MIXED": 2}, {"labels", "scores"}),
    ],
)
def test_the_index_of_labels_covers_those_between_the_poles(
    of_ten: dict[str, int], moved: set[str]
) -> None:
    """A shift between negative and neutral does not move the scores of the last label."""
    window = DriftWindow(THREE)
    for _ in range(RECORDS_MIN // 10):
        for likeliest, count in of_ten.items():
            names = ("NEGATIVE", "NEUTRAL", "MIXED", "POSITIVE")
            scores = {name: 0.97 if name == likeliest else 0.01 for name in names}
            for _ in range(count):
                # The label of unsure texts must not be counted.
                reading = Reading("UNSURE", 0.97, scores, confident=False)
                window.record(replace(_verdict(), reading=reading))
    indices = window.drift().indices
    assert {"scores", "labels", "tokens", "unknown"} == set(indices)
    assert moved == {name for name, index in indices.items() if index > 0.25}
    assert all(index < 0.1 for name, index in indices.items() if name not in moved)


def test_no_index_without_a_reference_or_too_few_records() -> None:
    """Shares are reported all the same."""
    window = DriftWindow(REFERENCE)
    _alternating(window, RECORDS_MIN - 1)
    assert {} == window.drift().indices
    assert RECORDS_MIN - 1 == window.drift().records
    bare = DriftWindow()
    _alternating(bare, RECORDS_MIN)
    assert {} == bare.drift().indices
    assert {"en": 1.0} == bare.drift().languages
    assert DriftWindow().drift().records == 0


def test_unscored_texts_count_for_input_features_only() -> None:
    """Length and language, but not scores."""
    window = DriftWindow(REFERENCE)
    for _ in range(RECORDS_MIN):
        window.record(Unscored(MESSAGE, "de"))
    drift = window.drift()
    assert {"tokens", "unknown", "languages"} == set(drift.indices)
    assert {"de": 1.0} == drift.languages


def test_the_window_forgets() -> None:
    """Old records are no longer counted, and the size of the window is bounded."""
    window = DriftWindow(REFERENCE)
    for _ in range(BLOCK_RECORDS):
        window.record(_verdict(0.5, language="de", windows=3))
    assert window.drift().long == 1.0
    assert window.drift().indices["scores"] > 0.25
    _alternating(window, BLOCK_RECORDS * BLOCKS_MAX)
    drift = window.drift()
    assert BLOCK_RECORDS * BLOCKS_MAX == drift.records
    assert (0.0, {"en": 1.0}) == (drift.long, drift.languages)
    assert drift.indices["scores"] < 0.1
    for number in range(3 * BLOCK_RECORDS):
        window.record(_verdict())
        assert window.drift().records <= BLOCK_RECORDS * BLOCKS_MAX, number
    assert len(window._blocks) == BLOCKS_MAX


def test_languages_are_bounded() -> None:
    """With any number of languages; those not reported by name are one, and shares sum to 1."""
    window = DriftWindow()
    for number in range(10 * LANGUAGES_MAX):
        window.record(_verdict(language=f"x{number % (2 * LANGUAGES_MAX)}"))
    for _ in range(10):
        window.record(_verdict(language=None))
    assert all(len(block.languages) <= LANGUAGES_MAX + 1 for block in window._blocks)
    languages = window.drift().languages
    assert len(languages) <= LANGUAGES_REPORTED + 1
    assert languages[OTHER] > 0.5
    assert sum(languages.values()) == pytest.approx(1)


@pytest.mark.parametrize("tokens", [1, 8, 9, 128, 129, 4096])
def test_a_bin_of_tokens_includes_its_upper_edge(tokens: int) -> None:
    """As in `calibration.Reference`: up to 8, up to 16, ..., more than 128."""
    expected = sum(tokens > edge for edge in TOKEN_EDGES)
    window = DriftWindow(Reference(REFERENCE.scores, tuple(
        float(n == expected) for n in range(len(TOKEN_EDGES) + 1)), 0.1, {}))  # fmt: skip
    for _ in range(RECORDS_MIN):
        window.record(_verdict(tokens=tokens))
    assert window.drift().indices["tokens"] == pytest.approx(0)


shares = st.lists(st.integers(0, 1000), min_size=2, max_size=8).filter(any)


@given(shares, st.data())
def test_the_index_behaves_like_a_distance(expected: list[int], data: st.DataObject) -> None:
    """Never negative, 0 for equal shares of another total, and symmetric."""
    found = data.draw(
        st.lists(st.integers(0, 1000), min_size=len(expected), max_size=len(expected)).filter(any)
    )
    index = stability_index(expected, found)
    assert index >= 0
    assert stability_index(found, expected) == pytest.approx(index)
    assert stability_index(expected, [3 * count for count in expected]) == pytest.approx(0)


def test_the_index_as_computed_by_hand() -> None:
    """(0.8 - 0.5) ln(0.8 / 0.5) + (0.2 - 0.5) ln(0.2 / 0.5)."""
    assert stability_index((0.5, 0.5), (8, 2)) == pytest.approx(0.3 * 0.4700 + 0.3 * 0.9163, 1e-3)
