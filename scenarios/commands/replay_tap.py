"""``semcast replay RUN --tap``: a finished run is played onto NATS; how to subscribe, how far it is, what was played."""

import argparse
import contextlib
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ...bus.errors import BadInput
from .output import write_json

if TYPE_CHECKING:
    from ...bus.playing import Played
    from ..replaying.tap import Progress, Stage

PERIOD_S = 5.0


def speed_of(text: str) -> float:
    """Simulated seconds a second; 0 as fast as possible.

    Raises:
        BadInput: It is neither a number from 0 on nor ``max``.
    """
    with contextlib.suppress(ValueError):
        speed = 0.0 if text == "max" else float(text)
        if text == "max" or 0 < speed < math.inf:
            return speed
    raise BadInput(
        f"--speed {text}: simulated seconds in a second, or max for as fast as the server takes them", "for instance --speed 10"
    )


def play(args: argparse.Namespace) -> int:
    """Play it."""
    from ..folder import read_run
    from ..replaying.tap import tap

    run, speed = Path(args.run), speed_of(args.speed)
    if args.wait is not None and not 0 <= args.wait < math.inf:
        raise BadInput(f"--wait {args.wait:g}: seconds from 0 on", "--wait 0 starts at once")
    read_run(run)
    stages: list[Stage] = []

    def on_stage(stage: "Stage") -> None:
        stages.append(stage)
        print(_invitation(stage, speed, args.wait), file=sys.stderr if args.json else sys.stdout, flush=True)

    with _display(args.display, stages) as on_progress:
        found = tap(run, speed=speed, wait_s=args.wait, nats=args.nats, on_stage=on_stage, on_progress=on_progress)
    played, (stage,) = found.played, stages
    sim_s = (stage.end_ns - stage.start_ns) / 1e9
    if args.json:
        answer = {name: getattr(played, name) for name in ("messages", "payload_bytes", "wall_s", "late_s")}
        write_json(answer | {"sim_s": sim_s, "subscribers": found.subscribers})
        return 0
    pace = f", at most {played.late_s * 1e3:.0f} ms late" if speed else ""
    seen = "" if found.subscribers is None else f"; subscribers at the end: {found.subscribers}"
    print(
        f"{played.messages:,} messages ({played.payload_bytes / 1e6:.1f} MB, {sim_s:.2f} simulated s) "
        f"in {played.wall_s:.2f} s{pace}{seen}"
    )
    print(args.run)
    return 0


def _invitation(stage: "Stage", speed: float, wait_s: float | None) -> str:
    """How to subscribe, and when it starts."""
    pace = f"{speed:g} simulated s a second" if speed else "as fast as possible"
    server = f'"$(cat {stage.credential})"' if stage.credential else stage.url
    if stage.credential:
        patience = "for" if wait_s is None else f"at most {wait_s:g} s for"
        start = "starts at once" if wait_s == 0 else f"waits {patience} a first subscriber (--wait S: at most S seconds)"
    else:
        start = f"starts in {wait_s:g} s" if wait_s else "starts at once (--wait S: in S seconds)"
    secret = f"the line in {stage.credential}" if stage.credential else "its URL and your credentials"
    return (
        f"{stage.messages:,} messages, {pace}; to see everything, or what reaches one agent:\n"
        f"  nats sub --server {server} '{stage.everything}'\n"
        f"  nats sub --server {server} '{stage.one_agent}'\n"
        f"or a few lines of nats-py: connect with {secret}, subscribe to such a subject; data are MessagePack\n"
        f"{start}; Ctrl-C ends it"
    )


@contextlib.contextmanager
def _display(name: str, stages: "list[Stage]") -> "Iterator[Progress]":
    """Progress on stderr: a bar on a terminal, a line every 5 s on a pipe, or nothing."""
    chosen = name or ("rich" if sys.stderr.isatty() else "plain")
    if chosen == "rich":
        from rich.console import Console
        from rich.progress import Progress as Bars

        with Bars(console=Console(file=sys.stderr), transient=True) as bars:
            task = bars.add_task("playing", total=None)

            def draw(played: "Played") -> None:
                shown = f"{played.t_ns / 1e9:.2f} of {stages[0].end_ns / 1e9:.2f} simulated s"
                bars.update(task, total=stages[0].messages, completed=played.messages, description=shown)

            yield draw
        return
    due_s = time.monotonic() + PERIOD_S

    def write(played: "Played") -> None:
        nonlocal due_s
        if chosen == "plain" and time.monotonic() >= due_s:
            due_s = time.monotonic() + PERIOD_S
            shown = f"simulated {played.t_ns / 1e9:.2f} of {stages[0].end_ns / 1e9:.2f} s"
            print(f"{played.wall_s:6.1f} s  {shown}  messages {played.messages:,}/{stages[0].messages:,}", file=sys.stderr)

    yield write
