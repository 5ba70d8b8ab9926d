"""Which headers of a message its event keeps.

Exists because an event has the key of its message, but another value: a header that names the type,
schema or encoding of the message's value would make readers fail on the event, or build the
message's class from it. A dead letter keeps all headers, since its value is the message's; nothing
about letters may enter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from service.wire.cloudevents import is_extension
from service.wire.documents.formats import APICURIO_PREFIX, APICURIO_TYPE, CONFLUENT_HEADER
from service.wire.headers import CLOUDEVENTS_PREFIX

if TYPE_CHECKING:
    from service.records import Headers

# In lower case, since clients differ in how they write them. Headers that say how to read the key
# (`__key_schema_id`, `apicurio.key.…`) are not here: the key goes on byte for byte, and could not
# be read without them. Spring's `__KeyTypeId__` only names a class, which readers may not have.
VALUE_HEADERS: Final = frozenset(
    {
        *("content-type", "content-encoding", "content-length", "content-md5", "content-digest"),
        *("content-transfer-encoding", "content_type", "content_encoding", "content_length"),
        # Spring Cloud Stream, Spring for Apache Kafka
        *("contenttype", "originalcontenttype", "spring.kafka.serialization.selector"),
        *("__typeid__", "__contenttypeid__", "__keytypeid__"),
        # Serializers with a schema registry
        *(CONFLUENT_HEADER, APICURIO_TYPE),
    }
)
VALUE_PREFIXES: Final = (APICURIO_PREFIX,)


@dataclass(frozen=True, slots=True)
class KeptHeaders:
    """Tells the headers that events keep; `names` and `prefixes`, in lower case, are left out."""

    names: frozenset[str] = VALUE_HEADERS
    prefixes: tuple[str, ...] = VALUE_PREFIXES

    @classmethod
    def without(cls, more: str | None) -> KeptHeaders:
        """Leaves out `more` too: names separated by commas; `name*` is all that begin with it."""
        given = more.lower().split(",") if more else ()
        return cls(
            VALUE_HEADERS.union(name for name in given if not name.endswith("*")),
            (*VALUE_PREFIXES, *(name[:-1] for name in given if name.endswith("*"))),
        )

    def of(self, headers: Headers) -> Headers:
        """The headers of a message that its event keeps, in their order."""
        names, prefixes = self.names, self.prefixes
        return tuple(
            (name, value)
            for name, value in headers
            if (lower := name.lower()) not in names
            and not lower.startswith(prefixes)
            and (not name.startswith(CLOUDEVENTS_PREFIX) or is_extension(name, value))
        )


KEPT_BY_DEFAULT: Final = KeptHeaders()
