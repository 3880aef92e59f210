"""TensorRT: one plan a mask, from the exported graph or from our signed ONNX, and the session that runs it.

`lowering` and `onnx_parser` write a plan, `runtime` runs one; the backend (`engine.backends.tensorrt`) is their face.
"""
