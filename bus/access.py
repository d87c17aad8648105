"""Where a NATS server is, as whom to connect and whom to trust; also for a cluster of servers, and over TLS."""

from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from .errors import BadInput, Missing

_EXPECTED = (
    "expected nats://[user:password@]host[:port], such as nats://127.0.0.1:4222; several servers of one cluster are separated by "
    "commas, tls:// encrypts, and ?ca=FILE&certificate=FILE&key=FILE says whom to trust and who we are"
)
_PORT = 4222


@dataclass(frozen=True)
class Tls:
    """Certificates as PEM text, so that they reach workers that do not have the files.

    ``ca``: authorities to trust, empty for those of the system. ``certificate`` and ``key``: our own, where servers ask for it.
    """

    ca: str = ""
    certificate: str = ""
    key: str = field(default="", repr=False)

    def context(self) -> ssl.SSLContext:
        """For connections.

        Raises:
            BadInput: That are no certificates.
        """
        try:
            context = ssl.create_default_context(cadata=self.ca or None)
            if self.certificate:
                with _private_file(self.certificate + "\n" + self.key) as path:
                    context.load_cert_chain(path)
        except (ssl.SSLError, ValueError) as error:
            raise BadInput(f"the certificates for the NATS server make no sense: {error}", "PEM files are expected") from None
        return context


@dataclass(frozen=True)
class Access:
    """Where a server is and as whom to connect. ``url`` holds no secret; of a cluster all URLs, separated by commas.

    ``secret``: of the run, known to its workers alone; what they say is sealed with it where they share credentials with others
    (exchange/seal.py). ``tls``: None for the system's authorities.
    """

    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    secret: bytes = field(default=b"", repr=False)
    tls: Tls | None = None

    @property
    def urls(self) -> list[str]:
        """Each server; whichever answers first is as good as the others."""
        return self.url.split(",")

    @property
    def url_with_password(self) -> str:
        """For ``nats --server``; secret."""
        if not self.user:
            return self.url
        parts = [url.partition("://") for url in self.urls]
        return ",".join(f"{scheme}://{self.user}:{self.password}@{place}" for scheme, _, place in parts)

    def context(self) -> ssl.SSLContext | None:
        """Whom to trust; None: the system's authorities.

        Raises:
            BadInput: Certificates make no sense.
        """
        return self.tls.context() if self.tls is not None else None


def parse_access(text: str) -> Access:
    """What ``--nats`` says.

    Args:
        text: ``nats://[user:password@]host[:port]``, or ``tls://`` for encryption; of a cluster's servers several, separated by
            commas, with credentials at the first; then optionally ``?ca=FILE&certificate=FILE&key=FILE``, PEM files here.

    Raises:
        BadInput: It is no such URL, or the files are no certificates.
        Missing: A file of certificates cannot be read.
    """
    servers, _, query = text.partition("?")
    before, _, rest = servers.rpartition("@")
    scheme, _, who = before.rpartition("://") if before else ("", "", "")
    urls = []
    for place in rest.split(","):
        own, _, where = place.rpartition("://")
        scheme = own or scheme or "nats"
        urls.append(_url(scheme, where))
    user, _, password = who.partition(":")
    access = Access(",".join(urls), unquote(user), unquote(password), tls=_tls(query))
    if access.tls is not None and not all(url.startswith("tls://") for url in urls):
        raise BadInput("the NATS URL has certificates, but not every server in it is tls://", _EXPECTED)
    access.context()  # now, not when workers connect
    return access


def _url(scheme: str, place: str) -> str:
    try:
        parts = urlsplit(f"{scheme}://{place}")
        port = parts.port or _PORT
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme not in {"nats", "tls"} or not parts.hostname or parts.path.strip("/"):
        raise BadInput("the NATS URL makes no sense", _EXPECTED)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port}"


def _tls(query: str) -> Tls | None:
    files = dict(parse_qsl(query))
    if unknown := sorted(set(files) - {"ca", "certificate", "key"}):
        raise BadInput(f"the NATS URL says {unknown[0]!r}, which nobody knows", _EXPECTED)
    if ("certificate" in files) != ("key" in files):
        raise BadInput("the NATS URL has a certificate without its key, or a key without its certificate", _EXPECTED)
    return Tls(**{name: _read(Path(path).expanduser()) for name, path in files.items()}) if files else None


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, ValueError) as error:
        raise Missing(f"the certificate file {path} cannot be read: {error}", "see what --nats says after its '?'") from None


@contextlib.contextmanager
def _private_file(text: str) -> Iterator[str]:
    """A file that only its owner can read, for as long as a library needs to read it."""
    handle, path = tempfile.mkstemp(prefix="semcast-", suffix=".pem")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        yield path
    finally:
        os.unlink(path)
