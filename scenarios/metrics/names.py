"""The names that a run's results may have (`summary.results`): what is asked for can be checked before anything is run."""

import re

from .attacks import KINDS
from .summary import MEANS

_NAMES = (
    *MEANS,
    "delivered_share",
    "subject_alignment",
    "noise_rank_correlation",
    "latency_s_p50",
    "latency_s_p95",
    "air_symbols_per_request",
    "uplink_symbols_per_request",
    "downlink_symbols_per_request",
    "preparation_symbols",
    "installation_symbols",
    "users_sharing",
    "credits_paid",
    "branch_models",
    "handovers",
    "cloud_updates",
    "signature_bits_per_request",
    "other_signature_bits",
    "forged_pictures_shown",
    *(f"attacks_{kind}_{fate}" for kind in KINDS for fate in ("launched", "detected", "passed")),
    *(f"{rate}{end}" for rate in ("detection_rate", "false_alarm_rate") for end in ("", "_low", "_high")),
)
"""Those that can be listed, in their order."""
_FAMILIES = re.compile(r"running_\w+_symbols_per_request|privacy_\w+")


def known_results() -> list[str]:
    """Names that can be listed; there are families besides (`may_be_result`)."""
    return list(_NAMES)


def may_be_result(name: str) -> bool:
    """Whether some run may have a result of this name."""
    return name in _NAMES or _FAMILIES.fullmatch(name) is not None
