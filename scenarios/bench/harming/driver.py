"""A driver as a process of its own, so that it can be killed: a run request as JSON on standard input, its report as JSON."""

from __future__ import annotations

import sys

import msgspec

from ....agents import hosting
from ....agents.request import RunRequest
from ....bus.exchange.chaos import Chaos
from .vandal import STALL_S


class Order(msgspec.Struct, frozen=True):
    """What the driver is to run."""

    request: RunRequest
    chaos: Chaos | None = None


def main() -> int:
    """Run it."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    request = msgspec.structs.replace(order.request, stall_s=STALL_S)
    report = hosting.run(request, lambda progress: None, chaos=order.chaos)
    sys.stdout.buffer.write(msgspec.json.encode(report))
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        raise SystemExit(130) from None
