"""The settings of the air interface, as a scenario gives them."""

from dataclasses import dataclass
from typing import Literal

from ..errors import BadInput
from .awgn import Equaliser

Direction = Literal["up", "down"]
"""``up``: user to base station; ``down``: base station to user."""


@dataclass(frozen=True)
class Radio:
    """Air interface of all cells.

    Attributes:
        carrier_hz: Carrier frequency, 0.5 to 100 GHz.
        bandwidth_hz: Bandwidth of a cell; it carries as many complex symbols a second.
        bs_power_dbm, user_power_dbm: Transmit powers.
        bs_noise_figure_db, user_noise_figure_db: Noise figures of the receivers (5 and 9 dB: TR 38.802 Table A.2.1-1).
        bs_height_m, user_height_m: Antenna heights.
        los: Line of sight by distance (each link has one draw, so it is in sight within a radius of its own), always or never.
        shadowing: Whether log-normal shadowing is on.
        fading: ``rayleigh`` (block fading) or ``awgn`` (h = 1).
        fixed_snr_db: Mean Es/N0 of all links in dB instead of geometry.
        scatter_speed_mps: Least speed for the Doppler shift: around a resting user, others move.
        coherence_ns: Length of a coherence block; None: 0.423 / f_D of the user.
        pilots: Pilots per coherence block of a symbol transfer and per code block; charged. None: receivers know h, for free.
        equaliser: ``zf`` or ``mmse``.
        max_attempts: Transmissions of a code block, the first included.
        harq_rtt_ns: From the end of an attempt to the start of the next.
        csi_bits: Bits of a CSI report.
    """

    carrier_hz: float = 3.5e9
    bandwidth_hz: float = 1e6
    bs_power_dbm: float = 30.0
    user_power_dbm: float = 23.0
    bs_noise_figure_db: float = 5.0
    user_noise_figure_db: float = 9.0
    bs_height_m: float = 10.0
    user_height_m: float = 1.5
    los: Literal["probability", "los", "nlos"] = "probability"
    shadowing: bool = True
    fading: Literal["rayleigh", "awgn"] = "rayleigh"
    fixed_snr_db: float | None = None
    scatter_speed_mps: float = 0.5
    coherence_ns: int | None = None
    pilots: int | None = 4
    equaliser: Equaliser = "zf"
    max_attempts: int = 4
    harq_rtt_ns: int = 8_000_000
    csi_bits: int = 5

    def __post_init__(self) -> None:
        checks = (
            (0.5e9 <= self.carrier_hz <= 100e9, "carrier_hz", "between 0.5e9 and 100e9"),
            (self.bandwidth_hz > 0, "bandwidth_hz", "above 0"),
            (self.bs_height_m > 1 and self.user_height_m > 1, "bs_height_m, user_height_m", "above 1"),
            (self.scatter_speed_mps >= 0, "scatter_speed_mps", "at least 0"),
            (self.coherence_ns is None or self.coherence_ns > 0, "coherence_ns", "above 0"),
            (self.pilots is None or self.pilots >= 1, "pilots", "at least 1, or left out of the file for none (perfect CSI)"),
            (self.max_attempts >= 1, "max_attempts", "at least 1"),
            (self.harq_rtt_ns >= 0, "harq_rtt_ns", "at least 0"),
            (1 <= self.csi_bits <= 16, "csi_bits", "between 1 and 16"),
        )
        for good, name, wanted in checks:
            if not good:
                raise BadInput(f"radio: {name} is out of range", f"make it {wanted}")
