"""Search spaces: TOML files that list what may be chosen, checked and declared to KerasTuner."""

import dataclasses
from collections.abc import Container
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_usmae.fields import did_you_mean, is_number
from keras_usmae.renamed import current_names
from keras_usmae.tuning.settings import CHECKS, DEFAULTS, NEEDS
from keras_usmae.user_files import read_toml

if TYPE_CHECKING:
    import keras_tuner

_KEYS = {"choice", "low", "high", "log", "when"}


@dataclasses.dataclass(frozen=True)
class Dimension:
    """A setting that is searched: a choice, or a range from `low` to `high`, where `when` holds."""

    name: str
    choice: tuple = ()
    low: Any = None
    high: Any = None
    log: bool = False
    when: tuple = ()  # of pairs (other setting, tuple of its values)
    default: object = None

    def declare(self, hp: "keras_tuner.HyperParameters") -> None:
        """Declares the setting to `hp`, a `keras_tuner.HyperParameters`."""
        if len(self.choice) == 1:
            hp.Fixed(self.name, self.choice[0])
        elif self.choice and isinstance(self.choice[0], bool):
            hp.Boolean(self.name, default=self.default)
        elif self.choice:
            hp.Choice(self.name, list(self.choice), default=self.default)
        else:
            kind = hp.Int if isinstance(self.low, int) else hp.Float
            kind(self.name, self.low, self.high, sampling="log" if self.log else "linear", default=self.default)

    def canonical(self, value: Any) -> Any:
        """The value as declared: between machines, KerasTuner sends numbers in single precision."""
        if not isinstance(value, float):
            return value
        if self.choice:
            return min(self.choice, key=lambda choice: abs(choice - value))
        return min(max(float(f"{value:.6g}"), self.low), self.high)


class SearchSpace:
    """What a search may choose.

    Args:
        task: str, `"finetune"` or `"pretrain"`.
        tables: dict from the name of a setting to a dict of `choice`, or `low` and `high` with `log`; and `when`. The
            settings are those of `DEFAULTS[task]`; a setting that `when` names comes first.
        source: str, where they were read, for messages. Defaults to `"the search space"`.

    Raises:
        ValueError: if a setting is unknown, a value is none that it can have, or a condition never holds.
    """

    def __init__(self, task: str, tables: dict, source: str = "the search space") -> None:
        self.task = task
        self.source = source
        self.dimensions = {}
        for name, table in tables.items():
            try:
                self.dimensions[name] = self._read(name, table)
            except ValueError as error:
                raise ValueError(f"{source}, setting {name!r}: {error}") from error

    @classmethod
    def load(cls, task: str, path: str | Path | None = None) -> "SearchSpace":
        """Reads a space from a file.

        Args:
            task: str, `"finetune"` or `"pretrain"`.
            path: path of a TOML file, or the name of one in `keras_usmae/tuning/spaces`, such as `"chip"`. Defaults to
                `None`, the one named after the task.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it is not TOML, or not a space of that task.
        """
        if task not in DEFAULTS:
            raise ValueError(f"`task` must be one of {sorted(DEFAULTS)}. Received: {task!r}")
        folder = resources.files("keras_usmae.tuning") / "spaces"
        name = str(path or task)
        if not name.endswith(".toml"):
            shipped = sorted(file.name.removesuffix(".toml") for file in folder.iterdir())
            if name not in shipped:
                raise ValueError(f"There is no search space {name!r}. Give a .toml file, or one of {shipped}.")
            path, name = str(folder / f"{name}.toml"), f"{name}.toml"
        return cls(task, current_names(read_toml(Path(path or name), "search space")), source=name)

    def without(self, names: Container[str]) -> "SearchSpace":
        """The space without some settings, such as the architecture's where that is given."""
        space = SearchSpace(self.task, {}, self.source)
        space.dimensions = {name: dimension for name, dimension in self.dimensions.items() if name not in names}
        if not space.dimensions:
            raise ValueError(f"{self.source} leaves nothing to search: it only has {sorted(self.dimensions)}.")
        return space

    def declare(self, hp: "keras_tuner.HyperParameters") -> None:
        """Declares every setting, in its condition, to a `keras_tuner.HyperParameters`."""
        for dimension in self.dimensions.values():
            self._declare_within(hp, dimension, dimension.when)

    def settings(self, hp: "keras_tuner.HyperParameters") -> dict:
        """All settings of the task: those that `hp` has a value for, and the defaults of the others.

        Args:
            hp: `keras_tuner.HyperParameters`, or the dict of its values.
        """
        values = hp if isinstance(hp, dict) else hp.values
        chosen = {
            name: dimension.canonical(values[name])
            for name, dimension in self.dimensions.items()
            if values.get(name) is not None
        }
        return {**DEFAULTS[self.task], **chosen}

    def chosen(self, hp: "keras_tuner.HyperParameters"):
        """Those of the settings that were searched and are in force."""
        values = hp if isinstance(hp, dict) else hp.values
        return {name: value for name, value in self.settings(hp).items() if name in values and name in self.dimensions}

    def get_config(self):
        """The space as plain values, for the configuration of a search."""
        return {name: dataclasses.asdict(dimension) for name, dimension in self.dimensions.items()}

    def _declare_within(self, hp, dimension, conditions):
        if not conditions:
            dimension.declare(hp)
            return
        (name, values), *others = conditions
        with hp.conditional_scope(name, list(values)):
            self._declare_within(hp, dimension, others)

    def _read(self, name, table):
        if name not in DEFAULTS[self.task]:
            known = sorted(DEFAULTS[self.task])
            raise ValueError(f"a {self.task} search has no such setting; it has {known}.{did_you_mean(name, known)}")
        if not isinstance(table, dict) or set(table) - _KEYS:
            raise ValueError(f"expected a table of some of {sorted(_KEYS)}, but got {table!r}.")
        expected, is_valid = CHECKS[name]
        if ("choice" in table) == ("low" in table or "high" in table):
            raise ValueError("give either a choice, or low and high.")
        when = self._read_conditions(table.get("when", {}))
        self._check_need(name, when)
        default = DEFAULTS[self.task][name]  # the first to be tried, where the space has it
        if "choice" in table:
            choice = table["choice"]
            if not isinstance(choice, list) or not choice:
                raise ValueError(f"choice must be a list of at least one value, but is {choice!r}.")
            if "log" in table:
                raise ValueError("log belongs to low and high.")
            if any(isinstance(value, float) for value in choice):
                choice = [float(value) if isinstance(value, int) else value for value in choice]
            if wrong := [value for value in choice if not is_valid(value)]:
                raise ValueError(f"each value must be {expected}, but {wrong[0]!r} is not.")
            if len(set(choice)) < len(choice):
                raise ValueError(f"choice names a value twice: {choice}.")
            default = default if default in choice else choice[0]
            return Dimension(name, choice=tuple(choice), when=when, default=default)
        low, high, log = table.get("low"), table.get("high"), table.get("log", False)
        if not is_number(low) or not is_number(high) or not low < high:
            raise ValueError(f"low must be a number below high; they are {low!r} and {high!r}.")
        if not (is_valid(low) and is_valid(high)):
            raise ValueError(f"both ends must be {expected}; they are {low!r} and {high!r}.")
        if not isinstance(log, bool) or (log and low <= 0):
            raise ValueError(f"log must be true or false, and low above 0 with it; they are {log!r} and {low!r}.")
        if not (isinstance(low, int) and isinstance(high, int)):
            low, high = float(low), float(high)
        return Dimension(name, low=low, high=high, log=log, when=when, default=min(max(default, low), high))

    def _read_conditions(self, when):
        if not isinstance(when, dict):
            raise ValueError(f"when must be a table such as {{ size = 'free' }}, but is {when!r}.")
        conditions = []
        for other, values in when.items():
            values = tuple(values if isinstance(values, list) else [values])
            if other not in self.dimensions:
                raise ValueError(f"when names {other!r}, which is not a setting above this one.")
            possible = self.dimensions[other].choice
            if not values or not set(values) <= set(possible):
                raise ValueError(f"when asks for {other} = {list(values)}; {other} is a choice of {list(possible)}.")
            conditions.append((other, values))
        return tuple(conditions)

    def _check_need(self, name, when):
        """A setting without effect would be searched in vain."""
        if name not in NEEDS:
            return
        other, needed = NEEDS[name]
        above = self.dimensions.get(other)
        possible = above.choice if above else (DEFAULTS[self.task][other],)
        if possible != (needed,) and (other, (needed,)) not in when:
            told = str(needed).lower() if isinstance(needed, bool) else repr(needed)
            raise ValueError(
                f"it counts only where {other} is {told}: write when = {{ {other} = {told} }}, with {other} above it."
            )
