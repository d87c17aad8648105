"""``semcast bench fuzz``: hostile messages to every decoder and to a live bus; a crash, a hang or another digest ends it."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from .fuzzing import live
from .fuzzing.campaign import MEMORY_BYTES, SLOWEST_S, Tally, attack, limited_growth
from .fuzzing.corpus import Corpus, made
from .fuzzing.targets import spread, targets
from .turns import Result

OPTIONS = ("messages", "seed")
LIVE_SHARE = 0.1
"""Of all messages, those that go to running networks."""
FORMS = ("packed", "subjects")


def run(messages: int, seed: int = 1, progress: Callable[[str], None] = lambda text: None) -> Result:
    """The whole campaign.

    Args:
        messages: How many hostile messages at least.
        seed: Of what is drawn; equal seeds and numbers give equal messages.
        progress: Told what comes next.

    Returns:
        A row for each reader, with ``value`` (messages), ``unit``, ``ratio`` (share refused), ``against``, ``workload``; then one
        for each mutation, over all decoders.

    Raises:
        RunFailed: A message was neither understood nor refused as documented, or took more than a second, or 256 MiB; or a
            network on the bus failed or changed its digest.
    """
    progress("a run to take good messages from")
    with made() as corpus, tempfile.TemporaryDirectory(prefix="semcast-fuzz-") as place:
        results = _live(corpus, round(messages * LIVE_SHARE), seed, progress)
        readers = targets(corpus, Path(place))
        tallies = []
        for target, count in zip(readers, spread(messages - round(messages * LIVE_SHARE), readers), strict=True):
            progress(f"{count} messages to {target.name}")
            tally = attack(target, seed, count)
            tallies.append(tally)
            results[target.name] = _row(tally)
    return results | _by_mutation(tallies)


def _live(corpus: Corpus, messages: int, seed: int, progress: Callable[[str], None]) -> Result:
    results: Result = {}
    for form in FORMS:
        for who, share in (("driver", 0.5), ("shared", 0.3), ("observer", 0.1), ("worker", 0.1)):
            count = round(messages * share / len(FORMS))
            progress(f"{count} messages to a live bus ({form}, {who})")
            start = time.perf_counter()
            with limited_growth(f"{form}, {who}") as grown:
                flood = live.flood(corpus, form, count, seed, who)
            ended = f"{flood.runs} networks with the expected digest, {time.perf_counter() - start:.0f} s, +{grown[0] >> 20} MiB"
            left_out = f"; {flood.forgeries} well-formed forgeries left out" if flood.forgeries else ""
            results[f"live {form}, {who}"] = {
                "value": flood.sent,
                "unit": "messages",
                "ratio": (flood.rejected + flood.stopped) / flood.sent,
                "against": "stopped by the server" if flood.stopped else "refused by workers",
                "workload": ended + left_out,
            }
    return results


def _row(tally: Tally) -> dict[str, float | str]:
    sent = tally.sent.total()
    return {
        "value": sent,
        "unit": "messages",
        "ratio": tally.refused.total() / sent,
        "against": "refused; the rest decodes, and encodes to the same",
        "workload": f"slowest {tally.slowest_s * 1e3:.1f} ms of {SLOWEST_S * 1e3:.0f}, +{tally.grown_bytes >> 20} MiB of "
        f"{MEMORY_BYTES >> 20}, {tally.seconds:.0f} s in all",
    }


def _by_mutation(tallies: list[Tally]) -> Result:
    sent, refused = (sum((getattr(tally, name) for tally in tallies), Counter[str]()) for name in ("sent", "refused"))
    return {
        f"mutation {name.replace('_', ' ')}": {
            "value": count,
            "unit": "messages",
            "ratio": refused[name] / count,
            "against": "refused",
            "workload": "all decoders",
        }
        for name, count in sent.items()
    }
