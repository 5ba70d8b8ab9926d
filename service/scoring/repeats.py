"""Texts that come again are not computed again: retweets and canned answers are many.

Pure: a bounded memory from token ids, which are all that a score depends on, and the rest of what
`confident` depends on, to what the model said of them. It belongs to one model on one engine, and
lives as long as that.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING

from service.records import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from service.records import Document, Outcome

_Said = tuple["str | None", "float | None", dict[str, float], "bool | None"]

# 128 bits in place of the text: no two texts meet by chance, and a long one takes no more room.
KEY_BYTES = 16


class Repeats:
    """The verdicts on the texts that came last."""

    def __init__(self, size: int) -> None:
        """Remember at most so many; 0 remembers none. Each takes about half a kilobyte."""
        self._size = size
        self._verdicts: OrderedDict[bytes, _Said] = OrderedDict()

    def score(
        self,
        documents: Sequence[Document],
        compute: Callable[[Sequence[Document]], list[Outcome]],
    ) -> list[Outcome]:
        """One outcome for each document, in order; `compute` is asked once for each new text.

        A text that the model failed on is not remembered.
        """
        if not self._size:
            return compute(documents)
        keys = [_key(document) for document in documents]
        new: dict[bytes, Document] = {}
        for key, document in zip(keys, documents, strict=True):
            if key not in self._verdicts:
                new.setdefault(key, document)
        computed = dict(zip(new, compute(list(new.values())) if new else (), strict=True))
        outcomes = [
            self._outcome(key, document, computed.get(key))
            for key, document in zip(keys, documents, strict=True)
        ]
        while len(self._verdicts) > self._size:
            self._verdicts.popitem(last=False)
        return outcomes

    def _outcome(self, key: bytes, document: Document, computed: Outcome | None) -> Outcome:
        if computed is None:
            self._verdicts.move_to_end(key)
            return Verdict(document, *self._verdicts[key], repeated=True)
        if not isinstance(computed, Verdict):
            return replace(computed, record=document.record)
        said = (computed.label, computed.score, computed.scores, computed.confident)
        self._verdicts[key] = said
        if computed.document is document:
            return computed
        return replace(computed, document=document, repeated=True)


def _key(document: Document) -> bytes:
    # With the lengths: what is joined from windows depends on where each of them ends.
    ids = array("I")
    for window in document.windows:
        ids.append(len(window))
        ids.fromlist(window)
    key = blake2b(ids.tobytes(), digest_size=KEY_BYTES)
    # Two texts may have the same tokens, of which one is longer, or in another language.
    key.update(f"{document.stats.truncated} {document.language}".encode())
    return key.digest()
