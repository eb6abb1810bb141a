from keras_usmae.export import count_macs, estimate_cycles, read_operators


def test_counts_the_multiply_accumulates_of_nano(exported):
    content = (exported[0] / "model_int8.tflite").read_bytes()
    tokens, patch, dim, inner, mlp, layers = 32, 32, 32, 64, 64, 3
    block = tokens * (dim * 3 * inner + inner * dim + 2 * dim * mlp) + 2 * tokens * tokens * inner
    loudness, embedding, head = tokens * patch, tokens * patch * dim, tokens * dim * 2
    expected = loudness + embedding + layers * block + head
    assert count_macs(read_operators(content)) == expected


def test_wider_activations_and_smaller_cores_take_more_cycles(exported):
    files = {name: (exported[0] / f"model_{name}.tflite").read_bytes() for name in ("int8", "int16x8")}
    cycles = {name: estimate_cycles(read_operators(content)) for name, content in files.items()}
    assert cycles["int8"]["Cortex-M4"] > cycles["int8"]["Cortex-M7"] > cycles["int8"]["Cortex-M55"] > 0
    assert cycles["int16x8"]["Cortex-M4"] > cycles["int8"]["Cortex-M4"]
