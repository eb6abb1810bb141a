"""Looking at every batch that `fit` is given, in any of the forms in which Keras takes data."""

import copy
import types

import keras


class Watch:
    """Has a function look at each batch on its way into a model, and keeps what it found wrong.

    A backend that runs the function in its own pipeline raises an error of its own kind there; `error` is ours.

    Args:
        look: function of inputs and labels (either may be `None`) that raises a ValueError.
    """

    def __init__(self, look):
        self._look = look
        self.error = None

    def __call__(self, *batch):
        """Looks at a batch: inputs, labels, sample weights, of which the first only is needed."""
        inputs, labels, _ = keras.utils.unpack_x_y_sample_weight(tuple(batch))
        try:
            self._look(inputs, labels)
        except ValueError as error:
            self.error = error
            raise

    def over(self, data, labels=None):
        """Data for Keras in the place of `data`, with each batch looked at.

        Args:
            data: arrays, which are looked at now; or a `keras.utils.PyDataset`, `tf.data.Dataset`, torch `DataLoader`
                or generator, whose batches are looked at when they are drawn.
            labels: the labels of arrays. Defaults to `None`.
        """
        if isinstance(data, keras.utils.PyDataset):
            return _WatchedDataset(data, self)
        if hasattr(data, "element_spec") and hasattr(data, "map"):
            return _watched_tf_dataset(data, self)
        if type(data).__module__.startswith("torch.utils.data"):
            return _watched_loader(data, self)
        if isinstance(data, types.GeneratorType):
            return _watched_generator(data, self)
        self(data, labels)
        return data


def _as_tuple(batch):
    return tuple(batch) if isinstance(batch, tuple | list) else (batch,)


class _WatchedDataset(keras.utils.PyDataset):
    """A dataset that gives what another one gives."""

    def __init__(self, dataset, watch):
        super().__init__(
            workers=dataset.workers,
            use_multiprocessing=dataset.use_multiprocessing,
            max_queue_size=dataset.max_queue_size,
        )
        self.dataset, self.watch = dataset, watch

    @property
    def num_batches(self):
        return self.dataset.num_batches

    def __getitem__(self, index):
        batch = self.dataset[index]
        self.watch(*_as_tuple(batch))
        return batch

    def on_epoch_begin(self):
        self.dataset.on_epoch_begin()

    def on_epoch_end(self):
        self.dataset.on_epoch_end()


def _watched_tf_dataset(dataset, watch):
    import tensorflow as tf

    def pass_on(*batch):
        def look(*flat):
            watch(*tf.nest.pack_sequence_as(batch, flat))

        with tf.control_dependencies([tf.numpy_function(look, tf.nest.flatten(batch), [])]):
            batch = tf.nest.map_structure(tf.identity, batch)
        return batch if len(batch) > 1 else batch[0]

    return dataset.map(pass_on)


def _watched_loader(loader, watch):
    collate, loader = loader.collate_fn, copy.copy(loader)

    def collate_and_look(examples):
        batch = collate(examples)
        watch(*_as_tuple(batch))
        return batch

    loader.collate_fn = collate_and_look
    return loader


def _watched_generator(batches, watch):
    for batch in batches:
        watch(*_as_tuple(batch))
        yield batch
