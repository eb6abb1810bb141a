"""The .tflite file that the picker runs on a computer's processor, in float32."""

import dataclasses
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from keras_usmae.extras import import_extra
from keras_usmae.files import atomic_write
from keras_usmae.picker.engines import METADATA, DetectorInfo, file_hash
from keras_usmae.picker.picker import DETECTOR_FILE, ENGINE_FILE

if TYPE_CHECKING:
    from keras_usmae.models.echo_detector import EchoDetector


def write_engine(detector: "EchoDetector", weights: str | Path, path: str | Path) -> None:
    """Writes the file that LiteRT runs in place of a detector; see `LiteRTEngine`.

    Args:
        detector: `EchoDetector`.
        weights: path of the file that holds its weights. The engine remembers its hash, and is not taken for others.
        path: path of the .tflite file to write.

    Raises:
        RuntimeError: if Keras does not run on TensorFlow.

    Example:

    ```python
    write_engine(EchoDetector.from_preset("nano"), "nano_picker.weights.h5", "nano_picker.tflite")
    ```
    """
    from keras_usmae.export.deployment import DeploymentForm, DeploymentGraph
    from keras_usmae.export.saved_model import in_float32, write_static_saved_model
    from keras_usmae.export.tflite import convert

    info = DetectorInfo(
        signal_length=detector.encoder.signal_length,
        bin_width=detector.bin_width,
        settings=dict(detector.settings),
        weights=file_hash(weights),
    )
    with tempfile.TemporaryDirectory() as folder:
        # Exact, and on a computer as fast as with L2_NORMALIZATION.
        graph = DeploymentGraph(in_float32(detector), DeploymentForm(fused_norm=False))
        write_static_saved_model(graph, folder)
        content = _with_metadata(convert(folder, "float32"), json.dumps(dataclasses.asdict(info)).encode())
    with atomic_write(Path(path)) as partial:
        partial.write_bytes(content)


def _with_metadata(content, value):
    flatbuffers = import_extra("flatbuffers")
    schema = import_extra("ai_edge_litert.schema_py_generated")
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    entry, buffer = schema.MetadataT(), schema.BufferT()
    entry.name, entry.buffer, buffer.data = METADATA, len(model.buffers), list(value)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or []), entry]
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _main(folder):
    from keras_usmae.models import EchoDetector, load_trained

    weights = Path(folder) / DETECTOR_FILE
    write_engine(load_trained(weights, EchoDetector), weights, Path(folder) / ENGINE_FILE)


if __name__ == "__main__":
    _main(sys.argv[1])
