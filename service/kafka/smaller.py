"""What to send instead of records that a topic has refused as too large.

Pure. Nothing may enter that sends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from service.errors import BrokerError
from service.kafka.client.error_codes import INVALID_RECORD
from service.kafka.client.throttling import BATCH_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.records import Outgoing

Failed = list[tuple["Outgoing", KafkaError]]


def smaller_forms(
    outgoing: Sequence[Outgoing],
    failed: Failed,
    one_by_one: bool = False,
    batch_bytes_max: int = BATCH_BYTES_MAX,
) -> tuple[list[Outgoing], bool]:
    """What to send instead of `outgoing`, after topics have refused a part of it as too large.

    Returns it with whether to send it in smaller batches, or one by one: a topic may refuse a batch
    for its total size, and only single records show whether any of them is too large itself.

    Raises:
        BrokerError: a topic refuses even the smallest form, or refuses a record for another reason
            than its size.
        KafkaError: a record failed for another reason.
    """
    for message, error in failed:
        if isinstance(error, INVALID_RECORD):
            raise _invalid(message, error)
    refused = [o for o, error in failed if isinstance(error, MessageSizeTooLargeError)]
    if not refused:
        # Records behind a refused one fail too, for the gap in the sequence. Here none was refused.
        raise failed[0][1]
    alone = one_by_one or len(outgoing) == 1
    certain = {id(o) for o in refused if alone or len(o.value or b"") >= batch_bytes_max}
    forms = [_smaller(message) if id(message) in certain else message for message in outgoing]
    return forms, len(certain) < len(refused)


def _invalid(message: Outgoing, error: KafkaError) -> BrokerError:
    what, remedy = "a record", "correct its settings that validate records"
    if message.key is None:
        what = "a record without a key"
        remedy = "set its cleanup.policy to delete, or give all input records keys"
    return BrokerError(f"topic {message.topic} refuses {what} ({error}); {remedy}")


def _smaller(message: Outgoing) -> Outgoing:
    if message.smaller is None:
        raise BrokerError(
            f"topic {message.topic} refuses even the shortest form of a dead letter; "
            "raise its max.message.bytes to at least 64 KiB"
        )
    return message.smaller()
