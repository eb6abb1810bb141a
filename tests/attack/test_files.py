"""Files of run folders that somebody edited, swapped or cut: an error of one line, soon, or nothing wrong."""

import json
import random
import shutil
import sys
import time
from typing import Annotated

import keras
import numpy as np
import pytest
import typer

from keras_usmae import options
from keras_usmae.files import write_csv, write_json
from keras_usmae.models import MAEEncoder, ToFClassifier, load_preset, load_trained
from keras_usmae.training import LAST_FILE, RunCheckpoint, check_run_folder, compile_for_tof, read_history
from tests.attack.conftest import FILES, SEED

SIZES = {"hidden_dim": 8, "num_heads": 1, "head_dim": 8, "num_layers": 1, "mlp_dim": 8}
VALUES = [None, -1, 0, 2**70, 1e300, float("nan"), "", "a\nb", "../../etc", [], {}, True, [[1]], "9" * 5000]
LIMIT = 20.0  # s, for one file on a busy machine


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    encoder = MAEEncoder(signal_length=128, patch_size=32, **SIZES)
    classifier = ToFClassifier(encoder)
    compile_for_tof(classifier, 1e-3, 10, 2)
    classifier.optimizer.build(classifier.trainable_variables)
    checkpoint = RunCheckpoint(folder)
    checkpoint.set_model(classifier)
    checkpoint.on_epoch_end(0, {"val_loss": 1.0})
    encoder.save(folder / "encoder.keras")
    classifier.save(folder / "classifier.keras")
    write_json(folder / "config.json", {"preset": "nano", "seed": 0, "epochs": 3})
    write_json(folder / "preset.json", {"encoder": {"signal_length": 128, "patch_size": 32, **SIZES}, "decoder": SIZES})
    write_json(folder / "best.json", {"mine": {"epochs": 3, "learning_rate": 1e-3}})
    write_csv(folder / "metrics.csv", [{"epoch": epoch, "loss": 0.5, "val_loss": 0.6} for epoch in range(3)])
    return folder


def change_bytes(draw, content):
    """Cuts, repeats, or overwrites a part."""
    content, start = bytearray(content), draw.randrange(len(content))
    kind = draw.randrange(4)
    if kind == 0:
        return bytes(content[:start])
    if kind == 1:
        return bytes(content[:start] + content)
    width = draw.randint(1, 40)
    content[start : start + width] = draw.randbytes(width) if kind == 2 else bytes(width)
    return bytes(content)


def change_json(draw, content):
    """Another value at a place in the tree, or a key taken out or put in."""
    tree = json.loads(content)
    node = tree
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            break
        key = draw.choice(keys)
        if isinstance(node[key], dict | list) and node[key] and draw.random() < 0.8:
            node = node[key]
            continue
        kind = draw.randrange(3) if isinstance(node, dict) else 0
        if kind == 0:
            node[key] = draw.choice(VALUES)
        elif kind == 1:
            del node[key]
        else:
            node[f"{key}_"] = node.pop(key)
        break
    return json.dumps(tree).encode()


def change_csv(draw, content):
    lines = content.decode().splitlines()
    row = draw.randrange(len(lines))
    cells = lines[row].split(",")
    cells[draw.randrange(len(cells))] = draw.choice(["", "abc", "nan", "inf", "-1", "1e400", '"', "0x1", "1,2", "\x00"])
    lines[row] = ",".join(cells)
    return "\n".join(lines).encode()


def change_keras(draw, path):
    """Another configuration in a saved model."""
    import io
    import zipfile

    target = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change_json(draw, content) if name == "config.json" else content)
    return target.getvalue()


def restore(folder):
    model = ToFClassifier(MAEEncoder(signal_length=128, patch_size=32, **SIZES))
    compile_for_tof(model, 1e-3, 10, 2)
    RunCheckpoint(folder).restore(model, epochs=3)
    assert all(np.isfinite(keras.ops.convert_to_numpy(weight)).all() for weight in model.weights)


def load(name, cls):
    def check(folder):
        model = load_trained(folder / name, cls)
        length = getattr(model, "encoder", model).signal_length
        if length <= 4096:
            model.predict(np.zeros((1, length), "float32"), verbose=0)

    return check


def build_preset(folder):
    MAEEncoder(**load_preset(str(folder / "preset.json"))["encoder"])


READERS = {
    "config.json": lambda folder: check_run_folder(folder, {"preset": "nano", "seed": 0, "epochs": 3}, resume=True),
    "metrics.csv": lambda folder: read_history(folder / "metrics.csv"),
    "preset.json": build_preset,
    LAST_FILE: restore,
    "encoder.keras": load("encoder.keras", MAEEncoder),
    "classifier.keras": load("classifier.keras", ToFClassifier),
}


def changed(draw, path):
    content = path.read_bytes()
    if draw.random() < 0.3:
        return change_bytes(draw, content)
    if path.suffix == ".json":
        return change_json(draw, content)
    if path.suffix == ".csv":
        return change_csv(draw, content)
    if path.suffix == ".keras":
        return change_keras(draw, path)
    return change_bytes(draw, content)


@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", READERS)
def test_an_edited_file_is_read_right_or_told_in_one_line(name, run_folder, tmp_path, counts):
    draw = random.Random(f"{SEED} {name}")
    wrong = []
    for number in range(max(1, FILES // len(READERS))):
        folder = tmp_path / str(number)
        shutil.copytree(run_folder, folder, ignore=shutil.ignore_patterns(".lock"))
        (folder / name).write_bytes(changed(draw, folder / name))
        started = time.monotonic()
        try:
            READERS[name](folder)
            counts[f"{name}: read"] += 1
        except (ValueError, OSError) as error:
            counts[f"{name}: told"] += 1
            if "\n" in str(error) or not str(error):
                wrong.append((number, f"not one line: {error}"))
        except Exception as error:
            wrong.append((number, repr(error)))
        if time.monotonic() - started > LIMIT:
            wrong.append((number, f"took {time.monotonic() - started:.0f} s"))
        shutil.rmtree(folder)
    assert not wrong


@pytest.mark.timeout(0)
def test_an_edited_file_of_options_is_taken_or_told_in_one_line(
    run_folder, repository, tmp_path, monkeypatch, capsys, counts
):
    def mine(
        epochs: Annotated[int, typer.Option(min=1)] = 1,
        learning_rate: options.LearningRate = 0.1,
        config_file: options.Config = None,
    ):
        assert epochs >= 1

    draw = random.Random(f"{SEED} best.json")
    for _ in range(max(1, FILES // len(READERS))):
        (tmp_path / "best.json").write_bytes(changed(draw, run_folder / "best.json"))
        monkeypatch.setattr(sys, "argv", ["mine.py", "--config", str(tmp_path / "best.json")])
        with pytest.raises(SystemExit) as end:
            options.run(mine)
        printed = "".join(capsys.readouterr())
        counts[f"best.json: {'read' if end.value.code == 0 else 'told'}"] += 1
        assert (end.value.code, printed.count("\n")) in ((0, 0), (1, 1)), printed


@pytest.mark.parametrize(("name", "other"), [("encoder.keras", "classifier.keras"), ("classifier.keras", LAST_FILE)])
def test_swapped_files_are_told(name, other, run_folder, tmp_path, counts):
    shutil.copy(run_folder / other, tmp_path / name)
    with pytest.raises(ValueError, match=name):
        READERS[name](tmp_path)
    counts["swapped files: told"] += 1
