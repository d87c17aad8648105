"""What every payload is: a frozen struct, tagged with its kind; and the bounds within which its numbers make sense.

Decoding refuses what is outside them, also "not a number", so that no agent has to.
"""

import re
from typing import Annotated

from msgspec import Meta, Struct

Count = Annotated[int, Meta(ge=0, le=1 << 53)]
"""How many: bits, versions, epochs, levels, numbers of blocks."""
Nanoseconds = Annotated[int, Meta(ge=0, le=1 << 62)]
"""A simulated time."""
Finite = Annotated[float, Meta(ge=-1e15, le=1e15)]
"""Credits, pixels."""
Unit = Annotated[float, Meta(ge=0, le=1)]
"""A share."""
Decibel = Annotated[float, Meta(ge=-1e4, le=1e4)]
Vector = Annotated[bytes, Meta(max_length=1 << 20)]
"""Little-endian float32, or whatever else is small."""


def kind_of(class_name: str) -> str:
    """``"CsiReport"`` -> ``"csi_report"``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", class_name).lower()


class Message(Struct, frozen=True, tag=kind_of, forbid_unknown_fields=True, gc=False):
    """Base of all payloads; subclasses are frozen and tagged with their kind."""
