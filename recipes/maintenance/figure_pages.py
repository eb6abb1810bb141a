"""The pages whose tables of figures are watched, and the tables on them that no CSV is behind."""

PRESETS = "keras_usmae/presets"
PAGES = ("README.md", "docs/results.md", "docs/weights.md", "docs/microcontroller.md", "docs/speed.md")
PAGES += tuple(f"{PRESETS}/{name}_picker.md" for name in ("nano", "nano_mcu", "tiny", "tiny_patch64"))
PAGES += tuple(f"{PRESETS}/{name}_synthetic.md" for name in ("nano", "nano_patch16", "tiny", "tiny_patch64", "small"))
# Tables that no CSV is behind: how their header begins, by page, and why.
RULE, FACTS = (
    "what the rule of the shipped weights finds is in no file",
    "what the weights are, of the run that made them",
)
WITHOUT_CSV = {
    "README.md": {"| command |": "no figures"},
    "docs/results.md": {"| labels | start |": "320 labels of `tiny` are in no CSV; its other rows are in CLAIMS"},
    "docs/microcontroller.md": {
        "| file | Cortex": "costs estimated from counted instructions",
        "| operator": "costs estimated from counted instructions",
    },
    f"{PRESETS}/nano_synthetic.md": {"| | |": FACTS, "| labels | method": "4 seeds of an earlier run: see labels.csv"},
    f"{PRESETS}/nano_patch16_synthetic.md": {"| | |": FACTS},
    f"{PRESETS}/tiny_synthetic.md": {"| | |": FACTS, "| labels | method": "320 labels of `tiny` are in no CSV"},
    f"{PRESETS}/tiny_patch64_synthetic.md": {"| | |": FACTS},
    f"{PRESETS}/small_synthetic.md": {
        "| | |": FACTS,
        "| labels | method": "a probe of 3 seeds, and a part of sizes.csv",
    },
} | {
    f"{PRESETS}/{name}_picker.md": {"| | |": FACTS, "| | the picker's rule": RULE}
    for name in ("nano", "nano_mcu", "tiny", "tiny_patch64")
}
