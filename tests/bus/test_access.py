"""What ``--nats`` may say, and a cluster of servers over TLS that it leads to."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from semcast.bus.access import Access, Tls, parse_access
from semcast.bus.engine import Worker
from semcast.bus.errors import BadInput, Missing
from semcast.bus.exchange.nats import nats_exchange
from semcast.bus.server import ExternalServer

from .nats_cluster import NatsCluster, nats_cluster
from .nats_networks import run_over_nats
from .networks import digest, ping_world, run_in_memory

WORLD = ping_world()


@pytest.mark.parametrize(
    ("text", "access"),
    [
        ("nats://127.0.0.1:4222", Access("nats://127.0.0.1:4222")),
        ("somewhere", Access("nats://somewhere:4222")),
        ("tls://a%40b:p%3Aw@host", Access("tls://host:4222", "a@b", "p:w")),
        ("nats://u:p@a:1,b:2,nats://c", Access("nats://a:1,nats://b:2,nats://c:4222", "u", "p")),
        ("tls://[::1]:7,host", Access("tls://[::1]:7,tls://host:4222")),
    ],
)
def test_what_it_says(text: str, access: Access) -> None:
    assert parse_access(text) == access


@pytest.mark.parametrize(
    "text",
    [
        "http://host",
        "nats://",
        "nats://a,",
        "nats://host:port",
        "tls://a?cert=x",
        "tls://a?key=x",
        "tls://a,http://b",
        "nats://a/b",
    ],
)
def test_what_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="NATS URL"):
        parse_access(text)


def test_certificates_that_are_not_there_or_are_none(tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"none.pem cannot be read"):
        parse_access(f"tls://a?ca={tmp_path / 'none.pem'}")
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(BadInput, match="make no sense"):
        parse_access(f"tls://a?ca={tmp_path / 'ca.pem'}")
    with pytest.raises(BadInput, match="not every server in it is tls://"):
        parse_access(f"tls://a,nats://b?ca={tmp_path / 'ca.pem'}")  # certificates promise more than the first server


def test_secrets_are_not_shown_and_travel_to_workers() -> None:
    access = Access("tls://a:1,tls://b:2", "me", "pass-word", b"sec-ret", Tls("ca", "mine", "private-key"))
    assert not any(secret in repr(access) for secret in ("pass-word", "sec-ret", "private-key"))
    assert msgspec.json.decode(msgspec.json.encode(access), type=Access) == access
    assert access.url_with_password == "tls://me:pass-word@a:1,tls://me:pass-word@b:2"


# --- a cluster --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsCluster]:
    with nats_cluster(tmp_path_factory.mktemp("tls")) as cluster:
        yield cluster


def test_without_the_right_certificates_there_is_no_connection(cluster: NatsCluster) -> None:
    for url, told in ((cluster.bare, "no encryption"), (f"{cluster.bare}?{cluster.ca}", "certificate")):
        with pytest.raises(Missing, match=told) as caught:
            ExternalServer(url).start()
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("form", ["subjects", "packed"])
def test_workers_at_both_servers_and_one_server_is_lost(cluster: NatsCluster, form: str) -> None:
    """In the last run the first server goes while it is under way: its workers go over to the other one."""
    expected = digest(run_in_memory(WORLD))
    with ExternalServer(cluster.url) as server:
        accesses = [server.worker(k) for k in range(3)]
        assert [access.urls[0] for access in accesses] == [f"tls://127.0.0.1:{cluster.ports[k % 2]}" for k in range(3)]
        ends = [nats_exchange(form, WORLD, k, 3, access, ask_again_s=0.05) for k, access in enumerate(accesses)]
        if form == "packed":
            original = Worker.execute

            def execute(worker: Worker, window: int) -> None:
                if worker.windows == 20 and cluster.processes[0].poll() is None:
                    cluster.processes[0].kill()
                    cluster.processes[0].wait()
                original(worker, window)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Worker, "execute", execute)
                reports = run_over_nats(WORLD, ends)
            assert sum(end.counts.returns for end in ends) >= 2
        else:
            reports = run_over_nats(WORLD, ends)
    assert digest(reports) == expected
