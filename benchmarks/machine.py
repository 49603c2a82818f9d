"""The facts that a figure means nothing without: machine, versions, store."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    "skysweep",
    "aiobotocore",
    "botocore",
    "boto3",
    "aiohttp",
    "orjson",
    "neo4j",
    "neo4j-rust-ext",
    "arcadedb-embedded",
)


def facts(store: str = "") -> dict[str, str]:
    """By name: processor, cores, memory, system, Python, the packages that matter, and the store (where one is in use).

    load: how busy the machine was before, by the kernel's average of the last minute.
    """
    found = {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{_memory() / (1 << 30):.1f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load": f"{os.getloadavg()[0]:.1f}",
    }
    found |= {name: told for name in PACKAGES if (told := _version(name))}
    return found | ({"store": store} if store else {})


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
