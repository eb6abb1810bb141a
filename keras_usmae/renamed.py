"""Settings that had another name in an earlier version, for files that it wrote."""

_RENAMED = {
    "accumulate": "gradient_accumulation_steps",
    "decoded_share": "prediction_ratio",
    "recompute": "remat",
}


def current_names(config: dict) -> dict:
    """A dict with settings by their names of today; a part before a dot, such as `decoder.`, stays."""

    def current(name):
        part, dot, last = name.rpartition(".")
        return f"{part}{dot}{_RENAMED.get(last, last)}"

    return {current(name): value for name, value in config.items()}
