"""The experiment `physics` on a run folder, from trials to pictures."""

import csv

import pytest

from keras_usmae.files import write_json
from keras_usmae.models import MAEEncoder, MaskedAutoencoder
from keras_usmae.models.decoder import MAEDecoder
from keras_usmae.training import save_model
from recipes.experiments.physics import question
from recipes.experiments.physics.counterfactual import BURST_KINDS


@pytest.fixture
def run_folder(tmp_path):
    """What `pretrain.py` leaves, of a very small model without training."""
    encoder = MAEEncoder(1024, 64, hidden_dim=8, num_heads=2, head_dim=4, num_layers=2, mlp_dim=8)
    decoder = MAEDecoder(16, 64, 8, hidden_dim=8, num_heads=2, head_dim=4, num_layers=1, mlp_dim=8)
    folder = tmp_path / "run"
    folder.mkdir()
    save_model(folder / "mae.keras", MaskedAutoencoder(encoder, decoder, seed=0))
    save_model(folder / "encoder.keras", encoder)
    write_json(folder / "metrics.json", {})
    return folder


@pytest.mark.long
def test_physics_takes_a_finished_run_and_leaves_tables_and_pictures(recipe_here, run_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(question, "NUM_SIGNALS", 16)
    output = tmp_path / "ablate"
    arguments = ["physics", "--run", run_folder, "--seeds", 2, "--output", output]
    code, printed = recipe_here("experiments.run", *arguments)
    assert code == 0, printed
    assert "12 of 12 trials are done" in printed
    pictures = {path.name for path in output.glob("*.png")}
    assert pictures == {
        f"physics_{name}.png" for name in ("errors", "reconstructions", "attention", "attention_distance")
    }
    with (output / "physics.csv").open(newline="") as file:
        rows = {(row["method"], row["seed"]): row for row in csv.DictReader(file)}
    # An untrained autoencoder is as good as the same one with other random weights, and knows no physics.
    for kind in BURST_KINDS:
        share = [
            float(rows[name, "0"][f"random/{kind}/all"]) / float(rows["nothing", "0"][f"random/{kind}/all"])
            for name in ("pre-trained", "random weights")
        ]
        assert min(share) > 0.95
        assert share[0] == pytest.approx(share[1], rel=0.7)
    report = (output / "physics.md").read_text()
    assert report.startswith("# Physics or interpolation: run\n")
    for kind in BURST_KINDS[1:]:
        assert report.count(f"| random | pre-trained | {kind} | burst |") == 1
    assert "| uniform | 340 |" in report  # 64 * (16 ** 2 - 1) / (3 * 16)

    # Nothing is run twice.
    code, printed = recipe_here("experiments.run", *arguments)
    assert code == 0
    assert "[1/12]" not in printed


def test_an_unfinished_run_is_refused(recipe_here, run_folder, tmp_path):
    (run_folder / "metrics.json").unlink()
    code, printed = recipe_here("experiments.run", "physics", "--run", run_folder, "--output", tmp_path / "ablate")
    assert (code, "is no finished run folder" in printed) == (1, True)
    assert not (tmp_path / "ablate").exists()
