"""What lies on the air between two agents: geometry, path loss, fading, noise, CSI, coded links and their cost."""

from .account import Account
from .awgn import unit_power
from .coding import bler, choose_mcs
from .csi import CsiReport
from .geometry import Area, position
from .harq import CodedTransfer
from .link import Air, Link, SymbolTransfer, coded_account, multicast, symbol_account
from .mcs import MCS_TABLE, Blocks, Mcs, segment
from .radio import Direction, Radio

__all__ = [
    "MCS_TABLE",
    "Account",
    "Air",
    "Area",
    "Blocks",
    "CodedTransfer",
    "CsiReport",
    "Direction",
    "Link",
    "Mcs",
    "Radio",
    "SymbolTransfer",
    "bler",
    "choose_mcs",
    "coded_account",
    "multicast",
    "position",
    "segment",
    "symbol_account",
    "unit_power",
]
