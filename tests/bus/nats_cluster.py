"""A cluster of two real NATS servers that ask their clients for certificates, made here."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme
from semcast.bus.server import find_binary

UP_S = 10.0


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


def certificates(place: Path) -> None:
    """``ca.pem``, and certificate and key of a server and of a client."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(place / "ca.pem"))
    for name, own in (("server", authority.issue_cert("127.0.0.1")), ("client", authority.issue_cert("semcast@example.org"))):
        own.cert_chain_pems[0].write_to_path(str(place / f"{name}.pem"))
        own.private_key_pem.write_to_path(str(place / f"{name}.key"))


class NatsCluster:
    """Two servers.

    Attributes:
        url: For ``--nats``: both servers, credentials, certificates.
        processes: One a server.
    """

    def __init__(self, place: Path) -> None:
        certificates(place)
        self.ports, self.routes = free_ports(2), free_ports(2)
        self.place = place
        self.processes = [self._start(index) for index in range(2)]
        for port in self.ports:
            _wait_for(port)
        self.bare = f"tls://visitor:secret@127.0.0.1:{self.ports[0]},127.0.0.1:{self.ports[1]}"
        self.ca = f"ca={place / 'ca.pem'}"
        self.url = f"{self.bare}?{self.ca}&certificate={place / 'client.pem'}&key={place / 'client.key'}"

    def _start(self, index: int) -> subprocess.Popen[bytes]:
        files = {name: str(self.place / file) for name, file in (("cert_file", "server.pem"), ("key_file", "server.key"))}
        config = {
            "server_name": f"nats{index}",
            "host": "127.0.0.1",
            "port": self.ports[index],
            "tls": files | {"ca_file": str(self.place / "ca.pem"), "verify": True},
            "authorization": {"user": "visitor", "password": "secret"},
            "cluster": {
                "name": "semcast",
                "host": "127.0.0.1",
                "port": self.routes[index],
                "routes": [f"nats://127.0.0.1:{port}" for port in self.routes],
            },
        }
        path = self.place / f"server{index}.conf"
        path.write_text(json.dumps(config))
        return subprocess.Popen([str(find_binary()), "-c", str(path)], stderr=subprocess.DEVNULL)


@contextmanager
def nats_cluster(place: Path) -> Iterator[NatsCluster]:
    cluster = NatsCluster(place)
    try:
        yield cluster
    finally:
        for process in cluster.processes:
            process.kill()
            process.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + UP_S
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.01)
    raise AssertionError(f"no server at port {port}")
