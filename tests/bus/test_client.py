"""The exchange's own NATS client: the protocol however its bytes are cut, and a real server with and without encryption."""

import asyncio
import json
import ssl
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import nats
import pytest
import trustme
import uvloop
from hypothesis import given
from hypothesis import strategies as st
from semcast.bus.access import Access
from semcast.bus.exchange.client import READ_BYTES, Client, Received, Refused, connect
from semcast.bus.server import NatsServer, find_binary

SUBJECT = "semcast.v1.test.ctl.0.1"
LOOPS = [None, uvloop.new_event_loop]

payloads = st.binary(max_size=40) | st.integers(0, 3).map(lambda n: b"\r\nMSG a 1 5\r\n" * n)
messages = st.lists(st.tuples(payloads, st.sampled_from(["", "0/1/2"])), max_size=6)


def feed(stream: bytes, cuts: list[int]) -> tuple[list[Received], list[Exception]]:
    """What a client makes of a stream that comes in pieces."""
    received: list[Received] = []
    failures: list[Exception] = []

    async def work() -> None:
        client = Client(failures.append)
        client._handlers[b"1"] = received.append
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            piece = stream[start:end]
            while piece and not failures:
                room = client.get_buffer(-1)
                assert len(room) > 0
                taken = min(len(room), len(piece))
                room[:taken] = piece[:taken]
                client.buffer_updated(taken)
                piece = piece[taken:]

    asyncio.run(work())
    return received, failures


def encoded(subject: str, payload: bytes, header: str) -> bytes:
    """A message as the server sends it."""
    if not header:
        return b"MSG %b 1 %d\r\n%b\r\n" % (subject.encode(), len(payload), payload)
    head = b"NATS/1.0\r\nSemcast-Part: %b\r\n\r\n" % header.encode()
    return b"HMSG %b 1 %d %d\r\n%b%b\r\n" % (subject.encode(), len(head), len(head) + len(payload), head, payload)


@given(messages, st.data())
def test_any_cut_of_the_stream_gives_the_same_messages(sent: list[tuple[bytes, str]], data: st.DataObject) -> None:
    stream = b'INFO {"max_payload": 5000}\r\n+OK\r\n' + b"".join(encoded("a.b", *message) for message in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    received, failures = feed(stream, cuts)
    assert failures == []
    assert [(m.data, m.header) for m in received] == sent and {m.subject for m in received} <= {"a.b"}


@given(st.binary(min_size=1, max_size=200), st.data())
def test_any_bytes_are_read_or_refused(garbage: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(garbage)), max_size=3)))
    _, failures = feed(garbage + b"\r\n", cuts)
    assert all(isinstance(failure, ValueError | ConnectionError | Refused) for failure in failures)


def test_a_message_larger_than_the_buffer_is_read_whole() -> None:
    payload = bytes(range(256)) * (READ_BYTES // 100)
    stream = encoded("a", b"small", "") + encoded("a", payload, "") + encoded("a", b"end", "")
    received, failures = feed(stream, [10, READ_BYTES // 2])
    assert [m.data for m in received] == [b"small", payload, b"end"] and not failures


@pytest.mark.parametrize(
    "stream",
    [
        *(b"HELLO\r\n", b"MSG a 1 x\r\n", b"MSG a 1 -1\r\n", b"MSG a 1 999999999\r\n", b"MSG a\r\n", b"x" * 70_000),
        *(
            b"INFO {\r\n",
            b"INFO []\r\n",
            b"INFO " + b"[" * 9999 + b"\r\n",
            b'INFO {"max_payload":0}\r\n',
            b'INFO {"max_payload":"x"}\r\n',
        ),
        *(b"MSG a 7 1\r\nx\r\n", b"HMSG a 1 9 1\r\nx\r\n"),
    ],
)
def test_what_is_no_nats_is_refused(stream: bytes) -> None:
    _, failures = feed(stream, [])
    assert len(failures) == 1 and isinstance(failures[0], ValueError)


def talk(
    access: Access, work: Callable[[Client, list[Exception]], Awaitable[None]], loop: Any = None, **options: Any
) -> list[Exception]:
    """Connect and work; gives the failures that were told."""
    failures: list[Exception] = []

    async def main() -> None:
        client = await connect(access, "test", failures.append)
        try:
            await work(client, failures)
        finally:
            await client.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(asyncio.wait_for(main(), 10))
    return failures


@pytest.mark.parametrize("loop", LOOPS)
def test_messages_cross_a_real_server_in_order(server: NatsServer, loop: Any) -> None:
    async def work(client: Client, _: list[Exception]) -> None:
        got: list[Received] = []
        client.subscribe(SUBJECT, got.append)
        sent = [bytes([i % 256]) * (i * 997 % 90_000) for i in range(60)]
        for number, payload in enumerate(sent):
            client.publish(SUBJECT, payload, ("Semcast-Part", f"{number}") if number % 3 == 0 else None)
        await client.written()
        while len(got) < len(sent):
            await client.ping()
        assert [m.data for m in got] == sent
        assert [m.header for m in got] == [str(i) if i % 3 == 0 else "" for i in range(60)]

    assert talk(server.driver, work, loop) == []


def test_nats_py_reads_what_it_sends_and_it_reads_what_nats_py_sends(server: NatsServer) -> None:
    async def work(client: Client, _: list[Exception]) -> None:
        other = await nats.connect(server.url, user=server.driver.user, password=server.driver.password)
        theirs = await other.subscribe(SUBJECT)
        await other.flush()
        client.publish(SUBJECT, b"from us", ("Semcast-Part", "1/2/3"))
        message = await theirs.next_msg(5)
        assert (message.data, message.headers) == (b"from us", {"Semcast-Part": "1/2/3"})
        got: list[Received] = []
        client.subscribe(SUBJECT, got.append)
        await client.ping()
        await other.publish(SUBJECT, b"from them", headers={"Any": "thing"})
        await other.flush()
        await client.ping()
        assert [(m.data, m.header) for m in got] == [(b"from them", "thing")]
        await other.close()

    assert talk(server.driver, work) == []


@pytest.mark.parametrize("loop", LOOPS)
def test_who_does_not_read_loses_nothing(server: NatsServer, loop: Any) -> None:
    """More than sockets hold is sent to a client whose event loop stands still; all of it arrives once it reads."""

    async def work(client: Client, _: list[Exception]) -> None:
        sizes: list[int] = []
        client.subscribe(SUBJECT, lambda message: sizes.append(len(message.data)))
        await client.ping()
        sender = subprocess.Popen(
            ["python3", "-c", _SENDER, str(server.port), server.driver.user, server.driver.password, SUBJECT]
        )
        sender.wait(10)  # blocks the loop
        while len(sizes) < 200:
            await asyncio.sleep(0.01)
        assert sizes == [200_000] * 200

    assert talk(server.driver, work, loop) == []


_SENDER = """
import json, socket, sys
port, user, password, subject = sys.argv[1:]
s = socket.create_connection(("127.0.0.1", int(port)))
s.sendall(b"CONNECT " + json.dumps({"user": user, "pass": password, "verbose": False}).encode() + b"\\r\\n")
for _ in range(200):
    s.sendall(b"PUB %b 200000\\r\\n%b\\r\\n" % (subject.encode(), bytes(200000)))
s.sendall(b"PING\\r\\n")
told = b""
while b"PONG" not in told:
    told += s.recv(4096)
"""


def test_a_handler_that_fails_ends_the_connection(server: NatsServer) -> None:
    async def work(client: Client, failures: list[Exception]) -> None:
        client.subscribe(SUBJECT, lambda message: 1 / 0)
        client.publish(SUBJECT, b"")
        with pytest.raises(ZeroDivisionError):
            await client.ping()
        while client.open:
            await asyncio.sleep(0.01)
        with pytest.raises(ConnectionError):
            client.publish(SUBJECT, b"")

    failures = talk(server.driver, work)
    assert isinstance(failures[0], ZeroDivisionError)


def test_refusals_are_told(server: NatsServer) -> None:
    async def work(client: Client, failures: list[Exception]) -> None:
        client.publish("semcast.v1.test.ctl.0.1", b"not mine")
        await client.ping()
        assert len(failures) == 1 and client.open

    assert "Permissions Violation" in str(talk(server.observer, work)[0])
    with pytest.raises(Refused, match="Authorization"):
        talk(Access(server.url, "driver", "wrong"), work)


def test_a_server_that_goes_is_told() -> None:
    async def work(client: Client, failures: list[Exception]) -> None:
        server.stop()
        while not failures:
            await asyncio.sleep(0.01)

    with NatsServer("test", 1) as server:
        assert all(isinstance(failure, OSError) for failure in talk(server.driver, work))


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[tuple[Access, Path]]:
    """A server that requires TLS, and the certificate of its authority."""
    authority = trustme.CA()
    own = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    own.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    own.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    files = {"cert_file": str(tmp_path / "cert.pem"), "key_file": str(tmp_path / "key.pem")}
    config = tmp_path / "server.conf"
    config.write_text(json.dumps({"host": "127.0.0.1", "port": -1, "ports_file_dir": str(tmp_path), "tls": files}))
    process = subprocess.Popen([str(find_binary()), "-c", str(config)], stderr=subprocess.DEVNULL)
    file = tmp_path / f"nats-server_{process.pid}.ports"
    try:
        while process.poll() is None and not (file.exists() and file.read_text().endswith("}")):
            pass
        urls = json.loads(file.read_text())
        yield Access(next(iter(urls.values()))[0].replace("nats://", "tls://")), tmp_path / "ca.pem"
    finally:
        process.terminate()
        process.wait(5)


@pytest.mark.parametrize("loop", LOOPS)
def test_encryption(encrypted: tuple[Access, Path], loop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(client: Client, _: list[Exception]) -> None:
        got: list[Received] = []
        client.subscribe(SUBJECT, got.append)
        client.publish(SUBJECT, b"secret" * 50_000)
        while not got:
            await client.ping()
        assert got[0].data == b"secret" * 50_000

    access, authority = encrypted
    with pytest.raises(ssl.SSLError):
        talk(access, work, loop)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    assert talk(access, work, loop) == []
