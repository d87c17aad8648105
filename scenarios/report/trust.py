"""What became of attacks, as the report tells it."""

from collections.abc import Iterator
from html import escape

from ..metrics.attacks import KINDS, Rate, detection
from ..metrics.reduction import Reduction
from .html import number, table

WHAT = {
    "tamper": "a passing message was changed",
    "replay": "an old message was sent again",
    "flood": "many forged prompts at once",
    "forge": "a prompt in a user's name",
}


def trust(reduction: Reduction) -> Iterator[str]:
    """A table of attacks and their detection; nothing where nobody looked."""
    network, security = reduction.network, reduction.settings.security
    if not network.verdicts:
        return
    found = detection(network.attacks, network.verdicts)
    yield "<h2>Trust</h2>"
    how = "Prompts, shared knowledge and adapters were signed" if security.signatures else "Nothing was signed"
    limit = f", and a user's messages limited to {number(security.rate_hz)} a second" if security.rate_hz else ""
    alarms = found.false_alarms
    yield (
        f"<p>{how}{limit}. Of {number(alarms.trials)} genuine messages {number(alarms.hits)} were refused "
        f"({_rate(alarms)}); {number(network.forgeries_shown)} pictures were shown that nobody had sent. "
        "An attack is detected where its message was refused; intervals are Wilson's, 95 %.</p>"
    )
    if network.attacks:
        yield table(
            [
                {
                    "attack": kind,
                    "what": WHAT[kind],
                    "launched": found.launched[kind],
                    "detected": rate.hits,
                    "passed": rate.trials - rate.hits,
                    "rate": _rate(rate),
                }
                for kind in KINDS
                if found.launched[kind]
                for rate in [found.detected[kind]]
            ]
        )
    if found.reasons:
        told = ", ".join(f"{reason} {count}" for reason, count in found.reasons.items())
        yield f'<p class="muted">Refused, by reason: {escape(told)}.</p>'


def _rate(rate: Rate) -> str:
    if rate.value is None:
        return "none arrived"
    low, high = rate.interval
    return f"{100 * rate.value:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
