"""Training on several devices: each takes its rows of every batch, and the gradients are averaged over all of them.

One interface over the engines that exist: `keras.distribution.DataParallel` on JAX, distributed data parallel on torch,
and `tf.distribute.MirroredStrategy` on TensorFlow. A step on a batch gives the numbers that one device would give.
"""

import atexit
import contextlib
import json
import os

import keras

_PROCESSES = {"jax": "KERAS_DISTRIBUTION_NUM_PROCESSES", "torch": "WORLD_SIZE"}


def use_devices(num_devices=1):
    """Has everything that is made from now on trained on several devices. Call it before the first model is made.

    On JAX and TensorFlow one process drives all devices of a machine (without an accelerator its CPU is divided into as
    many, to try things out). On torch each device has its process, started by `torchrun`. JAX takes several machines
    with `KERAS_DISTRIBUTION_JOB_ADDRESSES`, `..._NUM_PROCESSES` and `..._PROCESS_ID` in each one's environment.

    Args:
        num_devices: int, devices on all machines together. Defaults to `1`.

    Returns:
        `Devices`.

    Raises:
        ValueError: if there are other devices or processes than that, or TensorFlow is asked for several machines.

    Example:

    ```python
    devices = use_devices(4)
    mae = MaskedAutoencoder.from_preset("small")
    mae.compile("adamw", jit_compile=jit_compile())
    batches = devices.share(EpochBatches(load_epoch, batch_size=256))
    with devices.training(mae):
        mae.fit(batches, epochs=3, callbacks=[batches.callback, *devices.callbacks], shuffle=False)
    mae = devices.local(mae)
    ```
    """
    backend = keras.backend.backend()
    launched = _num_machines_of_tensorflow() if backend == "tensorflow" else int(os.environ.get(_PROCESSES[backend], 1))
    if backend == "tensorflow" and launched > 1:
        raise ValueError(
            f"TF_CONFIG names {launched} machines, but tf.distribute.MultiWorkerMirroredStrategy breaks inside `fit` "
            "of Keras 3.15. Two ways work on several machines: KERAS_BACKEND=jax with "
            "KERAS_DISTRIBUTION_JOB_ADDRESSES, KERAS_DISTRIBUTION_NUM_PROCESSES and KERAS_DISTRIBUTION_PROCESS_ID, and "
            "KERAS_BACKEND=torch under torchrun. The weights load on every backend."
        )
    if num_devices % launched:
        raise ValueError(
            f"This process is one of {launched}, among which {num_devices} devices cannot be shared evenly. Give "
            f"--devices as a multiple of {launched}, or start one process alone."
        )
    if num_devices == 1:
        return Devices()
    return {"jax": _JaxDevices, "torch": _TorchProcesses, "tensorflow": _TensorFlowDevices}[backend](
        num_devices, launched
    )


class Devices:
    """What a training needs to know of its devices; as it stands, one device of one process.

    Attributes:
        num_devices: int, devices of all processes.
        num_processes: int.
        process_index: int, from 0.
        chief: bool, whether this is the one process that writes files and prints.
        callbacks: list of callbacks for `fit`, to stand ahead of those that read the logs.
    """

    def __init__(self, num_devices=1, num_processes=1, process_index=0):
        self.num_devices = num_devices
        self.num_processes = num_processes
        self.process_index = process_index
        self.chief = process_index == 0
        self.callbacks = []

    def share(self, batches):
        """Leaves of each batch the rows of this process; see `EpochBatches.split`, and returns the batches."""
        batches.split(self.num_devices, self.num_processes, self.process_index)
        return batches

    @contextlib.contextmanager
    def training(self, model):
        """Context in which `fit` of a compiled model runs on all devices.

        Raises:
            ConnectionError: if another process ended meanwhile.
        """
        try:
            with self._replicated(model):
                yield
        except RuntimeError as error:
            if self.num_processes == 1:
                raise
            raise ConnectionError(
                f"Process {self.process_index} of {self.num_processes} stopped, most likely because another one ended "
                f"({str(error).splitlines()[0]}). Start all of them again with --resume: the run goes on from the last "
                "epoch that is whole."
            ) from error

    @contextlib.contextmanager
    def _replicated(self, model):
        yield

    def local(self, model):
        """A model of the same configuration, for use after training in this process alone; load its weights."""
        return model


class _JaxDevices(Devices):
    def __init__(self, num_devices, num_processes):
        import jax

        if os.environ.get("JAX_PLATFORMS", "") in ("", "cpu"):
            jax.config.update("jax_num_cpu_devices", num_devices // num_processes)  # takes effect on a CPU only
        if num_processes > 1:
            keras.distribution.initialize()
        found = keras.distribution.list_devices()
        if len(found) < num_devices or (num_processes > 1 and len(found) != num_devices):
            raise ValueError(f"--devices {num_devices}, but JAX finds {len(found)}: {', '.join(found)}.")
        # Each process cuts its own rows out of a batch.
        distribution = keras.distribution.DataParallel(devices=found[:num_devices], auto_shard_dataset=False)
        keras.distribution.set_distribution(distribution)
        super().__init__(num_devices, num_processes, jax.process_index())

    def local(self, model):
        keras.distribution.set_distribution(None)
        return _copy(model)


class _TensorFlowDevices(Devices):
    def __init__(self, num_devices, num_processes):
        import tensorflow as tf

        accelerators = tf.config.list_physical_devices("GPU")
        if accelerators:
            if len(accelerators) < num_devices:
                raise ValueError(f"--devices {num_devices}, but TensorFlow finds {len(accelerators)}: {accelerators}.")
            names = [f"/gpu:{i}" for i in range(num_devices)]
        else:
            parts = [tf.config.LogicalDeviceConfiguration()] * num_devices
            tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], parts)
            names = [f"/cpu:{i}" for i in range(num_devices)]
        # For the whole process, as the distribution of Keras is on JAX.
        tf.distribute.experimental_set_strategy(tf.distribute.MirroredStrategy(names))
        super().__init__(num_devices)

    @contextlib.contextmanager
    def _replicated(self, model):
        # Keras clips the gradients of each replica and sums them afterwards, which is another step than one device
        # takes: here they are summed first.
        optimizer = model.optimizer
        clip, reduce = optimizer._clip_gradients, optimizer._all_reduce_sum_gradients

        def sum_and_clip(gradients):
            summed = iter(reduce([(gradient, None) for gradient in gradients if gradient is not None]))
            return clip([None if gradient is None else next(summed)[0] for gradient in gradients])

        optimizer._clip_gradients, optimizer._all_reduce_sum_gradients = sum_and_clip, lambda pairs: pairs
        try:
            yield
        finally:
            optimizer._clip_gradients, optimizer._all_reduce_sum_gradients = clip, reduce

    def local(self, model):
        import tensorflow as tf

        tf.distribute.experimental_set_strategy(None)
        return _copy(model)


class _TorchProcesses(Devices):
    def __init__(self, num_devices, num_processes):
        import torch

        if num_processes != num_devices:
            raise ValueError(
                f"--devices {num_devices}, but this is one of {num_processes} processes. With torch each device has "
                f"its own: start `torchrun --nproc-per-node {num_devices} recipes/...` on one machine, or with "
                "--nnodes and --rdzv-endpoint on several."
            )
        accelerated = torch.cuda.is_available()
        if accelerated:
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        torch.distributed.init_process_group("nccl" if accelerated else "gloo")
        atexit.register(torch.distributed.destroy_process_group)
        super().__init__(num_devices, num_processes, torch.distributed.get_rank())
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


def _num_machines_of_tensorflow():
    return len(json.loads(os.environ.get("TF_CONFIG") or "{}").get("cluster", {}).get("worker", [None]))
