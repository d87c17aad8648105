"""Crossing the air of a cell: coded bits and JSCC symbols through the true channel, and the record of what it cost."""

from dataclasses import dataclass

import numpy as np

from ..bus.channel import Account, Direction, Link, Mcs, Radio, coded_account, multicast, symbol_account
from ..bus.channel.account import air_ns
from ..bus.channel.mcs import MCS_TABLE
from ..bus.content_messages import WordText
from ..bus.messages import Downlink, JsccPicture, Uplink
from ..bus.records import AirRecord
from .accounting import ATTACH_BITS, signature_bits
from .settings import RadioSettings
from .sketches import is_sketch, symbol_count


@dataclass(frozen=True)
class Crossing:
    """One transfer over the air.

    Attributes:
        delivered: User -> whether it (or, on the uplink, its base station) has the message.
        account: Everything it cost.
        done_ns: When the last symbol was through.
        snr_db: True SNR at the first symbol; for the record only.
        scheme: What carried it.
        symbols: JSCC symbols as received and equalised, complex64 bytes, or as counted; empty for coded transfers.
        estimate_db: The receiver's own estimate of their SNR.
    """

    delivered: dict[str, bool]
    account: Account
    done_ns: int
    snr_db: float
    scheme: str
    symbols: bytes = b""
    estimate_db: float = 0.0

    def record(self, message: Uplink | Downlink, users: list[str], direction: str, queue_ns: int) -> AirRecord:
        """The transfer's one air record."""
        jscc = symbol_count(self.symbols)
        return _record(
            message.request,
            message.purpose,
            direction,
            users,
            self.account,
            queue_ns,
            self.snr_db,
            all(self.delivered.values()),
            self.scheme,
            jscc,
            signature_bits(message.body),
        )


def cross(links: list[Link], message: Uplink | Downlink, t_ns: int, direction: Direction, mcs: Mcs) -> Crossing:
    """Send a message over the air.

    JSCC symbols go once, behind the first attempt of their coded header; a header that is lost is repeated alone. Where the
    header stays lost, the symbols are of no use and the transfer counts as lost.

    Args:
        links: The link of every user; several: one multicast.
        message: What to send; its label keys the luck.
        t_ns: When the grant begins.
        direction: ``up`` or ``down``.
        mcs: Scheme of the coded part.
    """
    key = (message.label,)
    if len(links) > 1:
        delivered, coded = multicast(links, message.payload_bits, t_ns, key, mcs)
        return Crossing(delivered, coded.account, coded.account.t_done_ns, coded.snr_db, mcs.name)
    link = links[0]
    coded = link.send_coded(message.payload_bits, t_ns, direction, key, mcs)
    if not isinstance(message.body, JsccPicture | WordText):
        return Crossing({link.user_id: coded.delivered}, coded.account, coded.account.t_done_ns, coded.snr_db, mcs.name)
    header_ns = coded_account(message.payload_bits, mcs, link.air.radio).air_ns
    received, account, estimate_db = _analog(link, message.symbols, t_ns + header_ns, direction, key)
    whole = coded.account + account
    whole = _with_attempts(whole, coded.account.attempts)
    scheme = f"jscc:{message.body.codec}" if isinstance(message.body, JsccPicture) else "words"
    return Crossing({link.user_id: coded.delivered}, whole, whole.t_done_ns, coded.snr_db, scheme, received, estimate_db)


def _analog(link: Link, symbols: bytes, t_ns: int, direction: Direction, key: tuple[str, ...]) -> tuple[bytes, Account, float]:
    """JSCC symbols as the receiver gets them, what they cost, and its estimate of their SNR in dB."""
    if is_sketch(symbols):
        heard = link.send_counted(symbol_count(symbols), t_ns, direction, key)
        return symbols, heard.account, heard.snr_db
    analog = link.send_symbols(np.frombuffer(symbols, dtype="<c8"), t_ns, direction, key)
    return analog.received.astype("<c8").tobytes(), analog.account, analog.snr_db


def _with_attempts(account: Account, attempts: int) -> Account:
    """The account with the attempts of its coded part alone."""
    return account + Account(attempts=attempts - account.attempts)


def _record(
    request: str,
    purpose: str,
    direction: str,
    users: list[str],
    account: Account,
    queue_ns: int,
    snr_db: float,
    delivered: bool,
    scheme: str,
    jscc_symbols: int = 0,
    signature_bits: int = 0,
) -> AirRecord:
    return AirRecord(
        request=request,
        purpose=purpose,
        direction=direction,
        users=users,
        payload_bits=account.payload_bits,
        coded_bits=account.coded_bits,
        complex_symbols=account.total_symbols,
        jscc_symbols=jscc_symbols,
        pilot_symbols=account.pilot_symbols,
        feedback_symbols=account.feedback_symbols,
        attempts=account.attempts,
        queue_ns=queue_ns,
        air_ns=account.air_ns,
        snr_db=snr_db,
        delivered=delivered,
        scheme=scheme,
        signature_bits=signature_bits,
    )


def attach_record(user: str, link: Link, t_ns: int) -> AirRecord:
    """An attachment: random access has resources of its own and is repeated until heard: charged, never queued."""
    account = coded_account(ATTACH_BITS, MCS_TABLE[0], link.air.radio)
    return _record("", "control", "up", [user], account, 0, link.mean_snr_db(t_ns, "up"), True, MCS_TABLE[0].name)


def installation_record(users: list[str], payload_bits: int, radio: Radio) -> AirRecord:
    """Weights that were distributed before the run: charged once a cell, at the most robust scheme."""
    account = coded_account(payload_bits, MCS_TABLE[0], radio, len(users))
    return _record("", "installation", "down", users, account, 0, 0.0, True, MCS_TABLE[0].name)


def pilot_record(settings: RadioSettings, duration_s: float, radio: Radio) -> AirRecord:
    """The reference symbols by which the users of a cell measure their channel, over the whole run."""
    bursts = round(duration_s / settings.csi_period_s)
    once = symbol_account(0, radio)
    total = once.pilot_symbols * bursts
    account = Account(pilot_symbols=total, attempts=1, air_ns=air_ns(total, radio.bandwidth_hz))
    return _record("", "csi", "down", [], account, 0, 0.0, True, "pilots")
