"""``semcast trace RUN --ledger``: blocks and credits of a run; a changed entry is named with its block."""

import json
from pathlib import Path

import msgspec
import pytest
from semcast.agents.base import PAYLOADS
from semcast.agents.ledger import rules_of
from semcast.agents.signatures import key_of
from semcast.bus.blocks import Entry, SealedBlock
from semcast.bus.envelope import AGENT, DATA, VERSION, Codec, Envelope
from semcast.bus.trace import TraceWriter
from semcast.policies.incentive.ledger import Tally, advance, attest, propose
from semcast.policies.registry import load as load_policy
from semcast.policies.registry import resolve
from semcast.scenarios.build import network_settings
from semcast.scenarios.cli import main
from semcast.scenarios.folder import write_run
from semcast.scenarios.loading import dumps, load

USERS = ("user.leo", "user.mia")


def write(folder: Path, change: int = -1, incentive: str = "dpos") -> Path:
    """A run folder with a chain of three blocks; an entry of block ``change`` is changed after it was sealed."""
    folder.mkdir()
    scenario = load("two-users", overrides={"policies.incentive": incentive})
    settings = network_settings(scenario)
    (folder / "scenario.toml").write_text(dumps(scenario))
    write_run(folder, {"status": "ok", "scenario": "two-users", "seed": scenario.seed, "digest": ""})
    rules = rules_of(settings, load_policy(resolve("incentive", "dpos")))
    codec, writer, tally = Codec(PAYLOADS), TraceWriter(folder / "trace", 0, {"run": "test"}), Tally()
    for number in range(3):
        ballots = [(user, USERS) for user in USERS] if number == 0 else []
        block = propose(tally, ballots, [Entry("user.mia", "subject", 2_500_000)], rules)
        tally = advance(tally, block)
        seal = [(user, attest(block, key_of(settings.seed, user))) for user in block.validators]
        if number == change:
            block = msgspec.structs.replace(block, entries=(Entry("user.leo", "subject", 2_500_000), *block.entries[1:]))
        envelope = Envelope(VERSION, number, number, DATA, "cloud.0", "cloud.0", number, "", AGENT, SealedBlock(block, seal))
        writer.write(envelope, codec.encode(envelope), False)
    writer.close()
    return folder


def test_blocks_and_credits_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write(tmp_path / "run")
    assert main(["trace", str(run), "--ledger"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("block 0: 3 entries") and "2 of 2 validators attest it" in lines[0]
    assert lines[-1] == f"{run}: 3 blocks hold (chained by hash, attested); 8.7 of 24 credits paid"
    assert main(["trace", str(run), "--ledger", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [block["block"] for block in told["blocks"]] == [0, 1, 2] and told["budget"] == 24
    assert told["accounts"] == [
        {"user": "user.leo", "contributions": 0.0, "validation": pytest.approx(0.6), "credits": pytest.approx(0.6)},
        {"user": "user.mia", "contributions": 7.5, "validation": pytest.approx(0.6), "credits": pytest.approx(8.1)},
    ]


@pytest.mark.parametrize("number", range(3))
def test_a_changed_entry_is_named_with_its_block(number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", str(write(tmp_path / "run", number)), "--ledger"]) == 1
    assert f"block {number} of its ledger does not hold: 0 of its 2 validators attest it" in capsys.readouterr().err


def test_a_run_without_ledger_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", str(write(tmp_path / "run", incentive="posted")), "--ledger"]) == 2
    assert "the incentive posted keeps no ledger" in capsys.readouterr().err
