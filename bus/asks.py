"""What a participant says: somebody outside who acts as a user while a run goes on; what it is answered; and where that is kept.

A participant sends a NATS request to ``semcast.v1.<run>.inject.<shard>.user.<id>`` (bus/subjects.py): one `Asking` in
MessagePack. The answer is one `Answer`. ``counter`` is the participant's own, for each user that it acts as: the same counter
again is the same ask again, which is answered again and not done twice. Everything is bounded before it is looked at.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from .errors import BadInput, RunFailed
from .messages import Ask
from .payload import Count, Nanoseconds

ASK_BYTES = 2048
"""No ask is larger."""
FIRST_NUMBER = 1 << 15
"""Requests of a user that were asked for are numbered from here on; those that it makes of its own accord from 0."""
MOST_ASKS = 1 << 15
"""So many can be asked of a user in a run: a prompt has 16 bits for the number."""

_NAME = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]*\Z")]
_ID = Annotated[str, Meta(max_length=132)]
_SIZE = 4


class Asking(Struct, frozen=True, forbid_unknown_fields=True):
    """What a participant sends: who it is, the how manieth it is, and what it wants (see `Ask`)."""

    participant: _NAME
    counter: Count
    recipient: _ID
    task: Literal["greeting", "mapping"] = "greeting"
    things: Annotated[int, Meta(ge=0, le=8)] = 0
    subject: _ID = ""
    words: Annotated[str, Meta(max_length=256)] = ""
    version: Literal[1] = 1

    def ask(self, number: int) -> Ask:
        """As the user gets it."""
        return Ask(number, self.recipient, self.task, self.things, self.subject, self.words)


class Answer(Struct, frozen=True):
    """What it is told: whether it was ``accepted``; then which ``request`` it is and when the user gets it; else why not."""

    accepted: bool
    request: str = ""
    t_ns: int = 0
    reason: str = ""


class Accepted(Struct, frozen=True, array_like=True):
    """An ask that belongs to the run: the user gets it at ``t_ns``."""

    t_ns: Nanoseconds
    user: str
    participant: str
    counter: int
    ask: Ask

    @property
    def name(self) -> tuple[str, str, int]:
        """What makes it the same ask as another."""
        return self.user, self.participant, self.counter


_asking = msgspec.msgpack.Decoder(Asking)
_accepted = msgspec.msgpack.Decoder(Accepted)
encode = msgspec.msgpack.Encoder().encode


def decode(raw: bytes) -> Asking:
    """Bytes -> what a participant says.

    Raises:
        ValueError: They are too many, or it makes no sense.
    """
    if len(raw) > ASK_BYTES:
        raise ValueError(f"{len(raw)} bytes, at most {ASK_BYTES} are read")
    try:
        return _asking.decode(raw)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def read_log(path: Path) -> list[Accepted]:
    """What an `AskLog` holds, up to where it may have been cut: what is cut was never acknowledged.

    Raises:
        BadInput: It is damaged, or cannot be read.
    """
    try:
        raw = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error}") from None
    found, place = [], 0
    while len(raw) - place >= _SIZE:
        end = place + _SIZE + int.from_bytes(raw[place : place + _SIZE], "big")
        if end > len(raw):
            break
        try:
            found.append(_accepted.decode(raw[place + _SIZE : end]))
        except (ValueError, RecursionError) as error:
            raise BadInput(f"{path} is damaged at byte {place}: {error}", "begin the run again") from None
        place = end
    return found


class AskLog:
    """Accepted asks of one worker's users, on disk before they are acknowledged: entries of 4 bytes of length and MessagePack.

    Who opens it takes it over: another process that still has it open can add no more.

    Args:
        path: Its file; made if it is not there.

    Attributes:
        entries: All of them, in order.

    Raises:
        BadInput: See `read_log`.
    """

    def __init__(self, path: Path) -> None:
        self.entries = read_log(path)
        self._path = path
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        self._file = part.open("wb")
        self._write(self.entries)
        part.replace(path)

    def add(self, entries: list[Accepted]) -> None:
        """Keep more of them; they are on disk when this returns.

        Raises:
            RunFailed: Another process has taken the log over, or it cannot be written.
        """
        try:
            self._write(entries)
            ours = os.path.samestat(self._path.stat(), os.fstat(self._file.fileno()))
        except OSError as error:
            raise RunFailed(f"{self._path} cannot be written: {error}") from None
        if not ours:
            raise RunFailed(f"{self._path} was taken over by a later incarnation of this worker")
        self.entries += entries

    def close(self) -> None:
        """Add no more."""
        self._file.close()

    def _write(self, entries: list[Accepted]) -> None:
        for raw in map(encode, entries):
            self._file.write(len(raw).to_bytes(_SIZE, "big") + raw)
        self._file.flush()
        os.fsync(self._file.fileno())
