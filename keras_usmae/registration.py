"""One registration decorator, so that every class and function is saved under the same package name."""

import keras

register = keras.saving.register_keras_serializable(package="keras_usmae")
