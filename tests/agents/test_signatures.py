"""Signatures: what was signed holds, one changed bit does not; counters are taken once; rates are kept to."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from semcast.agents.accounting import COUNTER_BITS, signature_bits
from semcast.agents.signatures import BURST, TAG_BYTES, WINDOW, Heard, genuine, mark_of, sign
from semcast.bus.clock import SECOND
from semcast.bus.messages import BranchReady, Delta, Knowledge, Prompt, Share, SharedItem
from semcast.bus.signed import Refusal, Signable, Signature

SEED, SIGNER = 7, "user.3"
ITEM = SharedItem("subject", "mia/dog", "dog", b"\0\0\x80?", [b"picture"], [(1.0, 2.0, 3.0, 4.0)])
BODIES = [
    Prompt("user.3/1", "user.4", 5, ["caption"], b"told"),
    Share("user.3", [ITEM], 1.5),
    Knowledge("user.3", [ITEM]),
    BranchReady("user.3", "mia/dog", b"\0\0\x80?", 80),
    Delta(2, {"mia/dog": b"\0\0\x80?"}),
    Refusal("user.3/1", "prompt"),
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_what_was_signed_holds_and_costs_what_it_takes(body: Signable) -> None:
    signed = sign(body, 9, SIGNER, SEED)
    assert genuine(signed, SIGNER, SEED)
    assert genuine(sign(signed, 10, SIGNER, SEED), SIGNER, SEED)
    assert msgspec.structs.replace(signed, signature=UNSET) == body
    assert (signature_bits(body), signature_bits(signed)) == (0, 8 * TAG_BYTES + COUNTER_BITS)
    assert TAG_BYTES == 64  # Ed25519
    for wrong in (
        body,
        msgspec.structs.replace(signed, signature=Signature(10, signed.signature.tag)),  # type: ignore[union-attr]
        sign(body, 9, "user.4", SEED),
        sign(body, 9, SIGNER, SEED + 1),
    ):
        assert not genuine(wrong, SIGNER, SEED)
    assert mark_of(body) != mark_of(signed)


def test_without_a_signature_nothing_of_it_is_on_the_wire() -> None:
    assert b"signature" not in msgspec.msgpack.encode(BODIES[0])
    assert b"signature" in msgspec.msgpack.encode(sign(BODIES[0], 1, SIGNER, SEED))


@given(
    request=st.text(max_size=8),
    recipient=st.text(max_size=8),
    data=st.binary(min_size=1, max_size=40),
    counter=st.integers(0, 2**32 - 1),
    where=st.floats(0, 1, exclude_max=True),
    bit=st.integers(0, 7),
)
def test_any_changed_bit_is_refused(request: str, recipient: str, data: bytes, counter: int, where: float, bit: int) -> None:
    """Whatever bit of the wire form is changed: what still can be read is not what was signed, if it reads differently at all."""
    signed = sign(Prompt(request, recipient, 5, [], data), counter, SIGNER, SEED)
    raw = bytearray(msgspec.msgpack.encode(signed))
    raw[int(where * len(raw))] ^= 1 << bit
    try:
        changed = msgspec.msgpack.decode(bytes(raw), type=Prompt)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return
    assert genuine(signed, SIGNER, SEED)
    assert changed == signed or not genuine(changed, SIGNER, SEED)


@given(st.lists(st.integers(0, 200), max_size=60))
def test_a_counter_is_taken_once_and_never_when_it_is_too_old(counters: list[int]) -> None:
    heard, taken = Heard(), []
    for counter in counters:
        fresh = heard.is_fresh(counter)
        assert fresh == (counter not in taken and counter > max(taken, default=-1) - WINDOW)
        if fresh:
            heard.take(counter)
            taken.append(counter)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(heard), type=Heard) == heard


@given(st.lists(st.integers(0, 2 * SECOND), max_size=50), st.floats(0.1, 20.0))
def test_no_span_of_time_lets_more_through_than_the_rate_and_a_burst(gaps: list[int], rate_hz: float) -> None:
    heard, now, taken = Heard(), 0, []
    for gap in gaps:
        now += gap
        if heard.within(rate_hz, now):
            taken.append(now)
    for i, first in enumerate(taken):
        for j in range(i, len(taken)):
            assert j - i + 1 <= BURST + rate_hz * (taken[j] - first) / SECOND + 1e-6


def test_who_keeps_to_the_rate_is_never_stopped() -> None:
    heard = Heard()
    assert all(heard.within(2.0, number * SECOND // 2) for number in range(100))
