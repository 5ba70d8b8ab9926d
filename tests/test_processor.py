"""Which kernel runs on which processor, by the flags that Linux shows for real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from service.processor import UNKNOWN, kernel, parsed, saturates, this_processor

if TYPE_CHECKING:
    from service.records import Precision

_AVX2 = "fpu sse2 ssse3 sse4_1 avx fma f16c avx2"
_AVX512 = f"{_AVX2} avx512f avx512dq avx512cd avx512bw avx512vl"
# What tells them apart, of much longer lists.
FLAGS = {
    "Nehalem": "fpu sse2 ssse3 sse4_1 sse4_2",
    "Sandy Bridge": "fpu sse2 ssse3 sse4_1 avx",
    "Haswell": _AVX2,
    "EPYC Milan": f"{_AVX2} sse4a vaes vpclmulqdq",
    "Skylake-SP": _AVX512,
    "Cascade Lake": f"{_AVX512} avx512_vnni",
    "EPYC Genoa": f"{_AVX512} sse4a avx512_vnni avx512_bf16",
    "EPYC Turin": f"{_AVX512} sse4a avx512_vnni avx512_bf16 avx_vnni",
    "Alder Lake": f"{_AVX2} avx_vnni",
    "Sapphire Rapids": f"{_AVX512} avx512_vnni avx512_bf16 avx512_fp16 avx_vnni amx_tile amx_int8 "
    "amx_bf16",
    "Granite Rapids": f"{_AVX512} avx512_vnni avx512_bf16 avx512_fp16 avx_vnni amx_tile amx_int8 "
    "amx_bf16 amx_fp16",
    "Graviton 1": "fp asimd aes crc32",
    "Graviton 2": "fp asimd fphp asimdhp asimddp",
    "Graviton 3": "fp asimd fphp asimdhp asimddp sve i8mm bf16",
    "with SME": "fp asimd fphp asimdhp asimddp sve i8mm bf16 sme",
}
X86 = [name for name in FLAGS if FLAGS[name].startswith("fpu ")]
# float32 and int8 by ONNX Runtime, bfloat16 and float16 by torch.
KERNELS = {
    "Nehalem": ("SSE2", "SSE4.1", "SSE4.1, converted from bf16", "SSE4.1, converted from fp16"),
    "Sandy Bridge": ("AVX", "SSE4.1", "SSE4.1, converted from bf16", "SSE4.1, converted from fp16"),
    "Haswell": ("AVX2", "AVX2", "AVX2, converted from bf16", "AVX2, converted from fp16"),
    "EPYC Milan": ("AVX2", "AVX2", "AVX2, converted from bf16", "AVX2, converted from fp16"),
    "Skylake-SP": (
        "AVX-512", "AVX-512", "AVX-512, converted from bf16", "AVX-512, converted from fp16",
    ),
    "Cascade Lake": (
        "AVX-512", "AVX-512 VNNI", "AVX-512, converted from bf16", "AVX-512, converted from fp16",
    ),
    "EPYC Genoa": ("AVX-512", "AVX-512 VNNI", "AVX-512 bf16", "AVX-512, converted from fp16"),
    "EPYC Turin": ("AVX-512", "AVX-512 VNNI", "AVX-512 bf16", "AVX-512, converted from fp16"),
    "Alder Lake": ("AVX2", "AVX-VNNI", "AVX2, converted from bf16", "AVX2, converted from fp16"),
    "Sapphire Rapids": ("AVX-512", "AMX", "AMX", "AVX-512 fp16"),
    "Granite Rapids": ("AVX-512", "AMX", "AMX", "AMX"),
    "Graviton 1": ("NEON", "NEON", "NEON, converted from bf16", "NEON, converted from fp16"),
    "Graviton 2": ("NEON", "dot product", "NEON, converted from bf16", "NEON fp16"),
    "Graviton 3": ("NEON", "i8mm", "NEON bf16", "NEON fp16"),
    "with SME": ("SME", "i8mm", "NEON bf16", "NEON fp16"),
}  # fmt: skip


def _cpuinfo(*flags: str) -> str:
    """As Linux writes it, a block for each CPU."""
    blocks = []
    for number, of_one in enumerate(flags):
        key = "flags\t\t" if of_one.startswith("fpu ") else "Features\t"
        blocks.append(f"processor\t: {number}\nmodel name\t: A: B @ 2 GHz\n{key}: {of_one}\n")
    return "\n".join(blocks)


@pytest.mark.parametrize("name", FLAGS)
def test_what_runs_is_what_the_processor_has(name: str) -> None:
    """Of each precision, whatever the setting says."""
    machine = "x86_64" if name in X86 else "aarch64"
    processor = parsed(_cpuinfo(FLAGS[name], FLAGS[name]), machine)
    ways: list[tuple[str, Precision]] = [
        ("onnx_packed", "float32"),
        ("onnx_packed", "int8"),
        ("torch_packed", "bfloat16"),
        ("torch_plain", "float16"),
    ]
    assert KERNELS[name] == tuple(kernel(*way, processor) for way in ways)
    assert (2, "A: B @ 2 GHz") == (processor.cpus, processor.name)


def test_where_int8_saturates() -> None:
    """On x86 with AVX2 and without VNNI; as `qemu-x86_64 -cpu EPYC` and Nehalem showed."""
    found = {n for n in X86 if saturates(parsed(_cpuinfo(FLAGS[n]), "x86_64"))}
    assert {"Haswell", "EPYC Milan", "Skylake-SP"} == found
    assert not saturates(parsed(_cpuinfo(FLAGS["Graviton 1"]), "aarch64"))


def test_cpus_of_two_kinds_count_as_the_lesser() -> None:
    """A thread may run on any of them."""
    processor = parsed(_cpuinfo(FLAGS["Graviton 3"], FLAGS["Graviton 1"]), "aarch64")
    assert "NEON" == kernel("onnx_packed", "int8", processor)


@pytest.mark.parametrize(
    ("cpuinfo", "machine"), [("", "AMD64"), ("flags : vsx", "ppc64le"), ("processor: 0", "x86_64")]
)
def test_a_processor_that_nobody_knows(cpuinfo: str, machine: str) -> None:
    """Nothing is claimed of it."""
    processor = parsed(cpuinfo, machine)
    assert UNKNOWN == kernel("onnx_packed", "int8", processor)
    assert not saturates(processor)


def test_this_one_has_a_name() -> None:
    """Whatever it is."""
    assert this_processor().name
