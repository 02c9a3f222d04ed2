"""Facts about the machine, without which a figure means nothing."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def machine() -> dict[str, object]:
    """Processor, cores usable here, memory, load, system, Python, revision measured, package versions."""
    distributions = sorted(metadata.distributions(), key=lambda distribution: distribution.name)
    return {
        "processor": _field("/proc/cpuinfo", ("model name", "Model")) or platform.processor(),
        "architecture": platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory": _field("/proc/meminfo", ("MemTotal",)),
        "load_1_min": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "revision": _revision(),
        "taken": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "packages": {distribution.name: distribution.version for distribution in distributions},
    }


def _field(path: str, keys: Sequence[str]) -> str | None:
    """Value of the first `key : value` line of a file of /proc; None where there is none."""
    if not Path(path).exists():
        return None
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() in keys:
            return value.strip()
    return None


def _revision() -> str | None:
    """Commit measured, with a + where the tree differs from it; None outside a checkout."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty=+"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()
