"""Messages on subjects of their own, which any NATS client can follow: how they get there and what of them is believed."""

from __future__ import annotations

from ..envelope import Codec, Envelope
from ..subjects import Subjects
from . import wire
from .kept import Outgoing

HEADROOM = 1024
"""Bytes of a NATS message left for its header and for what says which part it is."""


class Live:
    """A run's messages as NATS messages.

    Args:
        subjects: Of the run.
        codec: MessagePack form of the messages.
    """

    def __init__(self, subjects: Subjects, codec: Codec) -> None:
        self._subjects, self._codec = subjects, codec

    def outgoing(self, envelope: Envelope, raw: bytes, max_payload: int) -> list[Outgoing]:
        """A message on its subject; in numbered parts if a server that takes ``max_payload`` bytes would not take it whole."""
        subject, most = self._subjects.message(envelope), max_payload - HEADROOM
        if len(raw) <= most:
            return [(subject, raw, None)]
        chunks = list(wire.cut(raw, most))
        return [
            (subject, bytes(chunk), (wire.PART_HEADER, f"{envelope.sequence}/{number}/{len(chunks)}"))
            for number, chunk in enumerate(chunks)
        ]

    def read(self, subject: str, raw: bytes) -> Envelope:
        """The message that came on a subject.

        Raises:
            ValueError, SemcastError: It is none, or belongs elsewhere.
        """
        envelope = self._codec.decode(raw)
        known = self._subjects.shard
        if envelope.source not in known or envelope.destination not in known:
            raise ValueError(f"no agents {envelope.source} and {envelope.destination}")
        if self._subjects.message(envelope) != subject:
            raise ValueError(f"a {envelope.kind} from {envelope.source} to {envelope.destination}")
        return envelope
