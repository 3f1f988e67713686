"""The character recogniser of RapidOCR (PP-OCRv4): features before its 6,625-way classifier.

120 numbers at each of six places along a 48 x 48 image, averaged. It was trained on lines of
printed Chinese and English with a CTC loss. `onnx` reads the graph, to have the features put out.
"""

from typing import Any

import torch
from torch import Tensor

from supcon_theory.data import pins
from supcon_theory.data.pixels import in_unit_range, resized

SIDE = 48  # pixels, the height of its training
BATCH = 64


def load() -> Any:
    """A session on one thread that puts out the input of the last matrix product."""
    import onnx
    import onnxruntime

    graph = onnx.load_from_string(pins.read("recogniser"))
    last = [node for node in graph.graph.node if node.op_type == "MatMul"][-1]
    features = onnx.helper.make_tensor_value_info(last.input[0], onnx.TensorProto.FLOAT, None)
    del graph.graph.output[:]
    graph.graph.output.append(features)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # else it warns that the classifier is not needed
    data = graph.SerializeToString()
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def embed(session: Any, images: Tensor) -> Tensor:
    """Features of images of one character each.

    Args:
        session: what `load` returns.
        images: (N, K, channels, side, side), uint8 or float32 in [0, 1]; grey ones are repeated.

    Returns:
        (N, K, 120) float32, means over places, not scaled.
    """
    (name,) = (given.name for given in session.get_inputs())
    parts = []
    for part in images.flatten(0, 1).split(BATCH):
        x = resized(in_unit_range(part), SIDE) * 2 - 1
        (found,) = session.run(None, {name: x.expand(-1, 3, -1, -1).contiguous().numpy()})
        parts.append(torch.from_numpy(found).mean(1))
    return torch.cat(parts).unflatten(0, images.shape[:2])
