"""A real NATS server on a free port for each module."""

from collections.abc import Iterator

import pytest
from semcast.bus.server import NatsServer

WORKERS = 4


@pytest.fixture(scope="module")
def server() -> Iterator[NatsServer]:
    """Credentials for run ``test``: a driver, an observer and four workers."""
    with NatsServer("test", WORKERS) as running:
        yield running
