"""Rows of a run -> its headline results: name -> number, with units in the names."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from .attacks import detection, detection_results
from .calibration import noise_pairs, rank_correlation
from .network import SharedAir
from .privacy import privacy_results
from .reduction import Reduction
from .row import SHOWN, Row

MEANS: dict[str, str] = {
    "object_recovery": "object_recovery",
    "object_recovery_iou50": "object_recovery_iou50",
    "generated_recovery": "generated_recovery",
    "semantic_error": "semantic_error",
    "generated_error": "generated_error",
    "object_count_discrepancy": "object_count_discrepancy",
    "image_alignment": "image_alignment",
    "object_alignment": "object_alignment",
    "text_alignment": "text_alignment",
    "psnr_db": "psnr_db",
    "psnr_to_original_db": "psnr_to_original_db",
    "ssim": "ssim",
    "fact_recovery": "fact_recovery",
    "generated_fact_recovery": "generated_fact_recovery",
    "false_facts": "false_facts",
    "text_similarity": "text_similarity",
    "wording": "wording",
    "cross_alignment": "cross_alignment",
    "mota": "mota",
    "idf1": "idf1",
    "place_error_px": "place_error_px",
    "satisfaction": "satisfaction",
    "cbr": "cbr",
    "told_bits_per_request": "told_bits",
    "prompt_bits_per_request": "prompt_bits",
    "payload_bits_per_request": "payload_bits",
    "coded_bits_per_request": "coded_bits",
    "attempts_per_transfer": "",
    "flops_per_request": "flops",
    "joules_per_request": "joules",
}
"""Result -> the column whose mean it is, failed requests (with their floor scores) included; of rows that have a value."""

ONCE = ("preparation", "installation")
"""Purposes of transfers that happen once, before the service."""


def results(reduction: Reduction) -> dict[str, float]:
    """The flat map of a run's results; empty means are left out. Latencies are of the requests that were shown."""
    rows, network = reduction.rows, reduction.network
    found: dict[str, float] = {"delivered_share": _mean(rows, lambda row: row.status == SHOWN)} if rows else {}
    for name, column in MEANS.items():
        values = [getattr(row, column) for row in rows] if column else []
        if values := [value for value in values if value is not None]:
            found[name] = math.fsum(values) / len(values)
    subjects = [row.subject_alignment for row in rows if row.subject_alignment is not None]
    if subjects:
        found["subject_alignment"] = math.fsum(subjects) / len(subjects)
    correlation = rank_correlation(noise_pairs(rows))
    if correlation is not None:
        found["noise_rank_correlation"] = correlation
    if rows:
        found["attempts_per_transfer"] = sum(row.attempts for row in rows) / max(1, sum(row.transfers for row in rows))
    latencies = sorted(row.latency_s for row in rows if row.status == SHOWN)
    for percent in (50, 95) if latencies else ():
        found[f"latency_s_p{percent}"] = float(np.percentile(latencies, percent))
    found |= _symbols(rows, network.airs)
    found["users_sharing"] = float(sum(network.shares.values()))
    found["credits_paid"] = math.fsum(network.paid[user] for user in sorted(network.paid))
    found["branch_models"] = float(len(network.branches))
    found["handovers"] = float(network.handovers)
    found["cloud_updates"] = float(len(network.updates))
    found |= _trust(reduction)
    return found | privacy_results(network.told, reduction.settings.knowledge)


def _trust(reduction: Reduction) -> dict[str, float]:
    """What signatures cost and what became of attacks; empty where a scenario has neither."""
    network, rows = reduction.network, reduction.rows
    found: dict[str, float] = {}
    if reduction.settings.security.signatures:
        found["signature_bits_per_request"] = sum(row.signature_bits for row in rows) / max(1, len(rows))
        found["other_signature_bits"] = float(sum(air.signature_bits for air in network.airs.values()))
    if reduction.settings.adversary.stations:
        found["forged_pictures_shown"] = float(network.forgeries_shown)
    return found | detection_results(detection(network.attacks, network.verdicts))


def _symbols(rows: Sequence[Row], shared: Mapping[tuple[str, str], SharedAir]) -> dict[str, float]:
    """Complex symbols a request, its share of everything that keeps running (CSI, pilots, control, summaries) included.

    What is done once, before the service, is given apart, in symbols of the whole run. ``shared``: see `Network.airs`.
    """
    requests = max(1, len(rows))
    found = {}
    for name, column, towards in (
        ("air", "symbols_total", ""),
        ("uplink", "symbols_up", "up"),
        ("downlink", "symbols_down", "down"),
    ):
        running = [air for (purpose, way), air in shared.items() if purpose not in ONCE and towards in ("", way)]
        symbols = sum(getattr(row, column) for row in rows) + sum(air.complex_symbols for air in running)
        found[f"{name}_symbols_per_request"] = symbols / requests
    for purpose in sorted({purpose for purpose, _ in shared}):
        symbols = sum(air.complex_symbols for (each, _), air in shared.items() if each == purpose)
        if purpose in ONCE:
            found[f"{purpose}_symbols"] = float(symbols)
        else:
            found[f"running_{purpose}_symbols_per_request"] = symbols / requests
    return found


def _mean(rows: Sequence[Row], value: Callable[[Row], float]) -> float:
    return math.fsum(value(row) for row in rows) / len(rows)
