"""The kind of CPU that models run on: where it differs, their results may differ in the last bits."""

import os
import platform
from pathlib import Path

_FLAGS = (
    "avx2",
    "fma",
    "avx512f",
    "avx512bw",
    "avx512vl",
    "avx512_vnni",
    "avx_vnni",
    "avx512_bf16",
    "amx_tile",
    "asimddp",
    "sve",
)
"""Instruction sets by which torch and its libraries choose their kernels."""
_SETTINGS = ("ATEN_CPU_CAPABILITY", "DNNL_MAX_CPU_ISA", "ONEDNN_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS")
"""Variables of the environment that let them use fewer."""


def cpu_kind(device: str = "cpu") -> str:
    """Machine, maker and instruction sets, such as ``x86_64 AuthenticAMD avx2 fma avx512f``, and settings that leave some out.

    Equal kinds are meant to give equal results. ``device``: on which models run; another one is another kind. Nothing is imported
    for it: a worker says it before its first model is read.
    """
    told = _cpuinfo()
    maker = told.get("vendor_id") or told.get("CPU implementer") or platform.processor()
    flags = told.get("flags", told.get("Features", "")).split()
    settings = [f"{name}={os.environ[name]}" for name in _SETTINGS if name in os.environ]
    words = [platform.machine(), maker, *(flag for flag in _FLAGS if flag in flags), *settings, device if device != "cpu" else ""]
    return " ".join(word for word in words if word)


def _cpuinfo() -> dict[str, str]:
    """What Linux tells of the first processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().partition("\n\n")[0].splitlines()
    except OSError:
        return {}
    pairs = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in pairs}
