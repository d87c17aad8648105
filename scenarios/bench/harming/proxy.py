"""A TCP proxy between workers and their server: a longer way, one that can cut all connections and refuse new ones a while."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time


class Proxy:
    """Listens on a free loopback port; a context manager.

    Args:
        port: Of the server, on this machine.
        delay_s: How much later everything arrives, in each direction; what follows is not held up by it.
    """

    def __init__(self, port: int, delay_s: float = 0.0) -> None:
        self._target, self._delay_s = ("127.0.0.1", port), delay_s
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._refuse_until = 0.0

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.cut(0.0)

    def cut(self, for_s: float) -> int:
        """Close all connections at once, with what is on its way, and take no new ones for a while; how many there were."""
        with self._lock:
            self._refuse_until = time.monotonic() + for_s
            cut, self._open = list(self._open), set()
        for each in cut:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        return len(cut) // 2

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                try:
                    if time.monotonic() < self._refuse_until:
                        raise OSError
                    server = socket.create_connection(self._target, 5)
                    server.settimeout(None)
                except OSError:
                    client.close()
                    continue
                with self._lock:
                    self._open |= {client, server}
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        late: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        if self._delay_s:
            threading.Thread(target=_deliver, args=(late, sink), daemon=True).start()
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if self._delay_s:
                    late.put((time.monotonic() + self._delay_s, data))
                else:
                    sink.sendall(data)
        late.put((0.0, b""))
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open -= {source, sink}
        source.close()


def _deliver(late: queue.SimpleQueue[tuple[float, bytes]], sink: socket.socket) -> None:
    """Pass on what is due, until nothing more comes or nobody takes it."""
    with contextlib.suppress(OSError):
        while True:
            due_s, data = late.get()
            if not data:
                return
            time.sleep(max(0.0, due_s - time.monotonic()))
            sink.sendall(data)
