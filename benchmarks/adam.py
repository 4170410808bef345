"""Keras's Adam against FusedAdam on the weights of the paper's MNIST networks, alternating in one run.

python benchmarks/adam.py
"""

import statistics
import time

from common import machine, print_table

ROUNDS = 9
UPDATES = 10


def main():
    """Prints the table."""
    import keras
    import tensorflow as tf

    from infogan_tf.networks import paper_networks
    from infogan_tf.optimizers import FusedAdam

    weights = [v for network in paper_networks(74, 14).values() for v in network.trainable_variables]
    gradients = [tf.random.normal(v.shape) for v in weights]
    updates = {}
    for kind in (keras.optimizers.Adam, FusedAdam):
        optimizer = kind(1e-4)
        optimizer.build(weights)
        updates[kind.__name__] = tf.function(lambda optimizer=optimizer: optimizer.apply(gradients, weights))
    seconds = {name: [] for name in updates}
    for i in range(ROUNDS + 1):
        for name, update in updates.items():
            started = time.perf_counter()
            for _ in range(UPDATES):
                update()
            if i:  # the first round compiles
                seconds[name].append((time.perf_counter() - started) / UPDATES)
    count = sum(v.numpy().size for v in weights)
    print(f"\n{machine()}; {count:,} weights, median of {ROUNDS} rounds\n")
    ratios = [a / b for a, b in zip(*seconds.values(), strict=True)]
    rows = [(name, f"{1e3 * statistics.median(times):.1f}") for name, times in seconds.items()]
    print_table(("optimizer", "ms an update"), rows)
    print(f"\nKeras / fused: {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
