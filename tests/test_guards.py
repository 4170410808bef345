"""The guards speak up for what goes wrong, and only then."""

from types import SimpleNamespace

import numpy as np
import pytest
from conftest import make_model

from infogan_tf.latents.codes import Normal, Uniform
from infogan_tf.latents.layout import LatentLayout
from infogan_tf.objectives.adversarial import ADVERSARIAL_LOSSES
from infogan_tf.objectives.information import Information
from infogan_tf.training import guards, watching

RANDOM = np.random.default_rng(0)
LAYOUT = LatentLayout.parse("noise:2,cat:10,uniform:1,normal:1,bernoulli:1")
CODES = LAYOUT.codes
ALIVE = {"mutual_info/c1": 2.0, "mutual_info/c2": 0.1, "mutual_info/c3": 0.3, "mutual_info/c4": 0.2}


# By loss: D's mean outputs on real and on generated images, and how the sentence gives them, where there is one.
OUTPUTS = [
    ("nonsaturating", 0.99, 0.01, "99.0% and generated ones 1.0%"),
    ("nonsaturating", 0.99, 0.2, ""),
    ("nonsaturating", 0.6, 0.01, ""),
    ("minimax", 0.99, 0.01, "99.0% and generated ones 1.0%"),
    ("minimax", 0.99, 0.2, ""),
    # Beyond its margins, the hinge teaches D no more.
    ("hinge", 1.2, -1.1, "1.20 and generated ones -1.10"),
    ("hinge", 0.99, -3.0, ""),
    ("hinge", 3.0, -0.9, ""),
    ("least_squares", 0.98, 0.02, "0.98 and generated ones 0.02"),
    ("least_squares", 0.98, 0.3, ""),
    ("least_squares", 0.6, 0.02, ""),
    # It gives the output no scale by which to tell.
    ("wasserstein", 1e3, -1e3, ""),
    ("relativistic", 1e3, -1e3, ""),
]


@pytest.mark.parametrize(("name", "real", "fake", "said"), OUTPUTS)
def test_a_discriminator_that_is_nearly_always_right(name, real, fake, said):
    loss = ADVERSARIAL_LOSSES[name]
    what = loss.output_name
    sentence = loss.warning({f"{what}_real": real, f"{what}_fake_before": fake})
    assert bool(sentence) == bool(said)
    if said:
        assert f"it gives real images {said}" in sentence
        assert "--instance_noise" in sentence
        # What is advised is what the loss takes.
        assert ("--label_smoothing" in sentence) == (name != "hinge")


def test_every_loss_is_looked_at():
    assert {name for name, *_ in OUTPUTS} == set(ADVERSARIAL_LOSSES)


@pytest.mark.parametrize(
    ("code", "bound", "speaks"),
    [
        ("c1", 0.01, True),
        ("c1", 0.3, False),
        # The best Gaussian that knows nothing of a uniform code scores -0.1765.
        ("c2", -0.176, True),
        ("c2", -0.1, False),
        ("c3", -0.4, True),
        ("c4", 0.001, True),
    ],
)
def test_a_code_that_images_do_not_show(code, bound, speaks):
    term = Information()
    term.prepare(SimpleNamespace(layout=LAYOUT))
    sentence = term.warning(ALIVE | {f"mutual_info/{code}": bound}, step=1)
    assert bool(sentence) == speaks == LAYOUT[code].is_dead(bound)
    assert not speaks or (code in sentence and f"{bound:.3f} nats" in sentence and "--lambda_info" in sentence)


def test_the_floor_of_a_code_is_the_bound_of_a_posterior_that_is_the_prior():
    values = RANDOM.uniform(-1, 1, 200_000)
    bound = np.log(2) - 0.5 * np.log(2 * np.pi * values.var()) - 0.5
    assert CODES[1].floor == pytest.approx(bound, abs=2e-3)
    values = RANDOM.normal(size=200_000)
    bound = CODES[2].entropy - 0.5 * np.log(2 * np.pi) - 0.5 * np.mean(values**2)
    assert CODES[2].floor == pytest.approx(bound, abs=1e-2)
    assert CODES[0].floor == CODES[3].floor == 0.0


@pytest.mark.parametrize("kind", [Uniform, Normal])
@pytest.mark.parametrize("stddev", [0.3, 1.0, 2.0])
def test_the_floor_of_a_fixed_posterior_is_the_bound_of_one_at_0(kind, stddev):
    code = kind("c1", fixed_stddev=stddev)
    values = RANDOM.uniform(-1, 1, 400_000) if kind is Uniform else RANDOM.normal(size=400_000)
    densities = -0.5 * (values / stddev) ** 2 - np.log(stddev) - 0.5 * np.log(2 * np.pi)
    assert code.floor == pytest.approx(code.entropy + densities.mean(), abs=2e-2)
    assert not code.is_dead(code.ceiling)
    assert code.is_dead(code.floor)


def test_samples_that_are_nearly_all_alike():
    real = RANDOM.uniform(size=(60, 8, 8, 1))
    assert guards.collapsed(RANDOM.uniform(size=real.shape), real) == ""
    ten = np.repeat(RANDOM.uniform(size=(10, 8, 8, 1)), 6, axis=0)
    sentence = guards.collapsed(ten + RANDOM.normal(0, 0.01, real.shape), real)
    assert "collapse" in sentence
    assert "Try --instance_noise=0.3, --minibatch_kernels=50, or a lower --g_learning_rate." in sentence
    assert "Try --minibatch_kernels=50, or a lower --g_" in guards.collapsed(ten, real, {"instance_noise"})
    assert "Try a lower --g_learning_rate." in guards.collapsed(ten, real, guards.REMEDIES)


def test_the_nearest_neighbour_is_another_image():
    images = np.array([0.0, 1.0, 3.0, 7.0]).reshape(4, 1, 1, 1)
    assert guards.median_nearest(images) == pytest.approx(1.5)  # of 1, 1, 2, 4


def test_a_guard_speaks_once_from_the_third_epoch_on(capsys):
    model = make_model(lambda_info=1.0, lambda_cont=0.0)
    model.step.assign(1)
    watch = watching.Guards(np.tile(RANDOM.integers(0, 256, (20, 1, 1, 1), dtype=np.uint8), (1, 8, 8, 1)))
    watch.set_model(model)
    logs = {"prob_real": 0.5, "prob_fake_before": 0.5, "mutual_info/c1": 0.0, "mutual_info/c2": -9.0}
    for epoch in range(5):
        watch.on_epoch_end(epoch, logs)
        told = capsys.readouterr().out
        assert ("tells of c1 (" in told) == (epoch == 2)
        assert "c2" not in told  # its weight is 0
    model.terms[0].lambda_warmup = 9
    watch.on_epoch_end(5, logs)
    assert "tells of" not in capsys.readouterr().out
    model.terms[0].lambda_warmup = 0
    watch.on_epoch_end(6, logs)
    assert "tells of c1 (" in capsys.readouterr().out
