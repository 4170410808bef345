"""The wiring: learning rates, and how what is left of a run is cut into calls of fit()."""

import numpy as np
import pytest

from infogan_tf.config.options import Config
from infogan_tf.errors import UserError
from infogan_tf.models.build import build_model
from infogan_tf.models.choices import resolve
from infogan_tf.training.fit import segments


@pytest.mark.parametrize(
    ("step", "steps", "expected"),
    [
        (0, 20, [(0, 3, 6), (3, 4, 2)]),
        (8, 20, [(1, 2, 4), (2, 3, 6), (3, 4, 2)]),
        (12, 18, [(2, 3, 6)]),
        (13, 15, [(2, 3, 2)]),
        (0, 4, [(0, 1, 4)]),
        (20, 20, []),
    ],
)
def test_what_is_left_is_cut_at_the_ends_of_epochs(step, steps, expected):
    assert list(segments(step, steps, 6)) == expected
    assert step + sum((epochs - initial) * count for initial, epochs, count in expected) == steps


def test_learning_rates_fall_at_the_given_steps():
    rates = {"lr_decay_steps": "3,5", "lr_decay_factor": 0.5, "d_learning_rate": 0.1, "g_learning_rate": 0.2}
    model = build_model(Config(latents="cat:2", **rates), (8, 8, 1), "float32")
    for optimizer, rate in ((model.d_optimizer, 0.1), (model.g_optimizer, 0.2)):
        for step, factor in ((0, 1.0), (3, 1.0), (4, 0.5), (5, 0.5), (6, 0.25)):
            model.step.assign(step)
            assert float(optimizer.learning_rate) == pytest.approx(rate * factor)


def test_learning_rates_fall_at_steps_of_several_updates():
    config = Config(latents="cat:2", lr_decay_steps="3", d_learning_rate=0.1, g_learning_rate=0.2, d_updates=2)
    model = build_model(config, (8, 8, 1), "float32")
    images = np.zeros((4, 8, 8, 1), np.uint8)
    for _ in range(4):  # in whose last the rates are still the first ones
        assert float(model.d_optimizer.learning_rate) == pytest.approx(0.1)
        assert float(model.g_optimizer.learning_rate) == pytest.approx(0.2)
        model.train_on_batch(images)
    assert float(model.d_optimizer.learning_rate) == pytest.approx(0.01)
    assert float(model.g_optimizer.learning_rate) == pytest.approx(0.02)


def test_learning_rates_fall_at_steps_of_no_update(monkeypatch):
    rates = {"lr_decay_steps": "1", "d_learning_rate": 0.1, "g_learning_rate": 0.1, "e_learning_rate": 0.1}
    model = build_model(Config(model="vaegan", latents="normal_noise:2", **rates), (8, 8, 1), "float32")
    monkeypatch.setattr("infogan_tf.models.vaegan.EQUILIBRIUM", 3.0)  # by which D stands still
    images = np.zeros((4, 8, 8, 1), np.uint8)
    for expected in (0.1, 0.1, 0.01):
        assert [float(each.learning_rate) for each in model.optimizers.values()] == pytest.approx([expected] * 3)
        model.train_on_batch(images)
    assert {player: int(each.iterations) for player, each in model.optimizers.items()} == {"d": 0, "e": 3, "g": 3}


@pytest.mark.parametrize(("model", "epsilon"), [("infogan", 1e-7), ("semi_supervised", 1e-4)])
def test_adam_has_the_epsilon_of_the_model_unless_another_is_given(model, epsilon):
    for given, expected in (({}, epsilon), ({"adam_epsilon": 1e-2}, 1e-2)):
        config = resolve(Config(), {"model": model, **given})
        built = build_model(config, (8, 8, 1), "float32")
        assert {optimizer.epsilon for optimizer in built.optimizers.values()} == {expected}


def test_weights_are_a_function_of_the_seed():
    models = [build_model(Config(latents="cat:2", seed=seed), (8, 8, 1), "float32") for seed in (1, 1, 2)]
    kernels = [model.d_head.trainable_variables[0].numpy() for model in models]
    assert (kernels[0] == kernels[1]).all()
    assert (kernels[0] != kernels[2]).any()


def test_decay_steps_ascend():
    with pytest.raises(UserError, match="ascending"):
        Config(lr_decay_steps="5,5")
