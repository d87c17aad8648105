"""How much memory a process has held."""

import resource
import sys
from pathlib import Path


def peak_memory_bytes() -> int:
    """What this process has held at most (resident), in bytes."""
    try:
        # Not getrusage, where it can be helped: a process begins there with the peak of the one that started it.
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    except (OSError, ValueError, IndexError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else 1024 * peak
