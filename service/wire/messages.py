"""Where the messages of a document are: the elements of lists, the data of CloudEvents.

Pure. What becomes of a message is up to `decode`.
"""

from __future__ import annotations

import contextlib
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from service.wire import cloudevents
from service.wire.documents import forms
from service.wire.documents.forms import Form
from service.wire.documents.json_values import RejectError
from service.wire.documents.pointers import cut, ends_in_empty_list, find, first_list, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from service.settings.places import Place
    from service.wire.documents.pointers import Names

# Most elements of a record. They are committed together, and take the model some seconds.
ELEMENTS_MAX = 1000
# One more shows that there are too many.
PARTS_MAX = ELEMENTS_MAX + 1


class Found(NamedTuple):
    """A message: a document cut down to it, and the names that lead to it there.

    `is_listed` if it is an element of a list, which may be empty.
    """

    document: Any
    at: Names
    is_listed: bool

    @property
    def message(self) -> Any:
        """The message itself; MISSING if there is none."""
        return find(self.document, self.at)

    @property
    def event(self) -> dict[str, Any] | None:
        """The CloudEvent whose data it is, if it is that."""
        if "data" not in self.at:
            return None
        event: dict[str, Any] = find(self.document, self.at[: self.at.index("data")])
        return event


class Messages:
    """Finds the messages of documents, for texts at these places."""

    def __init__(self, places: Sequence[Place]) -> None:
        """Look at nothing yet."""
        pointers = [pointer for place in places for pointer in place]
        self._places = places
        self._list: Names = max((pointer.in_list for pointer in pointers), key=len)
        # Whoever points into the data of a CloudEvent takes its other attributes for fields.
        self._finds_events = not any(pointer.names[:1] == ("data",) for pointer in pointers)

    def of(self, document: Any, form: Form) -> Iterator[Found]:
        """The messages of a document, in their order; an empty list counts for one.

        An array on top is a list of messages, and so is one that is the data of a CloudEvent. Where
        a string on the way holds JSON that not every reader can take, what holds it is one message.
        """
        top: Names = (None,) if isinstance(document, list) else ()
        for one in cut(document, top):
            try:
                event, at = self._event(one, top, form)
            except RejectError:
                # Whoever takes its text meets the same error, and says it of this element alone.
                yield Found(one, top, is_listed=bool(top))
                continue
            for message in cut(event, at):
                in_list = (*at, *self._list_in(find(message, at)))
                is_listed = first_list(message, in_list) is not None
                try:
                    # All of them before the first: no part may come alone and within the whole.
                    parts = list(islice(cut(message, in_list), PARTS_MAX))
                except RejectError:
                    parts = [message]
                for part in parts:
                    yield Found(part, at, is_listed)

    def is_empty(self, found: Found) -> bool:
        """Whether it stands for a list without elements."""
        return ends_in_empty_list(found.document, (*found.at, *self._list))

    def _list_in(self, message: Any) -> Names:
        """The names of the list whose elements are to be scored; none if it is the message."""
        if not self._list:
            return ()
        try:
            place = place_of(message, self._places)
        except RejectError:
            # As above.
            return ()
        return self._list if place and any(pointer.in_list for pointer in place) else ()

    def _event(self, document: Any, top: Names, form: Form) -> tuple[Any, Names]:
        """The document, and the names to the message at `top`: the data, if it is a CloudEvent.

        Some producers, such as Dapr, leave out the header: then it is one if it looks like one, and
        if what the settings point to is not beside the attributes.
        """
        event = find(document, top)
        if not isinstance(event, dict):
            return document, top
        if form is not Form.EVENT and not (
            self._finds_events
            and "specversion" in event
            and ("data" in event or "data_base64" in event)
            and cloudevents.fields_from_attributes(event)
            and place_of(event, self._places) is None
        ):
            return document, top
        if "data" not in event and "data_base64" in event:
            # If it cannot be decoded, `decode` says so, of this event alone.
            with contextlib.suppress(RejectError):
                event = forms.with_data(event)
                document = [event] if top else event
        is_list = isinstance(event.get("data"), list)
        return document, (*top, "data", None) if is_list else (*top, "data")
