"""What a participant says: any bytes are an ask or refused; the log holds what was acknowledged, wherever it was cut."""

from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.bus import asks
from semcast.bus.asks import ASK_BYTES, FIRST_NUMBER, Accepted, Asking, AskLog, read_log
from semcast.bus.errors import BadInput, RunFailed
from semcast.bus.messages import Ask

NAMES = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
ASKINGS = st.builds(
    Asking,
    participant=NAMES,
    counter=st.integers(0, 2**53),
    recipient=st.text(max_size=20),
    task=st.sampled_from(["greeting", "mapping"]),
    things=st.integers(0, 8),
    subject=st.text(max_size=20),
    words=st.text(max_size=64),
)
GOOD = {"participant": "alice", "counter": 0, "recipient": "user.05"}


@given(ASKINGS)
def test_what_the_reference_library_writes_is_read(asking: Asking) -> None:
    raw = asks.encode(asking)
    assert asks.decode(raw) == asking
    assert asks.decode(msgpack.packb(msgpack.unpackb(raw))) == asking


def test_what_is_left_out_has_its_default() -> None:
    assert asks.decode(msgpack.packb(GOOD)) == Asking("alice", 0, "user.05", "greeting", 0, "", "")
    assert asks.decode(msgpack.packb(GOOD)).ask(FIRST_NUMBER + 3) == Ask(FIRST_NUMBER + 3, "user.05")


@given(st.binary(max_size=ASK_BYTES + 10) | st.builds(lambda raw, at: raw[:at], ASKINGS.map(asks.encode), st.integers(0, 100)))
def test_any_bytes_are_an_ask_or_refused(raw: bytes) -> None:
    try:
        asking = asks.decode(raw)
    except ValueError:
        return
    assert asks.decode(asks.encode(asking)) == asking


@pytest.mark.parametrize(
    "change",
    [
        {"participant": ""},
        {"participant": "a.b"},
        {"participant": "alice\n"},
        {"participant": "a" * 65},
        {"counter": -1},
        {"counter": 1.5},
        {"counter": 2**60},
        {"things": 9},
        {"things": -1},
        {"task": "dance"},
        {"words": "x" * 257},
        {"recipient": 5},
        {"number": 7},
        {"version": 2},
        {"subject": None},
    ],
)
def test_what_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        asks.decode(msgpack.packb(GOOD | change))


def test_bytes_that_are_too_many_or_too_deep_are_refused_unread() -> None:
    with pytest.raises(ValueError, match=f"at most {ASK_BYTES}"):
        asks.decode(msgpack.packb(GOOD | {"words": "x" * ASK_BYTES}))
    with pytest.raises(ValueError):
        asks.decode(b"\x81\xa1x" + b"\x91" * (ASK_BYTES - 10))


# --- the log ----------------------------------------------------------------------------------------------------------


def accepted(number: int) -> Accepted:
    return Accepted(number * 1000, "user.1", "alice", number, Ask(FIRST_NUMBER + number, "user.2", words="x" * number))


def test_a_log_holds_what_was_added_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "asks-w0"
    log = AskLog(path)
    assert log.entries == [] == read_log(path)
    log.add([accepted(0), accepted(1)])
    log.add([accepted(2)])
    log.close()
    assert read_log(path) == [accepted(n) for n in range(3)] == log.entries
    assert read_log(tmp_path / "nothing") == []


def test_a_log_that_was_cut_anywhere_is_read_to_the_cut_and_goes_on_there(tmp_path: Path) -> None:
    path = tmp_path / "asks-w0"
    log = AskLog(path)
    ends = [0]
    for number in range(4):
        log.add([accepted(number)])
        ends.append(path.stat().st_size)
    log.close()
    whole = path.read_bytes()
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        kept = sum(end <= cut for end in ends) - 1
        assert read_log(path) == [accepted(n) for n in range(kept)]
        if cut % 7 == 0:
            again = AskLog(path)
            again.add([accepted(9)])
            again.close()
            assert read_log(path) == [*(accepted(n) for n in range(kept)), accepted(9)]


def test_who_was_replaced_can_add_no_more(tmp_path: Path) -> None:
    path = tmp_path / "asks-w0"
    old = AskLog(path)
    old.add([accepted(0)])
    new = AskLog(path)
    with pytest.raises(RunFailed, match="taken over by a later incarnation"):
        old.add([accepted(1)])
    new.add([accepted(2)])
    assert read_log(path) == [accepted(0), accepted(2)]
    old.close()
    new.close()


def test_a_damaged_log_is_named(tmp_path: Path) -> None:
    path = tmp_path / "asks-w0"
    log = AskLog(path)
    log.add([accepted(0)])
    log.close()
    path.write_bytes(path.read_bytes()[:4] + b"\xc1" + path.read_bytes()[5:])
    with pytest.raises(BadInput, match="asks-w0 is damaged at byte 0"):
        read_log(path)
