"""Caches readings, so that a repeated text is not computed again: retweets, canned answers.

Pure. The key is a hash of the token ids, on which the scores depend, and of what else `confident`
depends on. A cache belongs to one model on one engine.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING

from service.records import Rejected, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from service.records import Document, Reading

# A hash of 128 bits has no collisions by chance, and a long text takes no more memory.
KEY_BYTES = 16


class Repeats:
    """The readings of recent texts; the least recently used are dropped first."""

    def __init__(self, size: int) -> None:
        """Keep at most `size` readings, of about half a kilobyte each; 0 switches the cache off."""
        self._size = size
        self._readings: OrderedDict[bytes, Reading] = OrderedDict()

    def score(
        self,
        documents: Sequence[Document],
        compute: Callable[[Sequence[Document]], list[Verdict | Rejected]],
    ) -> list[Verdict | Rejected]:
        """One outcome for each document, in order; `compute` gets each new text once.

        A text that the model failed on is not kept.
        """
        if not self._size:
            return compute(documents)
        keys = [_key(document) for document in documents]
        new: dict[bytes, Document] = {}
        for key, document in zip(keys, documents, strict=True):
            if key not in self._readings:
                new.setdefault(key, document)
        computed = dict(zip(new, compute(list(new.values())) if new else (), strict=True))
        outcomes = [
            self._outcome(key, document, computed.get(key))
            for key, document in zip(keys, documents, strict=True)
        ]
        while len(self._readings) > self._size:
            self._readings.popitem(last=False)
        return outcomes

    def _outcome(
        self, key: bytes, document: Document, computed: Verdict | Rejected | None
    ) -> Verdict | Rejected:
        if computed is None:
            self._readings.move_to_end(key)
            return Verdict(document, self._readings[key], repeated=True)
        if isinstance(computed, Rejected):
            return replace(computed, record=document.record)
        self._readings[key] = computed.reading
        return Verdict(document, computed.reading, repeated=computed.document is not document)


def _key(document: Document) -> bytes:
    # With the lengths, because the score of a long text depends on where its windows end.
    ids = array("I")
    for window in document.windows:
        ids.append(len(window))
        ids.fromlist(window)
    key = blake2b(ids.tobytes(), digest_size=KEY_BYTES)
    # The same tokens may be those of a longer text that was cut, or of one in another language.
    key.update(f"{document.stats.truncated} {document.language}".encode())
    return key.digest()
