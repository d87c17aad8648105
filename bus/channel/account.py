"""What a transfer cost: every bit and symbol on the air, pilots and feedback included."""

from msgspec import Struct


class Account(Struct, frozen=True):
    """Cost of one transfer; accounts add up with ``+``.

    Attributes:
        payload_bits: What the caller wanted delivered, counted once.
        coded_bits: Coded bits sent, over all attempts (0 for JSCC symbols).
        complex_symbols: Complex symbols that carried data, over all attempts.
        pilot_symbols: Pilots.
        feedback_bits: HARQ acknowledgements.
        feedback_symbols: Complex symbols of these.
        attempts: Transmissions made.
        air_ns: Time the cell's air was in use: `total_symbols` over the bandwidth, rounded up.
        t_done_ns: When the last symbol (feedback included) was through, waits between attempts included.
    """

    payload_bits: int = 0
    coded_bits: int = 0
    complex_symbols: int = 0
    pilot_symbols: int = 0
    feedback_bits: int = 0
    feedback_symbols: int = 0
    attempts: int = 0
    air_ns: int = 0
    t_done_ns: int = 0

    @property
    def total_symbols(self) -> int:
        """Complex symbols of data, pilots and feedback."""
        return self.complex_symbols + self.pilot_symbols + self.feedback_symbols

    def __add__(self, other: "Account") -> "Account":
        return Account(
            self.payload_bits + other.payload_bits,
            self.coded_bits + other.coded_bits,
            self.complex_symbols + other.complex_symbols,
            self.pilot_symbols + other.pilot_symbols,
            self.feedback_bits + other.feedback_bits,
            self.feedback_symbols + other.feedback_symbols,
            self.attempts + other.attempts,
            self.air_ns + other.air_ns,
            max(self.t_done_ns, other.t_done_ns),
        )


def air_ns(symbols: int, bandwidth_hz: float) -> int:
    """Air time of complex symbols in ns, rounded up: one symbol a second and hertz."""
    return -int(-symbols * 1e9 // bandwidth_hz)


def feedback_symbols(bits: int) -> int:
    """Symbols of HARQ feedback: 12 for every two bits (PUCCH format 0: one resource block, TS 38.211 section 6.3.2.3)."""
    return 12 * -(-bits // 2)
