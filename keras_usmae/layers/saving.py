"""What the configuration of a saved layer holds."""

import inspect

from keras_usmae.renamed import current_names


class ArgumentsInConfig:
    """Mixin for layers that keep each argument of their constructor as an attribute: all of them are saved."""

    def get_config(self):
        """Constructor arguments, for saving."""
        parameters = inspect.signature(type(self).__init__).parameters.values()
        named = [parameter.name for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD]
        return {**super().get_config(), **{name: getattr(self, name) for name in named if name != "self"}}

    @classmethod
    def from_config(cls, config):
        """Builds the layer from `get_config()`, also that of an earlier version."""
        return super().from_config(current_names(config))
