"""Fine-tunes a pre-trained encoder to classify time of flight, or trains the same model from scratch.

    python recipes/finetune.py --preset tiny --dataset ultrasound_measured/paper --labels 320
    python recipes/finetune.py --pretrained runs/pretrain_small_paper --dataset ultrasound_measured/paper
    python recipes/finetune.py --preset tiny --pretrained none --dataset ultrasound_measured/paper
    python recipes/finetune.py --preset tiny --architecture cnn --dataset ultrasound_measured/paper

The first starts from the weights that come with the package, the third from scratch. Each epoch shows other versions of
the labelled signals, at least 50 batches of them, which helps where labels are few; `--no-augment` shows them as they
are, once.

The epoch with the smallest mean error of the onset on the validation split counts; the test split is scored once, at
the end. Writes a run folder: config.json, metrics.csv, metrics.json (test scores in samples, ns and mm), tensorboard/,
best and last weights, `classifier.keras` with `calibration.npz` and `test.npz` for `export.py`, and PNG plots.
`KERAS_BACKEND` chooses the backend.
"""

from pathlib import Path

from keras_usmae import options
from keras_usmae.configs import FinetuneConfig


@options.takes(FinetuneConfig)
def main(
    config: FinetuneConfig,
    devices: options.Devices = 1,
    output: options.Output = None,
    resume: options.Resume = False,
    tfds_dir: options.TfdsDir = None,
    raw_dir: options.RawDir = None,
    config_file: options.Config = None,
) -> Path:
    """Trains a ToF classifier and returns its run folder."""
    from keras_usmae.training import finetune
    from keras_usmae.training.pictures import draw_finetuning

    run = finetune(config, output, resume, devices, tfds_dir, raw_dir, options.progress())
    if run.classifier is None:  # another process writes
        return run.folder
    plots = draw_finetuning(run)
    start, scores = run.config.pretrained, run.metrics["test"]
    print(
        f"{run.folder.name}: from {'scratch' if start == 'none' else start}, {run.metrics['labels']} labels of "
        f"{config.dataset}; on {run.metrics['test_signals']} test signals top-1 {scores['accuracy']:.1%}, within one "
        f"bin {scores['within_one_bin']:.1%}, median error {scores['median_error_ns']:.0f} ns = "
        f"{scores['median_error_mm']:.3f} mm at {config.speed_of_sound:g} m/s, RMSE {scores['rmse_ns']:.0f} ns. Run "
        f"folder {run.folder}"
    )
    for plot in plots:
        print(f"  {plot}")
    return run.folder


if __name__ == "__main__":
    options.run(main)
