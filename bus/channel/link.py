"""The air between base stations and users: one place that answers what a link is like and carries symbols and coded bits.

Everything is a pure function of (seed, settings, ids, time, key): any worker can ask for any instant in any order.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from .. import keys
from ..errors import BadInput
from . import fading, pathloss
from .account import Account, air_ns
from .awgn import add_noise, check_unit_power, equalise, estimate
from .coding import bler, choose_mcs
from .csi import CsiReport, quantise
from .geometry import Area, position
from .harq import CodedTransfer, deliver, price
from .mcs import MCS_TABLE, Blocks, Mcs, segment
from .radio import Direction, Radio

MOST_NEAR = 9
"""So many stations a user listens to wherever it is."""
Loads = Mapping[str, float]
"""Announced share of time (0 to 1) in which each base station transmits."""


@dataclass(frozen=True)
class SymbolTransfer:
    """JSCC symbols as the receiver gets them.

    Attributes:
        received: Equalised symbols, complex64 ``(n,)``; their noise has variance about ``10^(-snr_db / 10)``.
        snr_db: The receiver's own estimate of the SNR after equalisation (mean noise over the symbols).
        account: What it cost.
    """

    received: np.ndarray
    snr_db: float
    account: Account


@dataclass(frozen=True)
class CountedTransfer:
    """JSCC symbols that are counted instead of sent: ``snr_db`` and ``account`` of the `SymbolTransfer` that they stand for."""

    snr_db: float
    account: Account


@dataclass(frozen=True, eq=False)
class Air:
    """The radio world of a scenario.

    Attributes:
        seed: Seed of the world.
        radio: Settings.
        area: Where users move.
        stations: Position ``(x_m, y_m)`` of every base station.
        speeds_mps: Speed of every user, or one for all.
    """

    seed: int
    radio: Radio
    area: Area
    stations: Mapping[str, tuple[float, float]]
    speeds_mps: Mapping[str, float] | float = 1.5

    def link(self, bs_id: str, user_id: str) -> "Link":
        """The link between a base station and a user.

        Raises:
            BadInput: If the station is unknown.
        """
        if bs_id not in self.stations:
            raise BadInput(f"no base station {bs_id!r} on the air", f"known: {', '.join(sorted(self.stations))}")
        return Link(self, bs_id, user_id)

    def speed_mps(self, user_id: str) -> float:
        """Speed of a user."""
        speeds = self.speeds_mps
        if isinstance(speeds, float | int):
            return speeds
        if user_id not in speeds:
            raise BadInput(
                f"no speed is given for user {user_id!r}", "list every user in Air.speeds_mps, or give one speed for all"
            )
        return speeds[user_id]

    def position(self, user_id: str, t_ns: int) -> tuple[float, float]:
        """Position ``(x_m, y_m)`` of a user."""
        return position(self.seed, user_id, t_ns, self.area, self.speed_mps(user_id))

    def strongest(self, user_id: str, t_ns: int) -> str:
        """The base station of least path loss and shadowing among the `near` ones, also with a fixed SNR.

        Of equals the first by id.
        """
        here = self.position(user_id, t_ns)
        near = self.near(*here)
        losses, sights = zip(*(Link(self, bs_id, user_id).path_loss_db(here) for bs_id in near), strict=True)
        shadows = pathloss.shadowings_db(self.seed, near, here, sights) if self.radio.shadowing else [0.0] * len(near)
        totals = [loss + shadow for loss, shadow in zip(losses, shadows, strict=True)]
        return near[totals.index(min(totals))]

    def nearest(self, user_id: str, t_ns: int) -> str:
        """The base station at the least distance, among the `near` ones; of equals the first by id."""
        x, y = self.position(user_id, t_ns)
        return min(self.near(x, y), key=lambda bs: (self.stations[bs][0] - x) ** 2 + (self.stations[bs][1] - y) ** 2)

    def near(self, x_m: float, y_m: float) -> tuple[str, ...]:
        """The base stations that a user at a place listens to, by id: its neighbour list.

        The area is divided into squares that hold one station on average; the list has the stations of the place's square and
        of the eight around it. Where there are none, or no more than nine in all, it has all stations.
        """
        if len(self.stations) <= MOST_NEAR:
            return self._sorted
        side_m = self._side_m
        column, row = math.floor(x_m / side_m), math.floor(y_m / side_m)
        found = self._neighbours.get((column, row))
        if found is None:
            around = [(column + i, row + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
            found = tuple(sorted(bs for square in around for bs in self._squares.get(square, ()))) or self._sorted
            self._neighbours[column, row] = found
        return found

    @cached_property
    def _side_m(self) -> float:
        return math.sqrt(self.area.width_m * self.area.height_m / len(self.stations))

    @cached_property
    def _sorted(self) -> tuple[str, ...]:
        return tuple(sorted(self.stations))

    @cached_property
    def _squares(self) -> dict[tuple[int, int], list[str]]:
        squares: dict[tuple[int, int], list[str]] = {}
        for bs_id, (x_m, y_m) in self.stations.items():
            squares.setdefault((math.floor(x_m / self._side_m), math.floor(y_m / self._side_m)), []).append(bs_id)
        return squares

    @cached_property
    def _neighbours(self) -> dict[tuple[int, int], tuple[str, ...]]:
        return {}


@dataclass(frozen=True, eq=False, slots=True)
class Link:
    """One base station and one user; `Air.link` makes it.

    ``key`` arguments name what a transfer belongs to, e.g. ``(request, hop)``.
    """

    air: Air
    bs_id: str
    user_id: str

    @property
    def coherence_ns(self) -> int:
        """Length of a coherence block."""
        return self.air.radio.coherence_ns or fading.coherence_ns(self._doppler_hz())

    def _doppler_hz(self) -> float:
        radio = self.air.radio
        return fading.doppler_hz(max(self.air.speed_mps(self.user_id), radio.scatter_speed_mps), radio.carrier_hz)

    def key(self, purpose: str, direction: Direction, key: Sequence[keys.Key]) -> tuple[keys.Key, ...]:
        """Full key of a draw: seed, purpose and link before what it belongs to."""
        return (self.air.seed, purpose, direction, self.bs_id, self.user_id, *key)

    def loss_db(self, t_ns: int) -> float:
        """Path loss and shadowing in dB."""
        return _loss_db(self.air, self.bs_id, self.user_id, t_ns)

    def path_loss_db(self, position_m: tuple[float, float]) -> tuple[float, bool]:
        """Path loss in dB with the user at a place, without shadowing, and whether there is a line of sight."""
        air, radio = self.air, self.air.radio
        x, y = position_m
        bs_x, bs_y = air.stations[self.bs_id]
        distance = math.hypot(x - bs_x, y - bs_y)
        los = radio.los == "los"
        if radio.los == "probability":
            los = keys.uniform(air.seed, "line of sight", self.bs_id, self.user_id) < pathloss.los_probability(distance)
        return pathloss.umi_db(distance, radio.carrier_hz, radio.bs_height_m, radio.user_height_m, los), los

    def mean_snr_db(self, t_ns: int, direction: Direction, loads: Loads | None = None) -> float:
        """Mean Es/N0 in dB: large-scale gain only.

        Args:
            t_ns: Instant.
            direction: ``up`` or ``down``.
            loads: If given, the downlink is Es/(N0 + I0), where every other station adds its mean power times its load. The
                uplink stays orthogonal.
        """
        radio = self.air.radio
        if radio.fixed_snr_db is not None:
            return radio.fixed_snr_db
        if direction == "up":
            return pathloss.mean_snr_db(radio.user_power_dbm, self.loss_db(t_ns), radio.bandwidth_hz, radio.bs_noise_figure_db)
        snr_db = pathloss.mean_snr_db(radio.bs_power_dbm, self.loss_db(t_ns), radio.bandwidth_hz, radio.user_noise_figure_db)
        others = sorted(set(loads or ()) - {self.bs_id})
        if not loads or not others:
            return snr_db
        heard = (loads[bs] * 10 ** (self.air.link(bs, self.user_id).mean_snr_db(t_ns, "down") / 10) for bs in others)
        return snr_db - 10 * math.log10(1 + math.fsum(heard))

    def block(self, t_ns: int) -> int:
        """Number of the coherence block of an instant."""
        return t_ns // self.coherence_ns

    def gain(self, t_ns: int) -> complex:
        """True complex gain h of the coherence block, E|h|^2 = 1."""
        if self.air.radio.fading == "awgn":
            return 1 + 0j
        doppler_hz = self._doppler_hz()
        coherence_ns = self.air.radio.coherence_ns or fading.coherence_ns(doppler_hz)
        begins_s = t_ns // coherence_ns * coherence_ns * 1e-9
        return fading.rayleigh(self.air.seed, self.bs_id, self.user_id, begins_s, doppler_hz)

    def snr_db(self, t_ns: int, direction: Direction, loads: Loads | None = None) -> float:
        """True |h|^2 Es/N0 in dB: for oracles and metrics; a receiver uses `measure`."""
        return self.mean_snr_db(t_ns, direction, loads) + 20 * math.log10(max(abs(self.gain(t_ns)), 1e-9))

    def measure(self, t_ns: int, direction: Direction, key: Sequence[keys.Key] = (), loads: Loads | None = None) -> CsiReport:
        """Measure |h|^2 Es/N0 from pilots and quantise it; the report and the pilots are to be charged."""
        radio = self.air.radio
        belief = estimate(
            self.gain(t_ns), self.mean_snr_db(t_ns, direction, loads), radio.pilots, *self.key("csi", direction, (t_ns, *key))
        )
        return CsiReport(t_ns, quantise(belief.snr_db, radio.csi_bits), radio.csi_bits, radio.pilots or 0)

    def send_symbols(
        self, symbols: np.ndarray, t_ns: int, direction: Direction, key: Sequence[keys.Key], loads: Loads | None = None
    ) -> SymbolTransfer:
        """Send JSCC symbols of one image.

        Each coherence block is estimated from its own pilots and equalised with that estimate.

        Args:
            symbols: complex ``(n,)`` of unit mean power (`unit_power`).
            t_ns: Start.
            direction: ``up`` or ``down``.
            key: What the noise belongs to; the shorter of two codewords with one key meets a prefix of the same noise.
            loads: As for `mean_snr_db`.

        Raises:
            BadInput: If the power is not 1.
        """
        check_unit_power(symbols)
        radio, coherence = self.air.radio, self.coherence_ns
        mean_db = self.mean_snr_db(t_ns, direction, loads)
        starts = t_ns + (np.arange(symbols.size) * (1e9 / radio.bandwidth_hz)).astype(np.int64)
        numbers, first, length = np.unique(starts // coherence, return_index=True, return_counts=True)
        gains = [self.gain(int(number) * coherence) for number in numbers]
        heard = add_noise(symbols, mean_db, np.repeat(np.array(gains, np.complex64), length), *self.key("noise", direction, key))
        parts, noise = [], 0.0
        for place, (begin, n) in enumerate(zip(first, length, strict=True)):
            belief = estimate(gains[place], mean_db, radio.pilots, *self.key("pilots", direction, (*key, place)))
            parts.append(equalise(heard[begin : begin + n], belief, radio.equaliser))
            noise += belief.output_noise * int(n)
        account = symbol_account(symbols.size, radio, len(numbers), t_ns)
        return SymbolTransfer(np.concatenate(parts), -10 * math.log10(noise / symbols.size), account)

    def send_counted(
        self, number: int, t_ns: int, direction: Direction, key: Sequence[keys.Key], loads: Loads | None = None
    ) -> CountedTransfer:
        """Cost of ``number`` JSCC symbols and the receiver's estimate of their SNR, by the draws of `send_symbols` for this key.

        Without noise, as there are no symbols for it.
        """
        radio, coherence = self.air.radio, self.coherence_ns
        mean_db = self.mean_snr_db(t_ns, direction, loads)
        lengths = _blocks(number, t_ns, 1e9 / radio.bandwidth_hz, coherence)
        noise = 0.0
        for place, (block, length) in enumerate(lengths):
            gain = self.gain(block * coherence)
            belief = estimate(gain, mean_db, radio.pilots, *self.key("pilots", direction, (*key, place)))
            noise += belief.output_noise * length
        return CountedTransfer(-10 * math.log10(noise / number), symbol_account(number, radio, len(lengths), t_ns))

    def send_coded(
        self,
        payload_bits: int,
        t_ns: int,
        direction: Direction,
        key: Sequence[keys.Key],
        mcs: Mcs | None = None,
        csi: CsiReport | None = None,
        loads: Loads | None = None,
    ) -> CodedTransfer:
        """Send bits over a coded link with HARQ, in the ``table`` fidelity.

        Args:
            payload_bits: Length of the message.
            t_ns: Start of the first attempt.
            direction: ``up`` or ``down``.
            key: What the draws belong to.
            mcs: Scheme; None: chosen by ``csi``, or the most robust one without it.
            csi: The sender's last report of this link.
            loads: As for `mean_snr_db`.
        """
        mcs = mcs or (choose_mcs(csi.snr_db, segment(payload_bits, MCS_TABLE[0]).block_bits) if csi else MCS_TABLE[0])
        blocks = segment(payload_bits, mcs)
        (delivered,), account = deliver([TableReceiver(self, blocks, direction, key, loads)], blocks, t_ns, self.air.radio)
        return CodedTransfer(delivered, mcs, self.snr_db(t_ns, direction, loads), account)


def _blocks(number: int, t_ns: int, symbol_ns: float, coherence_ns: int) -> list[tuple[int, int]]:
    """Coherence blocks that ``number`` symbols from ``t_ns`` on lie in, and how many lie in each."""
    found, first = [], 0
    while first < number:
        block = (t_ns + int(first * symbol_ns)) // coherence_ns
        ends_ns = (block + 1) * coherence_ns - t_ns
        after = min(number, int(ends_ns / symbol_ns))
        while after < number and int(after * symbol_ns) < ends_ns:  # symbol times are rounded down to whole ns
            after += 1
        while after > first + 1 and int((after - 1) * symbol_ns) >= ends_ns:
            after -= 1
        found.append((block, after - first))
        first = after
    return found


@lru_cache(maxsize=1 << 12)  # one instant is looked up by who hears, who measures and who records
def _loss_db(air: Air, bs_id: str, user_id: str, t_ns: int) -> float:
    here = air.position(user_id, t_ns)
    loss, los = Link(air, bs_id, user_id).path_loss_db(here)
    return loss + (pathloss.shadowing_db(air.seed, bs_id, here, los) if air.radio.shadowing else 0.0)


class TableReceiver:
    """Receiver of the ``table`` fidelity: a block is lost if its one uniform draw lies below BLER(sum of the SNRs of its copies).

    The draw is one for all attempts, so P(lost after j copies) is BLER of j combined copies, as with real soft combining.
    Estimating h from p pilots costs the factor p / (p + 1) of SNR: its error N0 / p acts as further noise.
    """

    def __init__(
        self, link: Link, blocks: Blocks, direction: Direction, key: Sequence[keys.Key], loads: Loads | None = None
    ) -> None:
        pilots = link.air.radio.pilots
        self._link, self._blocks, self._direction, self._loads = link, blocks, direction, loads
        self._key = link.key("decode", direction, key)
        self._pilot_factor = pilots / (pilots + 1) if pilots else 1.0
        self._combined = [0.0] * blocks.count
        self._mean_db: dict[int, float] = {}

    def hear(self, block: int, attempt: int, t_ns: int) -> bool:
        """See `harq.Receiver`."""
        if attempt not in self._mean_db:
            self._mean_db[attempt] = self._link.mean_snr_db(t_ns, self._direction, self._loads)
        snr = 10 ** (self._mean_db[attempt] / 10) * abs(self._link.gain(t_ns)) ** 2 * self._pilot_factor
        self._combined[block] += snr
        snr_db = 10 * math.log10(max(self._combined[block], 1e-9))
        return keys.uniform(*self._key, block) >= bler(self._blocks.mcs, self._blocks.block_bits, snr_db)


def multicast(
    links: Sequence[Link], payload_bits: int, t_ns: int, key: Sequence[keys.Key], mcs: Mcs, loads: Loads | None = None
) -> tuple[dict[str, bool], CodedTransfer]:
    """One coded downlink transmission from one base station to several users, charged once; repeated until all have it.

    Returns:
        For each user id whether it has the message, and the transfer (``delivered`` if all have it, ``snr_db`` of the worst).

    Raises:
        BadInput: If there are no links, or they belong to several base stations.
    """
    if len({link.bs_id for link in links}) != 1:
        raise BadInput("a multicast needs at least one receiver and exactly one base station", "send one multicast per cell")
    blocks = segment(payload_bits, mcs)
    receivers = [TableReceiver(link, blocks, "down", key, loads) for link in links]
    got, account = deliver(receivers, blocks, t_ns, links[0].air.radio)
    worst_db = min(link.snr_db(t_ns, "down", loads) for link in links)
    return {link.user_id: ok for link, ok in zip(links, got, strict=True)}, CodedTransfer(all(got), mcs, worst_db, account)


def symbol_account(n: int, radio: Radio, blocks: int = 1, t_ns: int = 0) -> Account:
    """Cost of ``n`` JSCC symbols sent at ``t_ns`` over a number of coherence blocks."""
    pilots = (radio.pilots or 0) * blocks
    used_ns = air_ns(n + pilots, radio.bandwidth_hz)
    return Account(complex_symbols=n, pilot_symbols=pilots, attempts=1, air_ns=used_ns, t_done_ns=t_ns + used_ns)


def coded_account(payload_bits: int, mcs: Mcs, radio: Radio, receivers: int = 1, t_ns: int = 0) -> Account:
    """Cost of a coded transfer that needs a single attempt, for planning."""
    blocks = segment(payload_bits, mcs)
    cost = price(blocks, blocks.count, receivers, radio)
    return cost + Account(payload_bits=payload_bits, t_done_ns=t_ns + cost.air_ns)
