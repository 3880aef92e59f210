"""What TensorRT would be handed, checked without it: argument order, no hidden parameters, PTX version, reassembly."""

import os
import sys
import types

import pytest
from emoje_kernels import aot, ptx, tensorrt_plugin
from emoje_kernels.layout import Layout

pytest.importorskip("triton", reason="compiling needs triton (Linux only)")
pytestmark = pytest.mark.skipif(os.environ.get("TRITON_INTERPRET") == "1", reason="the interpreter compiles nothing")

LAYOUT = Layout((16, 16, 16), 2, 32, 3, 64)


@pytest.mark.parametrize("plugin", tensorrt_plugin.PLUGINS)
def test_plugin_kernels(plugin: str) -> None:
    _, inputs, outputs = tensorrt_plugin.PLUGINS[plugin]
    kernel = tensorrt_plugin.build(plugin, LAYOUT, "sm_87")
    found = ptx.parameters(kernel.ptx, kernel.name)
    assert len(found) == len(inputs) + len(outputs)
    assert all(parameter.pointer for parameter in found), "pointers only: TensorRT passes tensors"
    assert ptx.version(kernel.ptx) <= ptx.NEWEST_PTX
    assert ptx.target(kernel.ptx) == "sm_87"
    assert ptx.reassemble(kernel.ptx)
    assert kernel.threads in (32, 64)
    assert kernel.shared <= 48 * 1024


def test_arguments_are_inputs_then_outputs() -> None:
    """No floats, no integers; lower-case names are tensors, the rest is compiled in."""
    for kernel, inputs, outputs in tensorrt_plugin.PLUGINS.values():
        tensors = [name for name in aot.kernels()[kernel].arg_names if name.islower() and name != "scales"]
        assert tensors == [*inputs, *outputs]


SMALL = """.version 8.7
.target sm_87
.visible .entry kernel(
\t.param .u64 .ptr .global .align 1 kernel_param_0,
\t.param .u64 .ptr .global .align 1 kernel_param_1
)
{
\tld.param.b64 %rd1, [kernel_param_0];
\tret;
}
"""


def test_stripping_keeps_the_body() -> None:
    stripped = ptx.strip_hidden(SMALL, "kernel", 1)
    assert [p.name for p in ptx.parameters(stripped, "kernel")] == ["kernel_param_0"]
    assert stripped.endswith(SMALL[SMALL.index("\n{\n") :])


@pytest.mark.parametrize(
    ("change", "keep", "reason"),
    [(("[kernel_param_0]", "[kernel_param_1]"), 1, "reads kernel_param_1"), (("", ""), 3, "fewer than the 3")],
)
def test_stripping_refuses(change: tuple[str, str], keep: int, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ptx.strip_hidden(SMALL.replace(*change), "kernel", keep)


def test_broken_ptx_is_not_reassembled() -> None:
    with pytest.raises(ValueError, match="ptxas refuses"):
        ptx.reassemble(SMALL.replace("ret;", "nonsense;"))


def test_unknown_plugin() -> None:
    with pytest.raises(ValueError, match="emoje::cross_modal_fuse"):
        tensorrt_plugin.build("emoje::other", LAYOUT, "sm_87")


def test_without_tensorrt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(RuntimeError, match="pip install tensorrt"):
        tensorrt_plugin.register("sm_87")


def test_old_tensorrt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", types.SimpleNamespace(__version__="10.8.0.43"))
    with pytest.raises(RuntimeError, match=r"10\.9 or later"):
        tensorrt_plugin.register("sm_87")
