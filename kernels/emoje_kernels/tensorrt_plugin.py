"""Put the fused kernels into a TensorRT engine as ahead-of-time plugins: PTX inside the plan, no Python when it runs.

    emoje::cross_modal_fuse       q, k, v, gate, lengths -> fused, weights, descriptors     one program an utterance
    emoje::cross_modal_describe   q, k, v, lengths -> descriptors                           for one utterance
    emoje::modality_weights       descriptors, gate, lengths -> fused, weights

Attributes: `text`, `audio`, `pose` (capacities) and `mask`.  `register()` needs TensorRT 10.9; `build` needs only
triton, so all that TensorRT would be handed is checked without it.  `describe` then `weights` is the pair for batch 1,
where one program would leave the GPU idle.
"""

# mypy: disable-error-code="no-untyped-def,valid-type"
# (TensorRT reads the plugins' annotations, and its types exist only where it does)
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emoje_kernels import aot, ptx
from emoje_kernels.layout import Layout

OLDEST_TENSORRT = (10, 9)
# plugin -> (kernel, its inputs, its outputs), in the order of the kernel's arguments
PLUGINS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "emoje::cross_modal_fuse": ("fuse", ("q", "k", "v", "gate", "lengths"), ("fused", "weights", "desc")),
    "emoje::cross_modal_describe": ("describe", ("q", "k", "v", "lengths"), ("desc",)),
    "emoje::modality_weights": ("weigh", ("desc", "gate", "lengths"), ("fused", "weights")),
}


@dataclass(frozen=True)
class Kernel:
    """What a plugin hands to TensorRT.

    Attributes:
        name: of the entry in `ptx`.
        ptx: with TensorRT's arguments only, inputs then outputs, no scalars.
        threads: of a block.
        shared: bytes of a block.
    """

    name: str
    ptx: str
    threads: int
    shared: int


def build(plugin: str, layout: Layout, arch: str, *, dtype: str = "float16") -> Kernel:
    """Compile a plugin's kernel and take the hidden parameters out.

    Raises:
        ValueError: an unknown plugin or type, or a kernel that needs what TensorRT does not pass.
        RuntimeError: this triton cannot compile for `arch`.
    """
    if plugin not in PLUGINS:
        raise ValueError(f"plugin {plugin!r}: there are {', '.join(PLUGINS)}")
    name, inputs, outputs = PLUGINS[plugin]
    declared = [p for p in aot.kernels()[name].arg_names if p == p.lower() and p != "scales"]
    if declared != [*inputs, *outputs]:
        raise ValueError(f"kernel {name!r} takes {declared}: a plugin launches inputs, then outputs")
    # the plugin's shared memory is static: TensorRT raises no limit for it
    built = aot.compile_kernel(name, layout, arch, dtype=dtype, options=ptx.version_option())
    if built.metadata.shared > 48 * 1024:
        raise ValueError(f"kernel {name!r} needs {built.metadata.shared} bytes of shared memory: at most 49152")
    text = ptx.strip_hidden(built.asm["ptx"], built.metadata.name, len(inputs) + len(outputs))
    return Kernel(built.metadata.name, text, built.metadata.num_warps * 32, built.metadata.shared)


def programs(plugin: str, layout: Layout) -> int:
    """Programs an utterance."""
    return layout.heads * layout.targets if plugin == "emoje::cross_modal_describe" else 1


def tensorrt_version() -> tuple[int, int]:
    """(major, minor) of the installed TensorRT.

    Raises:
        RuntimeError: none, or older than 10.9.
    """
    try:
        import tensorrt
    except ImportError as error:
        raise RuntimeError(f"TensorRT is not installed ({error}): pip install tensorrt (10.9 or later)") from error
    major, minor = (int(part) for part in re.findall(r"\d+", tensorrt.__version__)[:2])
    if (major, minor) < OLDEST_TENSORRT:
        raise RuntimeError(f"TensorRT {tensorrt.__version__} has no ahead-of-time Python plugins: 10.9 or later has")
    return major, minor


def register(arch: str) -> tuple[str, ...]:
    """Register the plugins with TensorRT, compiled for `arch` when an engine is built; returns their names.

    Raises:
        RuntimeError: TensorRT is missing or too old.
    """
    tensorrt_version()
    import tensorrt as trt
    import tensorrt.plugin as trtp

    types = {trt.float32: "float32", trt.float16: "float16", trt.bfloat16: "bfloat16"}

    def launch(plugin: str, like: Any, attributes: tuple[int, int, int, int]):
        n, heads, head_dim = like.shape_expr[0], like.shape_expr[-2], like.shape_expr[-1]
        h, dh = heads.constant_value(), head_dim.constant_value()
        text, audio, pose, mask = attributes
        layout = Layout((text, audio, pose), h, dh, mask, h * dh)
        kernel = build(plugin, layout, arch, dtype=types[like.dtype])
        parameters = trtp.KernelLaunchParams()
        parameters.grid_x = n * programs(plugin, layout)
        parameters.block_x = kernel.threads
        parameters.shared_mem = kernel.shared
        # every size is compiled in, so nothing follows the pointers
        return kernel.name.encode(), kernel.ptx.encode(), parameters, trtp.SymIntExprs(0)

    _register_fuse(trt, trtp, launch)
    _register_describe(trt, trtp, launch)
    _register_weights(trt, trtp, launch)
    return tuple(PLUGINS)


def _register_fuse(trt: Any, trtp: Any, launch: Callable[..., Any]) -> None:
    desc: Any = trtp.TensorDesc

    @trtp.register("emoje::cross_modal_fuse")
    def describe(
        q: desc, k: desc, v: desc, gate: desc, lengths: desc, text: int, audio: int, pose: int, mask: int
    ) -> tuple[desc, desc, desc]:
        n, h, dh = gate.shape_expr[0], gate.shape_expr[1], gate.shape_expr[2]
        descriptors = trtp.from_shape_expr((n, 3, h, dh), dtype=trt.float32)
        return gate.like(), trtp.from_shape_expr((n, 3), dtype=trt.float32), descriptors

    @trtp.aot_impl("emoje::cross_modal_fuse")
    def implement(q, k, v, gate, lengths, text, audio, pose, mask, outputs, tactic):
        return launch("emoje::cross_modal_fuse", q, (text, audio, pose, mask))


def _register_describe(trt: Any, trtp: Any, launch: Callable[..., Any]) -> None:
    desc: Any = trtp.TensorDesc

    @trtp.register("emoje::cross_modal_describe")
    def describe(
        q: desc, k: desc, v: desc, lengths: desc, text: int, audio: int, pose: int, mask: int
    ) -> desc:  # fmt: skip
        shape = (q.shape_expr[0], 3, q.shape_expr[2], q.shape_expr[3])
        return trtp.from_shape_expr(shape, dtype=trt.float32)

    @trtp.aot_impl("emoje::cross_modal_describe")
    def implement(q, k, v, lengths, text, audio, pose, mask, outputs, tactic):
        return launch("emoje::cross_modal_describe", q, (text, audio, pose, mask))


def _register_weights(trt: Any, trtp: Any, launch: Callable[..., Any]) -> None:
    desc: Any = trtp.TensorDesc

    @trtp.register("emoje::modality_weights")
    def describe(
        descriptors: desc, gate: desc, lengths: desc, text: int, audio: int, pose: int, mask: int
    ) -> tuple[desc, desc]:
        return gate.like(), trtp.from_shape_expr((gate.shape_expr[0], 3), dtype=trt.float32)

    @trtp.aot_impl("emoje::modality_weights")
    def implement(descriptors, gate, lengths, text, audio, pose, mask, outputs, tactic):
        return launch("emoje::modality_weights", gate, (text, audio, pose, mask))
