"""A NATS client with just what a worker needs of the protocol, and no task, queue or copy more than that.

nats-py keeps a task and a queue for every subscription, copies a payload four times on its way in and drops messages when a
queue is full. Here the loop reads into one buffer, a payload is copied out once, and the handler is called at once; whoever is
too slow lets the bytes wait in the kernel and in the server. ``semcast bench engine`` measures what that gains.

Source: the NATS client protocol (INFO, CONNECT, PUB, HPUB, SUB, MSG, HMSG, PING, PONG, +OK, -ERR). Left out: reconnecting (left
to link.py), queue groups, requests, JetStream, NKey and JWT credentials.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from msgspec import Struct

if TYPE_CHECKING:
    from ..access import Access

READ_BYTES = 256 << 10
"""Bytes read at once at most; the buffer grows only for a message that is larger."""
_MAX_LINE = 64 << 10
"""A longer control line (the longest is INFO) is no NATS."""
_MAX_PAYLOAD = 64 << 20
"""NATS itself allows no larger message."""
MAC_HEADER = "Semcast-Mac"
_LEAST_PAYLOAD = 4096
_HEADER = b"NATS/1.0\r\n"


class Received(Struct, frozen=True, gc=False):
    """A message from the server; ``header`` is the value of its one header, ``reply`` where it wants an answer; or empty.

    ``mac`` is the value of `MAC_HEADER`, which is not counted as a header (seal.py).
    """

    subject: str
    data: bytes
    header: str = ""
    reply: str = ""
    mac: str = ""


Handler = Callable[[Received], None]


class Refused(Exception):
    """The server said ``-ERR``."""


class Client(asyncio.BufferedProtocol):
    """One connection; made by ``connect``.

    Args:
        on_failure: Called with what went wrong after the connection was made: ``Refused``, ``OSError`` for a lost
            connection, ``ValueError`` for bytes that are no NATS, or what a handler raised.
    """

    def __init__(self, on_failure: Callable[[Exception], None]) -> None:
        self._on_failure = on_failure
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._use(bytearray(READ_BYTES))
        self._start = self._end = 0
        self._message: tuple[bytes, bytes, bytes, int, int] | None = None  # sid, subject, reply, header bytes, all bytes
        self._handlers: dict[bytes, Handler] = {}
        self._out: list[bytes] = []
        self._pongs: list[asyncio.Future[None]] = []
        self._drained: asyncio.Future[None] | None = None
        self._closing = False
        self.info: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        """What the server told of itself."""

    @property
    def max_payload(self) -> int:
        """Largest message the server takes, in bytes."""
        return min(int(self.info.result()["max_payload"]), _MAX_PAYLOAD)

    @property
    def open(self) -> bool:
        """Whether it is connected."""
        return self._transport is not None and not self._transport.is_closing()

    def subscribe(self, subject: str, handler: Handler) -> None:
        """Have ``handler`` called with every message on a subject; wildcards may be used."""
        sid = b"%d" % (len(self._handlers) + 1)
        self._handlers[sid] = handler
        self._put(b"SUB %b %b\r\n" % (subject.encode(), sid))

    def publish(self, subject: str, payload: bytes, header: tuple[str, str] | None = None, mac: str = "") -> None:
        """Send a message, with a header and a seal if given; it leaves with others in the loop's next turn or with ``written``.

        Raises:
            ConnectionError: The connection is gone.
        """
        if header is None and not mac:
            self._put(b"PUB %b %d\r\n" % (subject.encode(), len(payload)), payload, b"\r\n")
        else:
            fields = [header] if header is not None else []
            fields += [(MAC_HEADER, mac)] if mac else []
            head = _HEADER + "".join(f"{name}: {value}\r\n" for name, value in fields).encode() + b"\r\n"
            sizes = (subject.encode(), len(head), len(head) + len(payload))
            self._put(b"HPUB %b %d %d\r\n" % sizes, head, payload, b"\r\n")

    async def ping(self) -> None:
        """Wait until the server has taken everything sent so far.

        Raises:
            ConnectionError, Refused: The connection broke meanwhile.
        """
        pong = self._loop.create_future()
        self._pongs.append(pong)
        self._put(b"PING\r\n")
        await pong

    async def written(self) -> None:
        """Wait until the operating system has all bytes."""
        self._write()
        while self._transport is not None and self._transport.get_write_buffer_size():
            self._drained = self._loop.create_future()
            await self._drained

    async def close(self) -> None:
        """Write what waits and disconnect."""
        self._closing = True
        if self.open:
            await self.written()
            assert self._transport is not None
            self._transport.close()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.BaseProtocol``."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(0)  # so that resume_writing tells when all is written

    def resume_writing(self) -> None:
        """See ``asyncio.BaseProtocol``."""
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        """See ``asyncio.BaseProtocol``."""
        self._transport = None
        self.resume_writing()
        self._fail(error or ConnectionResetError("the server closed the connection"))

    def get_buffer(self, sizehint: int) -> memoryview:
        """See ``asyncio.BufferedProtocol``."""
        return self._view[self._end :]

    def buffer_updated(self, nbytes: int) -> None:
        """See ``asyncio.BufferedProtocol``."""
        self._end += nbytes
        try:
            self._read()
        except Exception as error:
            self._fail(error)
            if self._transport is not None:
                self._transport.abort()

    def _use(self, buffer: bytearray) -> None:
        self._buffer, self._view = buffer, memoryview(buffer)

    def _put(self, *pieces: bytes) -> None:
        if not self.open:
            raise ConnectionResetError("the connection is gone")
        if not self._out:
            self._loop.call_soon(self._write)
        self._out += pieces

    def _write(self) -> None:
        out, self._out = self._out, []
        if out and self._transport is not None:
            self._transport.writelines(out)

    def _read(self) -> None:
        """Take all whole lines and messages out of the buffer and make room for the rest."""
        while True:
            if self._message is None:
                end = self._buffer.find(b"\r\n", self._start, self._end)
                if end < 0:
                    needed = 2
                    break
                line = bytes(self._view[self._start : end])
                self._start = end + 2
                self._line(line)
            else:
                sid, subject, reply, head, size = self._message
                needed = size + 2
                if self._end - self._start < needed:
                    break
                begin, self._start, self._message = self._start, self._start + needed, None
                data = bytes(self._view[begin + head : begin + size])
                header, mac = _headers(bytes(self._view[begin : begin + head])) if head else ("", "")
                self._handlers[sid](Received(subject.decode(errors="replace"), data, header, reply.decode(errors="replace"), mac))
        self._make_room(needed)

    def _make_room(self, needed: int) -> None:
        """Have space for ``needed`` bytes in a row from the first one not taken."""
        rest = self._end - self._start
        if rest == 0:
            self._start = self._end = 0
        if self._message is None and rest > _MAX_LINE:
            raise ValueError(f"a control line of more than {_MAX_LINE} bytes")
        if len(self._buffer) - self._start < needed or self._end == len(self._buffer):
            kept = bytes(self._view[self._start : self._end])
            if needed > len(self._buffer):
                self._use(bytearray(needed))
            self._view[:rest] = kept
            self._start, self._end = 0, rest

    def _line(self, line: bytes) -> None:
        """Act on a control line.

        Raises:
            ValueError: It is none.
        """
        words = line.split(maxsplit=6)
        operation = words[0].upper() if words else b""
        if operation == b"MSG" and len(words) in (4, 5):
            self._message = (self._sid(words[2]), words[1], words[3] if len(words) == 5 else b"", 0, _size(words[-1]))
        elif operation == b"HMSG" and len(words) in (5, 6):
            head, size = _size(words[-2]), _size(words[-1])
            if head > size:
                raise ValueError(f"a message of {size} bytes with {head} bytes of headers")
            self._message = (self._sid(words[2]), words[1], words[3] if len(words) == 6 else b"", head, size)
        elif operation == b"PING":
            self._put(b"PONG\r\n")
        elif operation == b"PONG":
            if self._pongs:
                _settle(self._pongs.pop(0), None)
        elif operation == b"-ERR":
            self._refused(line[4:].strip().decode(errors="replace").strip("'"))
        elif operation == b"INFO":
            if not self.info.done():
                self.info.set_result(_info(line[4:]))
        elif operation != b"+OK":
            raise ValueError(f"{line[:40]!r} is no NATS")

    def _sid(self, word: bytes) -> bytes:
        if word not in self._handlers:
            raise ValueError(f"a message for subscription {word[:20]!r}, which there is none of")
        return word

    def _refused(self, reason: str) -> None:
        if reason.lower().startswith("permissions violation"):  # the connection goes on
            self._on_failure(Refused(reason))
        else:
            self._fail(Refused(reason))

    def _fail(self, error: Exception) -> None:
        _settle(self.info, error)
        for pong in self._pongs:
            _settle(pong, error)
        self._pongs = []
        if not self._closing:
            self._on_failure(error)


async def connect(access: Access, name: str, on_failure: Callable[[Exception], None], url: str = "") -> Client:
    """Connect once and say who we are; returns when the server has agreed.

    Args:
        access: Server and credentials; ``tls://`` asks for encryption, as does a server that requires it.
        name: Shown by the server's monitoring.
        on_failure: See ``Client``; not called before this returns.
        url: Which of its servers; the first by default.

    Raises:
        OSError: The server cannot be reached.
        Refused: It does not accept us.
        ValueError: It speaks no NATS.
    """
    loop, made = asyncio.get_running_loop(), False

    def later(error: Exception) -> None:
        if made:
            on_failure(error)

    place = urlsplit(url or access.urls[0])
    _, client = await loop.create_connection(lambda: Client(later), place.hostname or "", place.port or 4222)
    try:
        info = await client.info
        if place.scheme == "tls" or info.get("tls_required"):
            context = access.context() or ssl.create_default_context()
            assert client._transport is not None
            transport = await loop.start_tls(client._transport, client, context, server_hostname=place.hostname)
            assert transport is not None
            client.connection_made(transport)
        options: Mapping[str, Any] = {
            "verbose": False,
            "pedantic": False,
            "lang": "python",
            "version": "semcast",
            "protocol": 1,
            "headers": True,
            "name": name,
            **({"user": access.user, "pass": access.password} if access.user else {}),
        }
        client._put(b"CONNECT %b\r\n" % json.dumps(options).encode())
        await client.ping()
    except BaseException:
        await client.close()
        raise
    made = True
    return client


def _settle(future: asyncio.Future[Any], error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
        future.exception()  # nobody may be waiting for it


def _info(raw: bytes) -> dict[str, Any]:
    """What a server tells of itself, with a ``max_payload`` that records can be cut to.

    Raises:
        ValueError: It makes no sense.
    """
    try:
        info: dict[str, Any] = json.loads(raw)
    except RecursionError:
        raise ValueError("INFO is nested too deeply") from None
    most = info.setdefault("max_payload", 1 << 20) if isinstance(info, dict) else None
    if not isinstance(most, int) or most < _LEAST_PAYLOAD:
        raise ValueError(f"INFO {str(info)[:40]} with max_payload {str(most)[:20]}, at least {_LEAST_PAYLOAD} is needed")
    return info


def _size(word: bytes) -> int:
    size = int(word)
    if not 0 <= size <= _MAX_PAYLOAD:
        raise ValueError(f"a message of {size} bytes")
    return size


def _headers(raw: bytes) -> tuple[str, str]:
    """Of a block ``NATS/1.0 CRLF name: value CRLF ... CRLF``: value of the first header but `MAC_HEADER`, and value of that."""
    first, mac = None, ""
    for line in raw.split(b"\r\n")[1:]:
        name, _, value = line.decode(errors="replace").partition(":")
        if name == MAC_HEADER:
            mac = value.strip()
        elif first is None:
            first = value.strip()
    return first or "", mac
