"""`main.py`, ended after its first train step; its last line says when it had come how far, as JSON.

python benchmarks/first_step.py --dataset=digits --run_dir=RUN        (any flags of main.py that train)

benchmarks/start_up.py runs it in fresh processes. Times are those of `time.time()`; each name says what was done then.
"""

import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def main() -> None:
    """Runs the command that the flags give."""
    done = {"Python": time.time()}
    # As main.py will import them in a moment: TensorFlow brings Keras along.
    import tensorflow  # noqa: F401

    done["import of TensorFlow and Keras"] = time.time()
    import keras

    import configs
    from infogan_tf import command_line
    from infogan_tf.commands import train
    from infogan_tf.models.base import GenerativeModel

    done["import of the package"] = time.time()

    class FirstStep(keras.callbacks.Callback):
        """Ends the process after a step; nothing of the run is saved."""

        def on_train_batch_begin(self, batch, logs=None):
            done["callbacks begun"] = time.time()

        def on_train_batch_end(self, batch, logs=None):
            float(logs["d_loss"])  # waits for the step
            done["first step traced and done"] = time.time()
            print(json.dumps(done), flush=True)
            os._exit(0)

    def timed(name, function):
        def call(*args, **kwargs):
            result = function(*args, **kwargs)
            done[name] = time.time()
            return result

        return call

    def fit(self, *args, callbacks, **kwargs):
        return fit_as_ever(self, *args, callbacks=[*callbacks, FirstStep()], **kwargs)

    train.images_of = timed("images loaded", train.images_of)
    train.build_model = timed("model built", train.build_model)
    fit_as_ever, GenerativeModel.fit = GenerativeModel.fit, fit
    sys.exit(command_line.main(["main.py", *sys.argv[1:]], configs))


if __name__ == "__main__":
    main()
