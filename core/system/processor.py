"""The processor, as the system describes it."""

import platform
from contextlib import suppress
from pathlib import Path


def processor() -> str:
    """Its model name, or as much as the system reports."""
    return _cpuinfo().get("model name") or platform.processor() or platform.machine()


def processor_with_bf16() -> str:
    """Its model name and numbers, and its bf16 instructions."""
    fields = _cpuinfo()
    bf16 = (flag for flag in fields.get("flags", "").split() if "bf16" in flag)
    numbers = fields.get("cpu family"), fields.get("model")
    return " ".join(filter(None, (processor(), *numbers, *bf16)))


def _cpuinfo() -> dict[str, str]:
    """What Linux reports of the last core; empty elsewhere."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        pairs = (line.split(":", 1) for line in lines if ":" in line)
        return {key.strip(): value.strip() for key, value in pairs}
    return {}
