"""Base of the models: what cannot be trained on is told before a weight has moved, the same on every backend."""

import contextlib
import inspect

import keras
import numpy as np

from keras_usmae.layers import check_batch
from keras_usmae.models.checked_data import Watch
from keras_usmae.signals import check_signals


class CheckedModel(keras.Model):
    """A `keras.Model` on signals whose `fit`, `evaluate`, `predict` and methods on one batch look at their data first.

    A step that is compiled cannot raise an error about the numbers that it is given, and one NaN among the labels makes
    every weight NaN. Batches are looked at on the host instead, in any form that Keras takes: arrays,
    `keras.utils.PyDataset`, `tf.data.Dataset`, torch `DataLoader`, generators. Subclasses have `signal_length`, or an
    `encoder` that has it, and override `check_labels`.

    Raises:
        ValueError: if a batch is empty, has another shape, holds NaN, infinity or samples beyond float32, or labels
            that `check_labels` does not take.
    """

    def check_inputs(self, inputs):
        """Checks a batch of signals, an array or a dict with `"signals"`."""
        signals = inputs["signals"] if isinstance(inputs, dict) else inputs
        signals = _array(signals)
        check_batch(signals.shape, getattr(self, "encoder", self).signal_length)
        check_signals(signals)

    def check_labels(self, labels):
        """Checks the labels of a batch, an array; takes all."""

    def fit(self, *args, **kwargs):
        """Trains as `keras.Model.fit` does, and raises a ValueError that names an impossible signal or label."""
        given = _arguments(super().fit, args, kwargs)
        with self._watched() as watch:
            given["x"] = watch.over(given.get("x"), given.get("y"))
            validation = given.get("validation_data")
            if isinstance(validation, tuple | list):
                watch.over(*validation[:2])
            elif validation is not None:
                given["validation_data"] = watch.over(validation)
            return super().fit(**given)

    def evaluate(self, *args, **kwargs):
        """Evaluates as `keras.Model.evaluate` does; raises as `fit`."""
        given = _arguments(super().evaluate, args, kwargs)
        if given.get("_use_cached_eval_dataset"):  # called by `fit`, which has seen to it
            return super().evaluate(**given)
        with self._watched() as watch:
            given["x"] = watch.over(given.get("x"), given.get("y"))
            return super().evaluate(**given)

    def predict(self, *args, **kwargs):
        """Predicts as `keras.Model.predict` does; raises as `fit`."""
        given = _arguments(super().predict, args, kwargs)
        with self._watched(labels=False) as watch:
            given["x"] = watch.over(given["x"])
            return super().predict(**given)

    def train_on_batch(self, x, y=None, *args, **kwargs):
        """Trains on one batch of arrays; raises as `fit`."""
        with self._watched() as watch:
            watch(x, y)
            return super().train_on_batch(x, y, *args, **kwargs)

    def test_on_batch(self, x, y=None, *args, **kwargs):
        """Evaluates one batch of arrays; raises as `fit`."""
        with self._watched() as watch:
            watch(x, y)
            return super().test_on_batch(x, y, *args, **kwargs)

    def predict_on_batch(self, x):
        """Predicts one batch of arrays; raises as `fit`."""
        with self._watched() as watch:
            watch(x)
            return super().predict_on_batch(x)

    def compile_from_config(self, config):
        """Compiles as a saved model was compiled; Keras leaves that to whoever has a `compile` of their own."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    @contextlib.contextmanager
    def _watched(self, labels=True):
        def look(inputs, targets):
            if inputs is not None:
                self.check_inputs(inputs)
            if labels and targets is not None:
                self.check_labels(_array(targets))

        watch = Watch(look)
        variables = _variables(self)
        values = [variable.value for variable in variables]
        try:
            yield watch
        except BaseException:
            # Keras takes the values out of the variables while it trains on JAX, and does not put them back after an
            # error in the first step.
            for variable, value in zip(variables, values, strict=True):
                if variable._value is None:
                    variable.assign(value)
            if watch.error is not None:
                raise watch.error from None
            raise


def _variables(model):
    if keras.backend.backend() != "jax":
        return []
    optimizer = getattr(model, "optimizer", None)
    return [*model.variables, *model.metrics_variables, *(optimizer.variables if optimizer else [])]


def _arguments(function, args, kwargs):
    """Arguments by their names."""
    given = inspect.signature(function).bind(*args, **kwargs).arguments
    return given | given.pop("kwargs", {})


def _array(values):
    array = np.asarray(values) if isinstance(values, np.ndarray | list | tuple) else keras.ops.convert_to_numpy(values)
    return array.astype("float32") if array.dtype.kind == "V" else array  # bfloat16, which NumPy does not know
