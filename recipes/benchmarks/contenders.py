"""What `benchmark.py` times: a training step by this package or by vit-pytorch, an encoding, a matrix product.

Each runs in a process of its own, which lives as long as its `Worker`, so that contenders can be timed in turn.
"""

import dataclasses
import functools
import importlib.util
import multiprocessing
import os
import sys
import time

import numpy as np

from recipes.benchmarks.measuring import peak_memory
from recipes.benchmarks.profiling import profile

MATRIX_SIZE = 2048
WARM_UP = 3


@dataclasses.dataclass(frozen=True)
class Contender:
    """What a worker builds.

    Args:
        name: str, for the table.
        task: str, `"pretrain"`, `"finetune"`, `"encode"` or `"matrix"`.
        library: str, `"keras_usmae"`, `"vit-pytorch"` or `"vit-pytorch compiled"`.
        backend: str, backend of Keras.
        preset: str, sizes of the model.
        decoder: str, `"full"` or `"cross"`.
        signal_length: int, samples.
        batch_size: int, signals in an optimiser step.
        micro_batches: int, parts of a batch whose gradients are accumulated.
        remat: bool, whether blocks are computed again going backward.
        dtype: str, Keras's dtype policy.
    """

    name: str
    task: str = "pretrain"
    library: str = "keras_usmae"
    backend: str = "torch"
    preset: str = "small"
    decoder: str = "full"
    signal_length: int = 2048
    batch_size: int = 256
    micro_batches: int = 1
    remat: bool = False
    dtype: str = "float32"


class Worker:
    """A process that builds a contender, warms up, and times it whenever it is asked; a context manager.

    Args:
        contender: `Contender`.

    Raises:
        RuntimeError: if the process ends, such as for want of memory.
    """

    def __init__(self, contender):
        self.contender = contender
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        before = os.environ.get("KERAS_BACKEND")
        os.environ["KERAS_BACKEND"] = contender.backend  # read when the process imports Keras
        try:
            self.process = context.Process(target=serve, args=(theirs, contender), daemon=True)
            self.process.start()
        finally:
            os.environ.pop("KERAS_BACKEND")
            if before is not None:
                os.environ["KERAS_BACKEND"] = before
        theirs.close()
        self.peak = self._receive()

    @functools.cached_property
    def step_memory(self):
        """Bytes that a step takes: the peak of this process above that of one whose batch is as small as can be.

        What a library keeps from one step to the next counts, as it does on the user's machine; what it takes whatever
        the batch, such as its own code and compiler, does not.
        """
        smallest = dataclasses.replace(self.contender, batch_size=self.contender.micro_batches)
        with Worker(smallest) as worker:
            return max(self.peak - worker.peak, 0)

    def time(self, steps):
        """Median seconds of a step among `steps`, and the processor seconds of all of them."""
        self.connection.send(steps)
        return self._receive()

    def profile(self):
        """Shares of a step's time by kind of operation; see `profiling.profile`."""
        self.connection.send("profile")
        return self._receive()

    def _receive(self):
        try:
            return self.connection.recv()
        except EOFError as error:
            self.process.join()
            raise RuntimeError(
                f"{self.contender.name}: its process ended with code {self.process.exitcode}; see above. Code -9 "
                "mostly means too little memory: choose a smaller batch."
            ) from error

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.join()


def serve(connection, contender):
    """What the process of a `Worker` does: sends the peak of its memory, then times or profiles it when asked."""
    step = build_step(contender)
    for _ in range(WARM_UP):
        step()
    connection.send(peak_memory())
    while True:
        asked = connection.recv()
        if asked == "profile":
            connection.send(profile(contender.backend, step))
            continue
        seconds, used = [], time.process_time()
        for _ in range(asked):
            started = time.perf_counter()
            step()
            seconds.append(time.perf_counter() - started)
        connection.send((float(np.median(seconds)), time.process_time() - used))


def build_step(contender):
    """Returns a function that does one step and waits for its result."""
    if "torch" in contender.library or contender.backend == "torch":
        import torch

        torch.set_num_threads(len(os.sched_getaffinity(0)))
    make = {"matrix": _matrix_product, "encode": _encoding, "finetune": _finetuning}.get(contender.task)
    if make is None:
        make = _vit_pytorch if contender.library.startswith("vit-pytorch") else _pretraining
    rng = np.random.default_rng(0)
    signals = rng.standard_normal((contender.batch_size, contender.signal_length)).astype("float32")
    return make(contender, signals)


def _matrix_product(contender, signals):
    a, b = np.random.default_rng(0).standard_normal((2, MATRIX_SIZE, MATRIX_SIZE)).astype("float32")
    return lambda: a @ b


def _set_up(contender):
    """What the recipes do ahead of a training."""
    import keras

    from keras_usmae.training import set_xla_memory_scheduler, tune_malloc

    set_xla_memory_scheduler()
    tune_malloc()
    keras.config.set_dtype_policy(contender.dtype)
    keras.utils.set_random_seed(0)


def _pretraining(contender, signals):
    from keras_usmae.training import build_optimizer, jit_compile

    _set_up(contender)
    mae = build_model(contender)
    optimizer = build_optimizer(1e-3, 100_000, 0, 0.05, gradient_accumulation_steps=contender.micro_batches)
    mae.compile(optimizer, jit_compile=jit_compile())
    parts = np.split(signals, contender.micro_batches)
    return lambda: [mae.train_on_batch(part) for part in parts]


def _finetuning(contender, signals):
    """All patches are seen, as with labelled synthetic signals and the few measured ones."""
    from keras_usmae.models import ToFClassifier
    from keras_usmae.training import compile_for_tof

    _set_up(contender)
    classifier = ToFClassifier(build_model(contender).encoder, bin_width=16, sampling_rate=100e6)
    compile_for_tof(classifier, 1e-3, 100_000, 0)
    onset = np.random.default_rng(0).uniform(0, contender.signal_length - 1, len(signals)).astype("float32")
    return lambda: classifier.train_on_batch(signals, onset)


def build_model(contender):
    """The masked autoencoder of a contender."""
    from keras_usmae.models import MaskedAutoencoder

    return MaskedAutoencoder.from_preset(
        contender.preset,
        seed=0,
        decoder=contender.decoder,
        signal_length=contender.signal_length,
        remat=contender.remat,
    )


def _encoding(contender, signals):
    encoder = build_model(contender).encoder
    encoder.compile(jit_compile=contender.backend != "torch")
    return lambda: encoder.predict_on_batch(signals)


def _vit_pytorch(contender, signals):
    """The MAE of vit-pytorch with the sizes of a preset, on signals as images one row high."""
    import torch

    from keras_usmae.models import load_preset

    specification = importlib.util.find_spec("vit_pytorch")
    if specification is None:
        raise ModuleNotFoundError('vit-pytorch is missing: pip install "keras-usmae[benchmark]"')
    # The package's own __init__ imports all of its models and with them torchvision, which two of them need.
    sys.modules.setdefault("vit_pytorch", importlib.util.module_from_spec(specification))
    from vit_pytorch.mae import MAE
    from vit_pytorch.vit import Transformer, ViT

    torch.manual_seed(0)
    encoder, decoder = (load_preset(contender.preset)[part] for part in ("encoder", "decoder"))
    vit = ViT(
        image_size=(1, contender.signal_length),
        patch_size=(1, encoder["patch_size"]),
        channels=1,
        num_classes=1,
        dim=encoder["hidden_dim"],
        depth=encoder["num_layers"],
        heads=encoder["num_heads"],
        dim_head=encoder["head_dim"],
        mlp_dim=encoder["mlp_dim"],
    )
    mae = MAE(encoder=vit, masking_ratio=0.75, decoder_dim=decoder["hidden_dim"])
    # Its own decoder has an MLP four times as wide as the tokens; with the preset's the work is the same.
    mae.decoder = Transformer(
        dim=decoder["hidden_dim"],
        depth=decoder["num_layers"],
        heads=decoder["num_heads"],
        dim_head=decoder["head_dim"],
        mlp_dim=decoder["mlp_dim"],
    )
    optimizer = torch.optim.AdamW(mae.parameters(), 1e-3, weight_decay=0.05)
    images = torch.tensor(signals)[:, None, None]
    forward = torch.compile(mae) if contender.library.endswith("compiled") else mae

    def step():
        optimizer.zero_grad()
        loss = forward(images)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(mae.parameters(), 1.0)  # as ours does
        optimizer.step()
        return loss.item()

    return step


def step_flops(mae):
    """Floating-point operations of a pre-training step for one signal, counted on its matrix products.

    Two for each multiply-accumulate, and three times the forward pass: going backward there is one product for the
    gradient of either factor.
    """
    encoder, decoder = mae.encoder, mae.decoder
    patches, patch_size = encoder.num_patches, encoder.patch_size
    visible = round(patches * (1 - mae.mask_ratio))
    macs = visible * patch_size * encoder.hidden_dim + encoder.num_layers * _block(encoder, visible, visible)
    macs += visible * encoder.hidden_dim * decoder.hidden_dim
    decoded = patches
    if hasattr(decoder, "prediction_ratio"):
        decoded = decoder.num_decoded(patches - visible)
        macs += decoder.num_layers * _block(decoder, decoded, visible)
    else:
        macs += decoder.num_layers * _block(decoder, patches, patches)
    return 6 * (macs + decoded * decoder.hidden_dim * patch_size)


def _block(part, tokens, context):
    """Multiply-accumulates of a transformer block whose `tokens` attend to `context`."""
    inner = part.num_heads * part.head_dim
    projections = 2 * (tokens + context) * part.hidden_dim * inner  # query and output, key and value
    return projections + 2 * tokens * context * inner + 2 * tokens * part.hidden_dim * part.mlp_dim
