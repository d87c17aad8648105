"""What every payload is: a frozen struct, tagged with its kind."""

import re

from msgspec import Struct


def kind_of(class_name: str) -> str:
    """``"CsiReport"`` -> ``"csi_report"``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", class_name).lower()


class Message(Struct, frozen=True, tag=kind_of, forbid_unknown_fields=True, gc=False):
    """Base of all payloads; subclasses are frozen and tagged with their kind."""
