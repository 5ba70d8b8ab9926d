"""Where products of uint8 and int8 are wrong, int8 has unsigned weights and the same scores."""

from __future__ import annotations

import onnx
import pytest

from service.checkpoint.files import resolve
from service.engines import onnx_packed
from service.engines.layout import load_layout
from service.engines.onnx_graph import build_graph
from service.engines.onnx_packed import OnnxPacked
from service.processor import saturates, this_processor
from service.settings import ModelSettings

# With padding, and one of a single token.
TEXTS = [[101, *range(2000, 2020), 102], [101, 2045, 102], [101]]


def test_unsigned_weights_give_the_same_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the bit, where this processor has VNNI, AMX, or Arm's instructions.

    `qemu-x86_64 -cpu EPYC` has AVX2 without VNNI: there these are right, and signed ones differ by
    0.05.
    """
    if saturates(this_processor()):
        pytest.skip("signed weights are wrong on this processor")
    settings = ModelSettings(precision="int8", threads=1)
    checkpoint = resolve(settings)
    found = []
    for unsigned in (True, False):
        monkeypatch.setattr(onnx_packed, "saturates", lambda _, wrong=unsigned: wrong)
        found.append(OnnxPacked(checkpoint, settings).logits(TEXTS).tolist())
    assert found[0] == found[1]


@pytest.mark.parametrize("whole", [True, False])
def test_no_signed_integer_is_left(whole: bool) -> None:
    """Neither as a weight nor as the zero point that a weight is quantized with."""
    layout = load_layout(resolve(ModelSettings()))
    kinds = {
        unsigned: {
            weight.data_type
            for weight in onnx.load_model_from_string(
                build_graph(layout, "int8", whole=whole, unsigned=unsigned)
            ).graph.initializer
        }
        for unsigned in (True, False)
    }
    assert onnx.TensorProto.INT8 not in kinds[True]
    assert onnx.TensorProto.INT8 in kinds[False]
