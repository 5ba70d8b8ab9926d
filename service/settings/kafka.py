"""Settings of Kafka: brokers, topics, consumer group, and the form of messages.

Values only, as in `groups`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from service.records import SkipReason, TextFormat
from service.settings.carry import Carry  # noqa: TC001 - read at run time
from service.settings.feeds import FEEDS, FeedName
from service.settings.fields import (
    Extensions,
    File,
    Group,
    HeaderNames,
    InstanceName,
    Milliseconds,
    Name,
    Names,
    NotEmpty,
    RegistryUrl,
    Servers,
)
from service.settings.places import (
    Condition,
    Place,
    Pointer,
    Skip,
    TextField,
    skip_conditions,
    text_places,
)


class KafkaSettings(Group):
    """Brokers, topics, consumer group, and the form of messages."""

    bootstrap_servers: Servers = "localhost:9092"
    """Brokers to connect to first, host:port, separated by commas."""
    input_topic: Names = "sentiment.messages"
    """Topics to read, separated by commas."""
    output_topic: Name = "sentiment.events"
    """Topic that receives a sentiment event for each message that can be scored."""
    dead_letter_topic: Name = "sentiment.dead-letters"
    """Topic that receives each message that cannot be scored, with the reason."""
    group_id: Name = "sentiment-stream"
    """Consumer group; replicas of one service share it."""
    group_instance_id: InstanceName | None = None
    """Lasting name of this replica: back within the session timeout it has its partitions again."""
    input_format: Literal["json", "text"] = "json"
    """Format of messages without a content-type header: a JSON object, or just the text."""
    feed: FeedName | None = None
    """Feed that the messages are of, like slack: TEXT_FIELD, SKIP and TEXT_FORMAT, unless set."""
    text_field: TextField = "/text"
    """Where the text is within a message; of several places the first that holds one counts."""
    text_format: TextFormat = "plain"
    """Markup of the texts; all but plain cut markup, quotes and code, and mail cuts signatures."""
    skip: Skip = ""
    """Messages that are no text to score: passed over and counted, never dead letters."""
    tombstones: Literal["skip", "dead_letter"] = "skip"
    """Records whose value is null, such as deletions: pass them over, or make them dead letters."""
    drop_headers: HeaderNames | None = None
    """More headers that events do not keep, separated by commas; x-* is all that begin with x-."""
    carry: Carry = "auto"
    """Fields that events carry; auto: all, or, without text, short id, source, lang, created_at."""
    cloudevents: bool = True
    """Whether published records carry CloudEvents attributes as headers, some 300 bytes each."""
    auto_offset_reset: Literal["earliest", "latest"] = "earliest"
    """Where a group without committed offsets starts to read."""
    session_timeout_ms: Milliseconds = 30_000
    """A replica that sends no heartbeat for this long loses its partitions."""
    heartbeat_interval_ms: Milliseconds | None = None
    """Time between heartbeats; defaults to a tenth of the session timeout."""
    rebalance_timeout_ms: Milliseconds | None = None
    """Time that replicas have to join a rebalance; defaults to twice the session timeout."""
    max_poll_interval_ms: Milliseconds | None = None
    """A replica that does not poll for this long leaves; defaults to ten session timeouts."""
    transaction_timeout_ms: Milliseconds | None = None
    """The broker aborts a transaction open for this long; defaults to 2/3 session timeout."""
    unfolded_bytes_max: Annotated[int, Field(ge=2**20, le=2**30)] = 32 * 2**20
    """Largest decompressed size of a batch of records; the service stops at a larger one."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """Protocol for the connections to the brokers."""
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = "PLAIN"
    """Authentication mechanism, with a SASL protocol."""
    sasl_username: NotEmpty | None = None
    """User name for SASL."""
    sasl_password_file: File | None = None
    """File that holds the password (a mounted secret); a trailing line break is stripped."""
    sasl_token_file: File | None = None
    """File that holds the token for OAUTHBEARER, which something else renews in time."""
    sasl_extensions: Extensions | None = None
    """Extensions that go with the token, like logicalCluster=lkc-1 for Confluent Cloud."""
    ssl_ca_file: File | None = None
    """PEM file of the certificate authorities to accept; the system's if not set."""
    ssl_certificate_file: File | None = None
    """PEM file of the client's certificate."""
    ssl_key_file: File | None = None
    """PEM file of the client's key."""

    schema_registry_url: RegistryUrl | None = None
    """Registry of the schemas that messages are written with, like http://registry:8081; needs the
    extra `registry`."""
    schema_registry_ids: Literal["auto", "content", "global"] = "auto"
    """Which ids values hold, for Apicurio's own API; auto: content ids of 4, global of 8 bytes."""
    schema_registry_username: NotEmpty | None = None
    """User name for the schema registry."""
    schema_registry_password_file: File | None = None
    """File that holds the password for the schema registry (a mounted secret)."""
    schema_registry_ca_file: File | None = None
    """PEM file of the authorities that may sign the registry's certificate; the system's if not
    set."""
    schema_registry_certificate_file: File | None = None
    """PEM file of the client's certificate for the schema registry."""
    schema_registry_key_file: File | None = None
    """PEM file of the key of that certificate."""
    output_format: Literal["json", "json-schema", "avro", "protobuf"] = "json"
    """Format of events; all but json are framed with the id of a schema in the registry."""
    schema_registry_subject: NotEmpty | None = None
    """Subject of the schema of events; defaults to the output topic and -value."""
    schema_registry_register: bool = True
    """Whether the schema of events is registered; false: it must be there already."""

    @property
    def input_topics(self) -> tuple[str, ...]:
        """The topics to read."""
        return tuple(self.input_topic.split(","))

    @property
    def places(self) -> tuple[Place, ...]:
        """Where the text is."""
        return text_places(self.text_field)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What is skipped."""
        return skip_conditions(self.skip)

    @property
    def known_by(self) -> tuple[Pointer, ...]:
        """Pointers of which each message of the feed has something at one; none without a feed."""
        if self.feed is None:
            return ()
        pointers = [pointer for place in self.places for pointer in place]
        named = [c for c in self.conditions if c.reason is not SkipReason.NO_TEXT]
        pointers += [pointer for condition in named for pointer in condition.pointers]
        return (*pointers, *FEEDS[self.feed].others)

    @property
    def heartbeat_ms(self) -> int:
        """Heartbeat interval, set or derived."""
        return self.heartbeat_interval_ms or max(1, self.session_timeout_ms // 10)

    @property
    def rebalance_ms(self) -> int:
        """Rebalance timeout, set or derived."""
        return self.rebalance_timeout_ms or 2 * self.session_timeout_ms

    @property
    def max_poll_ms(self) -> int:
        """Max poll interval, set or derived."""
        return self.max_poll_interval_ms or 10 * self.session_timeout_ms

    @property
    def transaction_ms(self) -> int:
        """Transaction timeout, set or derived."""
        return self.transaction_timeout_ms or max(1, self.session_timeout_ms * 2 // 3)
