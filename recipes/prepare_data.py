r"""Makes a dataset ready: downloads or reads the originals, verifies them, and writes the examples.

    python recipes/prepare_data.py
    python recipes/prepare_data.py --dataset ultrasound_synthetic/paper

A large synthetic set may be made by the workers of any Apache Beam runner, shard by shard. Its files are the same byte
by byte; Beam wants an environment of its own (`make beam`), from which these four processes are started:

    KERAS_BACKEND=jax .venv-beam/bin/python recipes/prepare_data.py --dataset ultrasound_synthetic/diverse \
        --beam-pipeline-options runner=DirectRunner,direct_num_workers=4,direct_running_mode=multi_processing

The measured originals are taken from --data-dir (or DATA_DIR) where that is given, and downloaded from the repository
of their author otherwise; both are checked against their SHA-256. Prints the splits and their sizes.

Recordings of your own, as a sidecar and a `prepare.toml` beside them say (datasets/ultrasound_measured/README.md), with
a report of what was read:

    python recipes/prepare_data.py --dataset ultrasound_measured/custom --data-dir FOLDER
"""

from typing import Annotated

import typer

from keras_usmae import options


def main(
    dataset: options.Dataset = "ultrasound_measured/paper",
    tfds_dir: options.TfdsDir = None,
    raw_dir: options.RawDir = None,
    beam_pipeline_options: Annotated[
        str | None,
        typer.Option(help="Make a synthetic dataset by Apache Beam with these pipeline options, as NAME=VALUE,..."),
    ] = None,
) -> None:
    """Prepares a dataset."""
    from keras_usmae.data import load_builder, prepare

    # The notation of `tfds build`.
    beam_options = beam_pipeline_options and [f"--{option}" for option in beam_pipeline_options.split(",")]
    builder = load_builder(dataset, data_dir=tfds_dir, raw_dir=options.originals(dataset, raw_dir))
    prepare(builder, beam_options)
    for line in builder.info.metadata.get("report", ()):
        print(line)
    if left_out := builder.info.metadata.get("left_out"):
        print(f"{len(left_out):,} traces give no window, such as {left_out[0][0]}: {left_out[0][1]}.")
    sizes = ", ".join(f"{name} {split.num_examples:,}" for name, split in builder.info.splits.items())
    print(f"{builder.info.full_name}: {sizes} signals at {options.sampling_rate(builder):g} Hz in {builder.data_dir}")


if __name__ == "__main__":
    options.run(main)
