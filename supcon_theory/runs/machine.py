"""What stands in every manifest: versions, machine, command."""

import os
import platform
import sys
from datetime import UTC, datetime
from functools import cache
from importlib import metadata

PACKAGES = ("supcon_theory", "torch", "torchvision", "numpy", "scipy", "pandas", "scikit-learn")


@cache  # every cell and encoder asks
def processor() -> str:
    """The processor's name as the system gives it."""
    if sys.platform == "linux":
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def device_name(device: str) -> str:
    """What computes there: the processor's name, or the GPU's as its driver gives it."""
    if device == "cpu":
        return processor()
    import torch

    return torch.cuda.get_device_name(device)


def description() -> dict[str, object]:
    """Versions, machine, command and time, as JSON holds them."""
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "versions": versions,
        "machine": {
            "system": platform.platform(),
            "processor": processor(),
            "cores": os.cpu_count(),
        },
        "command": " ".join(["python", *sys.argv]),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
