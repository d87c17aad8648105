"""Records of rounds in parts: any order, any repetition, any bytes."""

import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.bus.envelope import Codec
from semcast.bus.exchange import wire
from semcast.bus.exchange.chaos import Chaos
from semcast.bus.exchange.wire import BAD_BYTES, WIRE_VERSION, Again, Assembly, Done, Hello, Part

CONTROLS = st.one_of(
    st.builds(Hello, st.integers(0, 9), st.booleans()),
    st.builds(
        Again,
        st.integers(0, 9),
        st.integers(0, 2**40),
        st.lists(st.integers(0, 99)),
        st.dictionaries(st.text(max_size=9), st.lists(st.integers(0, 2**40))),
        st.booleans(),
    ),
    st.builds(Done, st.integers(0, 9), st.integers(0, 2**40)),
)


@given(body=st.binary(max_size=300), size=st.integers(1, 60), data=st.data())
def test_parts_in_any_order_and_number_give_the_body(body: bytes, size: int, data: st.DataObject) -> None:
    chunks = list(wire.cut(body, size))
    raws = [wire.encode(Part(WIRE_VERSION, 0, 3, n, len(chunks), 77, chunk)) for n, chunk in enumerate(chunks)]
    order = data.draw(st.permutations([*range(len(raws)), *data.draw(st.lists(st.integers(0, len(raws) - 1), max_size=5))]))
    assembly = Assembly(len(raws), 77)
    seen: set[int] = set()
    for number in order:
        assert assembly.complete == (len(seen) == len(raws))
        assert assembly.missing() == [n for n in range(len(raws)) if n not in seen]
        part = wire.decode_part(raws[number])
        assert assembly.add(part.part, part.chunk) == (number not in seen)
        seen.add(number)
    assert assembly.complete and bytes(assembly.body()) == body


@given(CONTROLS)
def test_control_round_trips_and_the_reference_library_reads_it(control: Hello | Again | Done) -> None:
    raw = wire.encode(control)
    assert wire.decode_control(raw) == control
    assert msgpack.unpackb(raw)["type"] == type(control).__name__.lower()


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    for decode in (wire.decode_part, wire.decode_control, Codec().decode):
        try:
            decode(raw)
        except BAD_BYTES:
            continue


@pytest.mark.parametrize(("number", "parts", "newer"), [(3, 3, 0), (-1, 3, 0), (0, 0, 0), (0, 1 << 40, 0), (0, 1, 1), (0, 1, -1)])
def test_parts_that_cannot_be_are_refused(number: int, parts: int, newer: int) -> None:
    with pytest.raises(ValueError):
        wire.decode_part(wire.encode(Part(WIRE_VERSION + newer, 0, 0, number, parts, 0, memoryview(b""))))


@pytest.mark.parametrize(
    "value", ["", "1/2", "a/0/1", "1/2/2", "-1/0/1", "+1/0/1", " 1/0/1", "1_0/0/1", "1/0/70000", "9" * 30 + "/0/1"]
)
def test_headers_that_number_no_part_are_refused(value: str) -> None:
    assert wire.decode_part_header("5/0/3") == (5, 0, 3)
    with pytest.raises(ValueError):
        wire.decode_part_header(value)


@pytest.mark.parametrize("changes", [{"floor_ns": -1}, {"round": -1}, {"incarnation": 2**63}, {"floor_ns": 2**63}])
def test_numbers_of_a_part_are_bounded(changes: dict[str, int]) -> None:
    part = Part(WIRE_VERSION, 0, 0, 0, 1, 0, memoryview(b""))
    assert wire.decode_part(wire.encode(part)).round == 0
    with pytest.raises(ValueError):
        wire.decode_part(wire.encode(msgspec.structs.replace(part, **changes)))


def test_chaos_can_be_repeated_and_loses_no_kind_of_its_own() -> None:
    first, second = (Chaos(5, 0.1, 0.5, True, 0.3) for _ in range(2))
    assert first.disturb(range(50)) == second.disturb(range(50))
    assert set(first.disturb(range(50))) == set(range(50))
    assert [first.lost() for _ in range(9)] != [False] * 9
    calm = Chaos()
    assert calm.disturb([3, 1, 2]) == [3, 1, 2] and not calm.lost() and calm.delay() == 0.0
