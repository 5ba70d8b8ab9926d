"""Lines of a text, and of what kind each is; joined, they give the text to score and the counts.

Exists so that every format says in the same way what it cuts. Pure; knows no format.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Kind(Enum):
    """What a line is; only a kept one is scored."""

    KEPT = "kept"
    QUOTED = "quoted"
    SIGNATURE = "signature"
    CODE = "code"


class Line(NamedTuple):
    """One line without its end."""

    text: str
    kind: Kind = Kind.KEPT


BLANK = Line("")


class Plain(NamedTuple):
    """The text to score, and how many characters of each kind were cut."""

    text: str
    quoted_chars: int = 0
    signature_chars: int = 0
    code_chars: int = 0


def joined(lines: Iterable[Line]) -> Plain:
    """The kept lines as a text, with at most one blank line between two of them.

    White space at the ends of a line is neither kept nor counted.
    """
    kept: list[str] = []
    cut = dict.fromkeys(Kind, 0)
    is_gap = False
    for text, kind in lines:
        bare = text.strip()
        if kind is not Kind.KEPT or not bare:
            cut[kind] += len(bare)
            is_gap = True
            continue
        if is_gap and kept:
            kept.append("")
        kept.append(bare)
        is_gap = False
    return Plain("\n".join(kept), cut[Kind.QUOTED], cut[Kind.SIGNATURE], cut[Kind.CODE])


def as_lines(text: str) -> list[Line]:
    """The lines of a text, all of them kept."""
    return [Line(line) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
