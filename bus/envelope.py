"""The envelope around every message, and its MessagePack form."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from .messages import Conversation
from .payload import Count, Nanoseconds
from .records import Record

Network = Conversation | Record
"""Every payload that the bus knows. Agents add the results of their models (see agents/base)."""

VERSION = 1
_ALSO_BAD = (RecursionError, UnicodeDecodeError)
"""What msgspec raises besides its own errors for bytes that are nested too deeply or hold text that is none."""
OUTSIDE, TIMER, CONTROL, DATA = -1, 0, 1, 2
"""Priorities at equal delivery times; what comes from outside the network is first."""
EXOGENOUS, AGENT, ACTIVITY, PRIVATE = "exogenous", "agent", "activity", "private"
"""Origins of a record. ``private`` records stay with their agent: in the restricted trace segment, never on a subject."""


class Envelope(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """One record: a message with its times, ends and place in its source's order.

    The run id is not part of it: it is in the NATS subject and in the trace's metadata, so that a record has the same
    bytes in every run. ``sequence`` counts all records of the source; (``source``, ``sequence``) is unique in a run.
    """

    version: int
    t_send: Nanoseconds
    t_deliver: Nanoseconds
    priority: Annotated[int, Meta(ge=OUTSIDE, le=DATA)]
    source: str
    destination: str
    """Agent id; the source's own for timers, model results and records."""
    sequence: Count
    in_reply_to: str
    """``"<source>:<sequence>"`` of the message answered, or the key of the model call; empty if none."""
    origin: str
    payload: Any

    @property
    def kind(self) -> str:
        """The payload's kind, the last token of its subject."""
        return str(type(self.payload).__struct_config__.tag)


class Codec:
    """MessagePack form of envelopes whose payloads are of a given union; decoding validates.

    Args:
        payloads: The union of payload types.
    """

    def __init__(self, payloads: Any = Network) -> None:
        self._encoder = msgspec.msgpack.Encoder()
        narrower = {"payload": payloads, "origin": Literal["exogenous", "agent", "activity", "private"]}
        typed = msgspec.defstruct(
            "TypedEnvelope",
            [(f.name, narrower.get(f.name, f.type)) for f in msgspec.structs.fields(Envelope)],
            bases=(Envelope,),
            frozen=True,
            array_like=True,
            forbid_unknown_fields=True,
            gc=False,
        )
        self._decoder: msgspec.msgpack.Decoder[Envelope] = msgspec.msgpack.Decoder(typed)
        self._batch_decoder: msgspec.msgpack.Decoder[list[Envelope]] = msgspec.msgpack.Decoder(list[typed])  # type: ignore[valid-type]
        self.encode = self._encoder.encode
        """Envelope -> bytes."""

    def decode(self, raw: bytes | memoryview) -> Envelope:
        """Bytes -> envelope.

        Raises:
            msgspec.MsgspecError: The bytes are no valid envelope of a known kind and this version.
        """
        try:
            envelope = self._decoder.decode(raw)
        except _ALSO_BAD as error:
            raise msgspec.ValidationError(f"nested too deeply, or text that is none: {error}") from None
        if envelope.version != VERSION:
            raise msgspec.ValidationError(f"envelope version {envelope.version}, this semcast reads {VERSION}")
        return envelope

    @staticmethod
    def join(raws: Sequence[bytes]) -> bytes:
        """Encoded envelopes -> one MessagePack array of them, without encoding them again."""
        return b"\xdd" + len(raws).to_bytes(4, "big") + b"".join(raws)

    def split(self, batch: bytes | memoryview) -> list[Envelope]:
        """What ``join`` made -> envelopes; refused as a whole if one is invalid.

        Raises:
            msgspec.MsgspecError: As ``decode``.
        """
        try:
            envelopes = self._batch_decoder.decode(batch)
        except _ALSO_BAD as error:
            raise msgspec.ValidationError(f"nested too deeply, or text that is none: {error}") from None
        versions = {envelope.version for envelope in envelopes}
        if versions - {VERSION}:
            raise msgspec.ValidationError(f"envelope versions {sorted(versions)}, this semcast reads {VERSION}")
        return envelopes
