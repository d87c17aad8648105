"""What waits in an exchange is bounded, and what was forgotten can come again."""

from semcast.bus.envelope import AGENT, DATA, VERSION, Envelope
from semcast.bus.exchange.kept import Kept
from semcast.bus.exchange.waiting_room import Pieces, Pool
from semcast.bus.exchange.wire import Again
from semcast.bus.messages import Tick


def envelope(number: int) -> Envelope:
    return Envelope(VERSION, 0, 1, DATA, "user.0", "bs.0", number, "", AGENT, Tick("x", number))


def test_pieces_make_a_message_and_the_oldest_are_forgotten_in_a_flood() -> None:
    pieces = Pieces(most_bytes=1000)
    assert pieces.add(("s", 1), 2, 1, b"b" * 100) == (True, None)
    assert pieces.add(("s", 1), 2, 1, b"c" * 100) == (False, None)
    assert pieces.add(("s", 1), 2, 0, b"a" * 100) == (True, b"a" * 100 + b"b" * 100)
    assert pieces.add(("s", 2), 2, 0, b"a" * 100) == (True, None)
    for number in range(1000):  # none of them is ever whole
        pieces.add(("flood", number), 60_000, 0, bytes(90))
    assert sum(assembly.size for assembly in pieces._open.values()) <= 1000
    assert pieces.add(("s", 2), 2, 1, b"b") == (True, None), "its other half was forgotten"
    assert pieces.add(("s", 2), 2, 0, b"a") == (True, b"ab"), "and has come again"


def test_a_named_message_stays_in_a_flood_of_others() -> None:
    pool = Pool(most_bytes=1000)
    pool.add(("a", 1), envelope(1), 100, named=True)
    pool.add(("a", 2), envelope(2), 100, named=False)
    assert pool.name(("a", 2)) and not pool.name(("a", 3))
    pool.add(("a", 4), envelope(4), 100, named=False)
    for number in range(5, 1000):
        pool.add(("flood", number), envelope(number), 90, named=False)
    assert len(pool._messages) <= 2 + 1000 // 90
    assert not pool.name(("a", 4)), "it was forgotten, and is to be asked for"
    assert [pool.take(("a", number)).sequence for number in (1, 2)] == [1, 2]
    assert ("a", 1) not in pool


def test_who_asks_for_the_same_a_million_times_gets_it_once() -> None:
    piece = ("s", b"piece", None)
    kept = Kept(parts={1: [piece]}, messages={1: {("a", 5): [piece]}})
    again = Again(0, 0, [0] * 1_000_000, {"a": [5] * 1_000_000})
    assert kept.asked_for(1, again) == [piece, piece]
