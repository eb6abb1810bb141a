"""Makes a dataset ready: downloads or reads the originals, verifies them, and writes the examples.

    python recipes/prepare_data.py
    python recipes/prepare_data.py --dataset ultrasound_synthetic/paper

The measured originals are taken from --data-dir (or DATA_DIR) where that is given, and downloaded from the repository
of their author otherwise; both are checked against their SHA-256. Prints the splits and their sizes.
"""

import options

from keras_usmae.training.builders import load_builder, prepare


def main(
    dataset: options.Dataset = "ultrasound_measured/paper",
    tfds_dir: options.TfdsDir = None,
    raw_dir: options.RawDir = None,
) -> None:
    """Prepares a dataset."""
    builder = prepare(load_builder(dataset, data_dir=tfds_dir, raw_dir=options.originals(dataset, raw_dir)))
    sizes = ", ".join(f"{name} {split.num_examples:,}" for name, split in builder.info.splits.items())
    print(f"{builder.info.full_name}: {sizes} signals at {options.sampling_rate(builder):g} Hz in {builder.data_dir}")


if __name__ == "__main__":
    options.run(main)
