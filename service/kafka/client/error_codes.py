"""What the errors of brokers mean: whether waiting mends them, and what a person has to correct.

Exists because aiokafka knows no error code of Kafka from 80 on, and few of those before: it gives
all of them as code -1, without a name. Values and their lookup only; nothing may enter that
connects, or that knows a topic.
"""

from __future__ import annotations

from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    BrokerResponseError,
    ClusterAuthorizationFailedError,
    CoordinatorNotAvailableError,
    GroupAuthorizationFailedError,
    IllegalGenerationError,
    IllegalSaslStateError,
    IncompatibleBrokerVersion,
    InconsistentGroupProtocolError,
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    InvalidSessionTimeoutError,
    InvalidTimestampError,
    InvalidTransactionTimeout,
    InvalidTxnState,
    KafkaError,
    NotEnoughReplicasAfterAppendError,
    NotEnoughReplicasError,
    ProducerFenced,
    RebalanceInProgressError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    TransactionCoordinatorFenced,
    UnknownMemberIdError,
    UnsupportedSaslMechanismError,
    kafka_errors,
)


class _MetadataIsOldError(BrokerResponseError):  # type: ignore[misc] # aiokafka ships no types
    """Base of errors after which aiokafka asks for the topics' leaders and sends again."""

    retriable = True
    invalid_metadata = True


def _named(code: int, name: str, base: type[BrokerResponseError]) -> type[BrokerResponseError]:
    return type(name, (base,), {"errno": code})


# By the names of Kafka's own documentation, so that a search for one finds it.
INVALID_RECORD = _named(87, "INVALID_RECORD", BrokerResponseError)
FENCED_INSTANCE_ID = _named(82, "FENCED_INSTANCE_ID", BrokerResponseError)
UNSTABLE_OFFSET_COMMIT = _named(88, "UNSTABLE_OFFSET_COMMIT", BrokerResponseError)
TRANSACTION_ABORTABLE = _named(120, "TRANSACTION_ABORTABLE", BrokerResponseError)
_GROUP_MAX_SIZE_REACHED = _named(81, "GROUP_MAX_SIZE_REACHED", BrokerResponseError)
_THROTTLING_QUOTA_EXCEEDED = _named(89, "THROTTLING_QUOTA_EXCEEDED", BrokerResponseError)

# Codes that brokers answer to the requests of this service, and that aiokafka does not know. Those
# with neither a remedy nor a place below are tried again.
NEWER_CODES: dict[int, type[BrokerResponseError]] = {
    74: _named(74, "FENCED_LEADER_EPOCH", _MetadataIsOldError),
    75: _named(75, "UNKNOWN_LEADER_EPOCH", _MetadataIsOldError),
    76: _named(76, "UNSUPPORTED_COMPRESSION_TYPE", BrokerResponseError),
    78: _named(78, "OFFSET_NOT_AVAILABLE", BrokerResponseError),
    81: _GROUP_MAX_SIZE_REACHED,
    82: FENCED_INSTANCE_ID,
    87: INVALID_RECORD,
    88: UNSTABLE_OFFSET_COMMIT,
    89: _THROTTLING_QUOTA_EXCEEDED,
    # What brokers of newer versions call it, so aiokafka is to handle it alike.
    90: InvalidProducerEpoch,
    91: _named(91, "RESOURCE_NOT_FOUND", BrokerResponseError),
    97: _named(97, "PRINCIPAL_DESERIALIZATION_FAILURE", BrokerResponseError),
    100: _named(100, "UNKNOWN_TOPIC_ID", _MetadataIsOldError),
    103: _named(103, "INCONSISTENT_TOPIC_ID", _MetadataIsOldError),
    105: _named(105, "TRANSACTIONAL_ID_NOT_FOUND", BrokerResponseError),
    106: _named(106, "FETCH_SESSION_TOPIC_ID_ERROR", BrokerResponseError),
    109: _named(109, "OFFSET_MOVED_TO_TIERED_STORAGE", BrokerResponseError),
    110: _named(110, "FENCED_MEMBER_EPOCH", BrokerResponseError),
    111: _named(111, "UNRELEASED_INSTANCE_ID", BrokerResponseError),
    112: _named(112, "UNSUPPORTED_ASSIGNOR", BrokerResponseError),
    113: _named(113, "STALE_MEMBER_EPOCH", BrokerResponseError),
    120: TRANSACTION_ABORTABLE,
    129: _named(129, "REBOOTSTRAP_REQUIRED", _MetadataIsOldError),
}

# A refusal of a token, which has nothing to do with the user and the password of other logins.
TOKEN_REFUSED = type("SaslAuthenticationFailed", (SaslAuthenticationFailed,), {})

# What leaders answer as NOT_ENOUGH_REPLICAS, so that older clients send their records again: the
# coordinator of the transaction cannot be asked whether the partition belongs to it.
COORDINATOR_AWAY = type("CoordinatorNotAvailableError", (CoordinatorNotAvailableError,), {})
COORDINATOR_AWAY_WORDS = "added to the transaction"

_CREDENTIALS = "correct SENTIMENT_KAFKA__SASL_USERNAME or SENTIMENT_KAFKA__SASL_PASSWORD_FILE"
PROTOCOL_REMEDY = "set SENTIMENT_KAFKA__SECURITY_PROTOCOL to that of the brokers' listener"
TIMEOUT_REMEDY = (
    "set SENTIMENT_KAFKA__TRANSACTION_TIMEOUT_MS, which is 2/3 of "
    "SENTIMENT_KAFKA__SESSION_TIMEOUT_MS if not set, to at most the brokers' "
    "transaction.max.timeout.ms"
)
SESSION_REMEDY = (
    "set SENTIMENT_KAFKA__SESSION_TIMEOUT_MS to a value between the brokers' "
    "group.min.session.timeout.ms and group.max.session.timeout.ms"
)
OLD_BROKER_REMEDY = "use brokers that support what Kafka 0.11 and newer does"
# Errors that stay until somebody does this: the service ends.
ENDING: dict[type[KafkaError], str] = {
    TopicAuthorizationFailedError: "grant this user Read on SENTIMENT_KAFKA__INPUT_TOPIC, and "
    "Write on SENTIMENT_KAFKA__OUTPUT_TOPIC and SENTIMENT_KAFKA__DEAD_LETTER_TOPIC",
    FENCED_INSTANCE_ID: "another process has this name: give each replica a "
    "SENTIMENT_KAFKA__GROUP_INSTANCE_ID of its own, or unset it",
    GroupAuthorizationFailedError: "grant this user Read on the group SENTIMENT_KAFKA__GROUP_ID",
    # Since 2.8 brokers require no more than Write on any topic.
    ClusterAuthorizationFailedError: "grant this user Write on SENTIMENT_KAFKA__OUTPUT_TOPIC and "
    "SENTIMENT_KAFKA__DEAD_LETTER_TOPIC, and before Kafka 2.8 IdempotentWrite on the cluster",
    TransactionalIdAuthorizationFailed: "grant this user Write on the transactional ids that "
    "begin with SENTIMENT_KAFKA__GROUP_ID, or set SENTIMENT_DELIVERY__MODE=at_least_once",
    TOKEN_REFUSED: "correct what writes SENTIMENT_KAFKA__SASL_TOKEN_FILE, and "
    "SENTIMENT_KAFKA__SASL_EXTENSIONS if set",
    SaslAuthenticationFailed: _CREDENTIALS,
    AuthenticationFailedError: _CREDENTIALS,
    UnsupportedSaslMechanismError: "set SENTIMENT_KAFKA__SASL_MECHANISM to one the brokers offer",
    AuthenticationMethodNotSupported: PROTOCOL_REMEDY,
    IllegalSaslStateError: PROTOCOL_REMEDY,
    InvalidTransactionTimeout: TIMEOUT_REMEDY,
    InvalidSessionTimeoutError: SESSION_REMEDY,
    IncompatibleBrokerVersion: OLD_BROKER_REMEDY,
}

_REPLICAS = (
    "fewer of its replicas are in sync than its min.insync.replicas: bring the brokers back that "
    "are away, or lower it"
)
# Errors that go without the service's doing, as soon as somebody does this.
WAITING: dict[type[KafkaError], str] = {
    InconsistentGroupProtocolError: "other members of this group use another assignor than "
    "roundrobin: stop them, or set another SENTIMENT_KAFKA__GROUP_ID",
    NotEnoughReplicasError: _REPLICAS,
    NotEnoughReplicasAfterAppendError: _REPLICAS,
    COORDINATOR_AWAY: "the transaction's coordinator is away for now: it is tried again",
    InvalidTimestampError: "this machine's clock differs from the brokers' by more than the "
    "topic's message.timestamp.before.max.ms or message.timestamp.after.max.ms: correct the clock",
    _GROUP_MAX_SIZE_REACHED: "run fewer replicas, or raise the brokers' group.max.size",
    _THROTTLING_QUOTA_EXCEEDED: "if that lasts, raise this user's quota",
}

# The group was formed without this member.
LOST = (IllegalGenerationError, UnknownMemberIdError, RebalanceInProgressError)
# What a producer gets whose transaction was open for too long, which the brokers abort; or after
# another process has started one with the same id; or whose transaction can only be aborted.
FENCED = (
    TRANSACTION_ABORTABLE,
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    InvalidTxnState,
    ProducerFenced,
    TransactionCoordinatorFenced,
)


def register() -> None:
    """Let aiokafka's clients raise `NEWER_CODES` by name; may be called many times."""
    for code, kind in NEWER_CODES.items():
        kafka_errors.setdefault(code, kind)


def remedy_in(table: dict[type[KafkaError], str], error: BaseException) -> str | None:
    """What a person has to do according to a table; None if the error is not in it."""
    return next((remedy for kind, remedy in table.items() if isinstance(error, kind)), None)
