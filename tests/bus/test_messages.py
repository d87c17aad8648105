"""Wire format: every kind round-trips, the reference MessagePack library reads it, and bad bytes are refused."""

import math
from typing import Annotated, Any, Literal, get_args, get_origin

import msgpack
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from semcast.bus.envelope import AGENT, DATA, VERSION, Codec, Envelope, Network
from semcast.bus.messages import Feedback, Tick
from semcast.bus.payload import kind_of
from semcast.bus.records import Decision

KINDS = get_args(Network)
TIME = st.integers(0, 2**62)


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type."""
    plain = {int: st.integers(-(2**62), 2**62), float: st.floats(allow_nan=False), str: st.text(max_size=6), bool: st.booleans()}
    if kind in plain:
        return plain[kind]
    if kind is bytes:
        return st.binary(max_size=12)
    if kind is type(None):
        return st.none()
    if kind is msgspec.UnsetType:
        return st.just(msgspec.UNSET)
    if kind is Any:
        return st.integers(0, 9)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return st.sampled_from(inner)
    if origin is Annotated:
        low, high = inner[1].ge, inner[1].le
        return st.integers(low, high) if inner[0] is int else st.floats(low, high) if inner[0] is float else values(inner[0])
    if origin is list:
        return st.lists(values(inner[0]), max_size=2)
    if origin is tuple and inner[-1] is ...:
        return st.lists(values(inner[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*(values(each) for each in inner))
    if origin is dict:
        return st.dictionaries(values(inner[0]), values(inner[1]), max_size=2)
    if inner:
        return st.one_of([values(each) for each in inner])
    return st.builds(kind, **{field.name: values(field.type) for field in msgspec.structs.fields(kind)})


ENVELOPES = st.builds(
    Envelope,
    version=st.just(VERSION),
    t_send=TIME,
    t_deliver=TIME,
    priority=st.integers(-1, 2),
    source=st.text(max_size=10),
    destination=st.text(max_size=10),
    sequence=st.integers(0, 2**53),
    in_reply_to=st.text(max_size=10),
    origin=st.just(AGENT),
    payload=st.one_of([values(kind) for kind in KINDS]),
)


@settings(max_examples=200, deadline=None)
@given(ENVELOPES)
def test_round_trip_and_reference_library(envelope: Envelope) -> None:
    codec = Codec()
    raw = codec.encode(envelope)
    assert msgspec.to_builtins(codec.decode(raw)) == msgspec.to_builtins(envelope)
    plain = msgpack.unpackb(raw, strict_map_key=False)
    assert plain[:9] == [getattr(envelope, name) for name in Envelope.__struct_fields__[:9]]
    assert plain[9]["type"] == envelope.kind


def test_every_kind_is_snake_case_and_unique() -> None:
    tags = [kind.__struct_config__.tag for kind in KINDS]
    assert len(set(tags)) == len(tags)
    assert tags == [kind_of(kind.__name__) for kind in KINDS]
    assert kind_of("CsiReport") == "csi_report"


@pytest.mark.parametrize(
    "raw", [b"", b"\xc1", b"\x90", b"\xff" * 40, b"\x9a" + b"\x01" * 10, msgpack.packb([1] * 9 + [{"type": "nonsense"}])]
)
def test_bad_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        Codec().decode(raw)


def test_numbers_that_make_no_sense_are_refused() -> None:
    """What is within its bounds is read, what is outside or no number is not."""
    codec = Codec()

    def read(payload: Any, **changes: Any) -> Envelope:
        envelope = Envelope(VERSION, 0, 1, DATA, "a", "b", 0, "", AGENT, payload)
        return codec.decode(codec.encode(msgspec.structs.replace(envelope, **changes)))

    good = Feedback("a/1", 0.5, 0.5, 7)
    assert read(good).payload == good
    for satisfaction in (math.nan, math.inf, -0.1, 1.1):
        with pytest.raises(msgspec.ValidationError, match="satisfaction"):
            read(msgspec.structs.replace(good, satisfaction=satisfaction))
    for wrong in (
        {"t_send": -1},
        {"t_deliver": 2**63},
        {"priority": 3},
        {"priority": -2},
        {"sequence": -1},
        {"origin": "heaven"},
    ):
        with pytest.raises(msgspec.ValidationError):
            read(good, **wrong)


def test_what_is_nested_too_deeply_is_refused() -> None:
    raw = Codec().encode(Envelope(VERSION, 0, 1, DATA, "a", "b", 0, "", AGENT, Decision("", "", "", "", "", {"deep": 1}, {})))
    with pytest.raises(msgspec.ValidationError, match="deep"):
        Codec().decode(raw.replace(b"\xa4deep\x01", b"\xa4deep" + b"\x91" * 100_000))


def test_other_versions_and_extra_fields_are_refused() -> None:
    codec = Codec()
    envelope = Envelope(VERSION + 1, 0, 1, DATA, "a", "b", 0, "", AGENT, Tick("x"))
    with pytest.raises(msgspec.ValidationError, match="version 2"):
        codec.decode(codec.encode(envelope))
    body = msgspec.to_builtins(msgspec.structs.replace(envelope, version=VERSION))
    body = [*body[:9], {"type": "tick", "name": "x", "surprise": 1}]
    with pytest.raises(msgspec.ValidationError, match="surprise"):
        codec.decode(msgpack.packb(body))
    with pytest.raises(msgspec.ValidationError, match="length 10"):
        codec.decode(msgpack.packb([*body[:9], {"type": "tick", "name": "x"}, 11]))
