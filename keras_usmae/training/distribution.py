"""Training on several devices: each takes its rows of every batch, and the gradients are averaged over all of them.

One interface over the engines that give the numbers of one device: `keras.distribution.DataParallel` on JAX, for the
devices of any number of processes; `tf.distribute.MirroredStrategy` on TensorFlow, for the devices of one process; and
distributed data parallel on torch, for processes with a device each.
"""

import atexit
import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import keras

from keras_usmae.training.batches import check_micro_batches

if TYPE_CHECKING:
    from keras_usmae.training.batches import EpochBatches

_WAYS = (
    "Two ways work on several machines: KERAS_BACKEND=jax with the variables of keras.distribution.initialize, and "
    "KERAS_BACKEND=torch under torchrun (docs/how-to/clusters.md). The weights load on every backend."
)


def use_devices(num_devices: int = 1) -> "Devices":
    """Has everything that is made from now on trained on several devices. Call it before the first model is made.

    On JAX and TensorFlow one process drives all devices of a machine (without an accelerator its CPU is divided into as
    many, to try things out), and with JAX one on each of several machines may share a training. On torch each device
    has its process, started by `torchrun`, on one machine or several.

    Args:
        num_devices: int, devices on all machines together. Defaults to `1`.

    Raises:
        ValueError: if there are other devices or processes than that, or TensorFlow is asked for several machines.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        if "TF_CONFIG" in os.environ:
            raise ValueError(
                "TF_CONFIG asks TensorFlow for several machines, but MultiWorkerMirroredStrategy breaks inside `fit` "
                f"with Keras 3.15. Unset TF_CONFIG to train on this machine alone. {_WAYS}"
            )
        return _TensorFlowDevices(num_devices) if num_devices > 1 else Devices()
    if backend == "jax":
        return _JaxDevices(num_devices, _jax_processes(num_devices)) if num_devices > 1 else Devices()
    launched = int(os.environ.get("WORLD_SIZE", 1))
    if launched != num_devices:
        raise ValueError(
            f"--devices {num_devices}, but this is one of {launched} processes. With torch each device has its own: "
            f"start `torchrun --nproc-per-node {num_devices} recipes/...` on one machine, or with --nnodes and "
            "--rdzv-endpoint on several."
        )
    return _TorchProcesses(num_devices) if num_devices > 1 else Devices()


class Devices:
    """What a training needs to know of its devices; as it stands, one device of one process.

    Attributes:
        num_devices: int, devices of all processes.
        num_processes: int.
        process_index: int, from 0.
        is_main_process: bool, whether this is the one process that writes files and prints.
        callbacks: list of callbacks for `fit`, to stand ahead of those that read the logs.
    """

    def __init__(self, num_devices: int = 1, num_processes: int = 1, process_index: int = 0) -> None:
        self.num_devices = num_devices
        self.num_processes = num_processes
        self.process_index = process_index
        self.is_main_process = process_index == 0
        self.callbacks = []

    def check_micro_batches(self, batch_size: int, micro_batches: int) -> None:
        """Checks that these devices can train on batches of `batch_size` signals in `micro_batches` parts.

        Raises:
            ValueError: if they cannot.
        """
        check_micro_batches(batch_size, self.num_devices, micro_batches)

    def shard(self, batches: "EpochBatches") -> "EpochBatches":
        """Leaves of each batch the rows of this process; see `EpochBatches.split`, and returns the batches."""
        batches.split(self.num_devices, self.num_processes, self.process_index)
        return batches

    @contextlib.contextmanager
    def training(self, model: keras.Model) -> Iterator[None]:
        """Context in which `fit` of a compiled model runs on all devices.

        Raises:
            ConnectionError: if another process ended meanwhile.
        """
        try:
            with self._replicated(model):
                yield
        except (RuntimeError, ValueError) as error:
            # JAX tells of a lost connection on CPUs by a ValueError, of which there are others.
            if self.num_processes == 1 or (isinstance(error, ValueError) and "Gloo" not in str(error)):
                raise
            raise ConnectionError(
                f"Process {self.process_index} of {self.num_processes} stopped, most likely because another one ended "
                f"({str(error).splitlines()[0]}). Start all of them again with --resume: the run goes on from the last "
                "epoch that is whole."
            ) from error

    @contextlib.contextmanager
    def _replicated(self, model):
        yield

    def unwrap(self, model: keras.Model) -> keras.Model:
        """A model of the same configuration, for use after training in this process alone; load its weights."""
        return model


class _JaxDevices(Devices):
    def __init__(self, num_devices, num_processes):
        import jax

        num_local = num_devices // num_processes
        if os.environ.get("JAX_PLATFORMS", "") in ("", "cpu"):  # both take effect on a CPU only
            jax.config.update("jax_num_cpu_devices", num_local)
            # A device that waits for the others holds a thread of XLA, which has one for each core: with as many
            # devices as cores none is left to compute what they wait for.
            os.environ.setdefault("NPROC", str(num_local + os.cpu_count()))
        if num_processes > 1:
            # Not `keras.distribution.initialize`, which has no timeouts: a process that died should be told of soon,
            # and those that are done wait until the first one has evaluated.
            jax.distributed.initialize(
                os.environ["KERAS_DISTRIBUTION_JOB_ADDRESSES"].split(",")[0],
                num_processes,
                int(os.environ["KERAS_DISTRIBUTION_PROCESS_ID"]),
                heartbeat_timeout_seconds=30,
                shutdown_timeout_seconds=3600,
            )
        found = keras.distribution.list_devices()
        if len(found) < num_devices or (num_processes > 1 and len(found) != num_devices):
            raise ValueError(f"--devices {num_devices}, but JAX finds {len(found)}: {', '.join(found)}.")
        # Each process draws its own rows, see `shard`.
        distribution = keras.distribution.DataParallel(devices=found[:num_devices], auto_shard_dataset=False)
        keras.distribution.set_distribution(distribution)
        super().__init__(num_devices, num_processes, jax.process_index())

    def unwrap(self, model):
        keras.distribution.set_distribution(None)
        return _copy(model)


def _jax_processes(num_devices):
    """Processes that were started, by the variables of `keras.distribution.initialize`."""
    names = [f"KERAS_DISTRIBUTION_{name}" for name in ("NUM_PROCESSES", "JOB_ADDRESSES", "PROCESS_ID")]
    given = [name for name in names if name in os.environ]
    if not given:
        return 1
    if len(given) < len(names):
        raise ValueError(f"Several processes of JAX need {', '.join(names)}. Received only: {', '.join(given)}")
    num_processes = int(os.environ[names[0]])
    if num_devices % num_processes:
        raise ValueError(
            f"--devices {num_devices} counts those of all {num_processes} processes ({names[0]}), which must have as "
            f"many each. Give a multiple of {num_processes}."
        )
    return num_processes


class _TensorFlowDevices(Devices):
    def __init__(self, num_devices):
        import tensorflow as tf

        found = tf.config.list_physical_devices("GPU")
        if not found:
            parts = [tf.config.LogicalDeviceConfiguration()] * num_devices
            tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], parts)
            found = tf.config.list_logical_devices("CPU")
        if len(found) < num_devices:
            raise ValueError(f"--devices {num_devices}, but TensorFlow finds {len(found)}: {found}.")
        names = [f"/{found[0].device_type.lower()}:{index}" for index in range(num_devices)]
        # For the whole process, as the distribution of Keras is on JAX.
        tf.distribute.experimental_set_strategy(tf.distribute.MirroredStrategy(names))
        super().__init__(num_devices)

    def check_micro_batches(self, batch_size, micro_batches):
        super().check_micro_batches(batch_size, micro_batches)
        if micro_batches > 1:  # Keras 3.15 decays weights inside a condition there, which a strategy does not allow
            raise ValueError(
                f"Several devices of TensorFlow do not accumulate gradients. Received: --devices {self.num_devices}, "
                f"--gradient-accumulation-steps {micro_batches}. Leave one of them at 1, or train with KERAS_BACKEND="
                "jax or torch."
            )

    @contextlib.contextmanager
    def _replicated(self, model):
        import tensorflow as tf

        # Keras clips what each replica has of a gradient and sums afterwards, which is another step than one device
        # takes. `update_step` gets the sum, and is where to clip it.
        optimizer = model.optimizer
        clipnorm, update = optimizer.clipnorm, optimizer.update_step
        if optimizer.clipvalue or optimizer.global_clipnorm:
            raise ValueError(
                "On several devices of TensorFlow gradients are clipped by `clipnorm` alone. Received: "
                f"clipvalue={optimizer.clipvalue}, global_clipnorm={optimizer.global_clipnorm}"
            )
        if clipnorm is None:
            yield
            return
        optimizer.clipnorm = None
        object.__setattr__(  # past Keras, which would track it
            optimizer, "update_step", lambda gradient, *args: update(tf.clip_by_norm(gradient, clipnorm), *args)
        )
        try:
            yield
        finally:
            object.__delattr__(optimizer, "update_step")
            optimizer.clipnorm = clipnorm

    def unwrap(self, model):
        import tensorflow as tf

        tf.distribute.experimental_set_strategy(None)
        return _copy(model)


class _TorchProcesses(Devices):
    def __init__(self, num_devices):
        import torch

        accelerated = torch.cuda.is_available()
        if accelerated:
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        torch.distributed.init_process_group("nccl" if accelerated else "gloo")
        atexit.register(torch.distributed.destroy_process_group)
        super().__init__(num_devices, num_devices, torch.distributed.get_rank())
        self.callbacks = [_AverageLogs()]

    @contextlib.contextmanager
    def _replicated(self, model):
        import torch

        class Forward(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.model = model
                self.original = model.call

            def forward(self, *args, **kwargs):
                return self.original(*args, **kwargs)

        model.torch_params  # noqa: B018 - registers the parameters, which Keras does late
        replicas = torch.nn.parallel.DistributedDataParallel(Forward())
        # Set past Keras and torch, which would take the wrapper for a layer of the model that it wraps.
        object.__setattr__(model, "call", lambda *args, **kwargs: replicas(*args, **kwargs))
        try:
            yield
        finally:
            object.__delattr__(model, "call")


class _AverageLogs(keras.callbacks.Callback):
    """Replaces what a process logs of its rows by the mean over all, which have as many."""

    def on_epoch_end(self, epoch, logs=None):
        import torch

        names = sorted(logs)
        values = torch.tensor([float(logs[name]) for name in names], dtype=torch.float64)
        values = values.cuda() if torch.distributed.get_backend() == "nccl" else values
        torch.distributed.all_reduce(values)
        logs.update(zip(names, (values / torch.distributed.get_world_size()).tolist(), strict=True))


def _copy(model):
    copy = type(model).from_config(model.get_config())
    copy.compile_from_config(model.get_compile_config())
    return copy
