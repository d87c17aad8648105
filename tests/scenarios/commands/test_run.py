"""What a run's folder tells of the command line: everything but who the user of the NATS server is."""

import pytest
from semcast.scenarios.commands.run import without_password


@pytest.mark.parametrize("option", ["--nats", "--nat"])
@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nats://me:secret@host:4222", "***@host:4222"),
        ("me:secret@host:4222", "***@host:4222"),
        ("nats://me:se@cr/et@host", "***@host"),
        ("tls://secret@host", "***@host"),
        ("nats://host:4222", "nats://host:4222"),
    ],
)
def test_no_password_of_nats_is_told(option: str, url: str, told: str) -> None:
    others = ["run", "quickstart", "--set", "a=b@c", "--out", "me@here"]
    assert without_password([*others, option, url, "--json"]) == [*others, option, told, "--json"]
    assert without_password([*others, f"{option}={url}", "--json"]) == [*others, f"{option}={told}", "--json"]
