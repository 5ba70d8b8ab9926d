"""Which instructions this machine's processor has, and which kernel of a library they bring to run.

Exists because "int8" alone says little: with AMX, VNNI or the dot product of Arm the same model
runs several times as fast as with AVX2. What runs is what the library dispatches to on this
processor, not what was asked for. The rules are those of ONNX Runtime 1.31 (its MLAS) and of
oneDNN, which torch uses, read in their source; a new version of either may know more. Pure, but
for `this_processor`; no library may enter.
"""

from __future__ import annotations

import functools
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from service.records import Precision

_CPUINFO = Path("/proc/cpuinfo")
# Larger on a machine with thousands of CPUs only; its first CPUs are enough.
_CPUINFO_BYTES_MAX = 2**24
Family = Literal["x86", "arm", "other"]
_FAMILIES: dict[str, Family] = {
    "x86_64": "x86", "amd64": "x86", "aarch64": "arm", "arm64": "arm",
}  # fmt: skip
# What every Apple processor for Macs has; ONNX Runtime looks for more on Linux only.
_APPLE = frozenset({"asimd", "asimddp", "fphp", "asimdhp"})
# What ONNX Runtime and oneDNN call AVX-512: the part of it that all servers since 2017 have.
_AVX512 = frozenset({"avx512f", "avx512bw", "avx512dq", "avx512vl"})
UNKNOWN = "unknown"


class Processor(NamedTuple):
    """The processor of a machine; `flags` are as Linux names them, those that all CPUs have."""

    name: str
    cpus: int
    family: Family
    flags: frozenset[str]

    def has(self, *flags: str) -> bool:
        """Whether it has all of these."""
        return self.flags.issuperset(flags)


@functools.cache
def this_processor() -> Processor:
    """The processor of this machine; without flags where the system does not tell them."""
    try:
        with _CPUINFO.open("rb") as file:
            text = file.read(_CPUINFO_BYTES_MAX).decode(errors="replace")
    except OSError:
        text = ""
    found = parsed(text, platform.machine())
    if sys.platform == "darwin" and found.family == "arm":
        return found._replace(flags=_APPLE)
    return found


def parsed(cpuinfo: str, machine: str) -> Processor:
    """A processor by /proc/cpuinfo and the machine's name as `uname -m` gives it.

    CPUs of two kinds (big.LITTLE) count as the lesser: a thread may run on any of them.
    """
    flags: frozenset[str] | None = None
    names: list[str] = []
    cpus = 0
    for line in cpuinfo.splitlines():
        key, _, value = (part.strip() for part in line.partition(":"))
        cpus += key == "processor"
        if key == "model name":
            names.append(value)
        if key in ("flags", "Features"):
            here = frozenset(value.split())
            flags = here if flags is None else flags & here
    family = _FAMILIES.get(machine.lower(), "other")
    name = names[0] if names else platform.processor() or machine
    return Processor(name, cpus, family, flags or frozenset())


def kernel(engine: str, precision: Precision, processor: Processor) -> str:
    """The kernel of most of an engine's arithmetic on this processor, like "AVX-512 VNNI"."""
    if not processor.flags or processor.family == "other":
        return UNKNOWN
    if engine == "onnx_packed":
        return _onnx_int8(processor) if precision == "int8" else _onnx_float32(processor)
    if precision in ("bfloat16", "float16"):
        return _torch_half(precision, processor)
    return _torch_float32(processor)


def saturates(processor: Processor) -> bool:
    """Whether ONNX Runtime gets products of uint8 and int8 wrong on this processor.

    Without VNNI its kernels for AVX2 and AVX-512 add two products in 16 bits, which two large
    numbers exceed. Products of uint8 and uint8 have 32 bits there, and are right.
    """
    return processor.family == "x86" and _onnx_int8(processor) in ("AVX2", "AVX-512")


def _onnx_float32(processor: Processor) -> str:
    if processor.family == "arm":
        return "SME" if processor.has("sme") else "NEON"
    if processor.has("avx2", "fma"):
        return "AVX-512" if processor.has("avx512f") else "AVX2"
    return "AVX" if processor.has("avx") else "SSE2"


def _onnx_int8(processor: Processor) -> str:
    """For uint8 by int8, which the engine multiplies."""
    if processor.family == "arm":
        if processor.has("i8mm"):
            return "i8mm"
        return "dot product" if processor.has("asimddp") else "NEON"
    if not processor.has("avx2", "fma"):
        return "SSE4.1" if processor.has("sse4_1") else "SSE2"
    if processor.has("amx_tile", "amx_int8"):
        return "AMX"
    if processor.has(*_AVX512):
        return "AVX-512 VNNI" if processor.has("avx512_vnni") else "AVX-512"
    return "AVX-VNNI" if processor.has("avx_vnni") else "AVX2"


def _torch_float32(processor: Processor) -> str:
    if processor.family == "arm":
        return "SVE" if processor.has("sve") else "NEON"
    if processor.has(*_AVX512):
        return "AVX-512"
    return "AVX2" if processor.has("avx2", "fma") else "SSE4.1"


def _torch_half(precision: Literal["bfloat16", "float16"], processor: Processor) -> str:
    """Without instructions for it a library computes in float32, and converts on the way."""
    short = {"bfloat16": "bf16", "float16": "fp16"}[precision]
    if processor.family == "arm":
        own = {"bfloat16": "bf16", "float16": "asimdhp"}[precision]
        return f"NEON {short}" if processor.has(own) else f"NEON, converted from {short}"
    if processor.has("amx_tile", f"amx_{short}"):
        return "AMX"
    if processor.has(*_AVX512, f"avx512_{short}"):
        return f"AVX-512 {short}"
    return f"{_torch_float32(processor)}, converted from {short}"
