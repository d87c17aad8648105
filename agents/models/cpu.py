"""The kind of CPU that models run on: where it differs, their results may differ in the last bits."""

import platform
from pathlib import Path

_FLAGS = ("avx512_vnni", "avx_vnni", "amx_tile")
"""Instruction sets beyond those that torch names which its 8-bit kernels choose by."""


def cpu_kind() -> str:
    """Machine, maker and instruction sets, such as ``x86_64 AuthenticAMD AVX512 avx512_vnni``.

    torch chooses its kernels by them (``torch.backends.cpu.get_cpu_capability``), its libraries by the maker, too. Equal kinds
    are meant to give equal results; settings from outside (``DNNL_MAX_CPU_ISA``) are not part of it. Imports torch.
    """
    import torch

    told = _cpuinfo()
    maker = told.get("vendor_id") or told.get("CPU implementer") or platform.processor()
    flags = told.get("flags", "").split()
    words = [platform.machine(), maker, torch.backends.cpu.get_cpu_capability(), *(flag for flag in _FLAGS if flag in flags)]
    return " ".join(word for word in words if word)


def _cpuinfo() -> dict[str, str]:
    """What Linux tells of the first processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().partition("\n\n")[0].splitlines()
    except OSError:
        return {}
    pairs = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in pairs}
