"""The training state on disk: whole, checked, the last ones kept."""

import tracemalloc

import numpy as np
import pytest
from conftest import make_model

from infogan_tf.errors import UserError
from infogan_tf.runs.checkpoints import Checkpoints, NotFiniteError
from infogan_tf.training.stopping import SaveCheckpoints

IMAGES = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 1), dtype=np.uint8)


@pytest.fixture(scope="module")
def model():
    model = make_model(run_eagerly=True)
    model.train_on_batch(IMAGES)
    return model


@pytest.fixture
def three(tmp_path, model):
    """Checkpoints at steps 10, 20 and 30 of one model."""
    checkpoints = Checkpoints(tmp_path / "checkpoints", keep=3)
    for step in (10, 20, 30):
        model.step.assign(step)
        checkpoints.save(model)
    return checkpoints


def test_everything_comes_back(three, model):
    other = make_model(seed=1)
    assert three.restore(other).name == "step_00000030.npz"
    kept = [*model.weights, *model.metrics_variables, *model.d_optimizer.variables, *model.g_optimizer.variables]
    found = [*other.weights, *other.metrics_variables, *other.d_optimizer.variables, *other.g_optimizer.variables]
    assert len(found) == len(kept) > 90
    for one, another in zip(kept, found, strict=True):
        np.testing.assert_array_equal(one, another)


def test_only_the_newest_are_kept(three, model):
    model.step.assign(40)
    three.save(model)
    assert [path.name for path in three.paths()] == [f"step_000000{step}.npz" for step in (20, 30, 40)]
    assert len(list(three.folder.iterdir())) == 3


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text"])
def test_a_damaged_one_is_named_and_skipped(three, capsys, damage):
    newest = three.paths()[-1]
    content = newest.read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    newest.write_bytes({"cut": content[:middle], "flipped": flipped, "empty": b"", "text": b"hello"}[damage])
    other = make_model(seed=1)
    assert three.restore(other).name == "step_00000020.npz"
    assert int(other.step) == 20
    assert str(newest) in capsys.readouterr().out
    assert newest.exists()


def test_all_damaged_is_an_error(three):
    for path in three.paths():
        path.write_bytes(b"")
    with pytest.raises(UserError, match=r"step_00000030\.npz: .*; of 3 checkpoints none can be restored"):
        three.restore(make_model())


def test_none_is_none(tmp_path):
    assert Checkpoints(tmp_path / "nowhere").restore(make_model()) is None


def test_another_models_checkpoint_is_refused_before_anything_changes(three):
    other = make_model(latents="noise:6,cat:9,uniform:2")
    before = [v.numpy() for v in other.weights]
    with pytest.raises(UserError, match="it is of another model"):
        three.restore(other)
    for variable, value in zip(other.weights, before, strict=True):
        np.testing.assert_array_equal(variable, value)


class _Variable:
    """As much of a Keras variable as a checkpoint asks for."""

    def __init__(self, path, value):
        self.path, self.value, self.shape, self.dtype = path, value, value.shape, value.dtype.name

    def numpy(self):
        return self.value

    def assign(self, value):
        self.value = np.asarray(value, self.dtype)


class _Small:
    """The least that has a training state: a step and a kernel."""

    def __init__(self):
        self.step = _Variable("step", np.int64(7))
        self.kernel = _Variable("kernel", np.float32([[1.5, -2.0], [0.25, 8.0]]))

    def training_state(self):
        return {"step": self.step, "kernel": self.kernel}

    def values(self):
        return [variable.numpy().tolist() for variable in self.training_state().values()]


def _why_refused(checkpoints, model):
    try:
        checkpoints.restore(model)
    except UserError as error:
        return str(error)


def test_any_flipped_bit_is_seen_or_does_not_matter(tmp_path):
    """Every bit of a whole checkpoint: it is refused in one line, or gives what was saved."""
    saved, checkpoints = _Small(), Checkpoints(tmp_path)
    path = checkpoints.save(saved)
    content = bytearray(path.read_bytes())
    assert len(content) < 4096
    found, refused = _Small(), 0
    found.step.assign(0)
    for bit in range(8 * len(content)):
        content[bit // 8] ^= 1 << bit % 8
        path.write_bytes(content)
        content[bit // 8] ^= 1 << bit % 8
        why = _why_refused(checkpoints, found)
        if why is None:
            assert found.values() == saved.values(), bit
            found.step.assign(0)
        else:
            assert str(path) in why
            assert "\n" not in why
            assert found.values()[0] == 0
            refused += 1
    assert refused > 4 * len(content)


@pytest.mark.parametrize("forged", ["more", "type", "nan", "compressed"])
def test_a_forged_one_is_passed_over(tmp_path, forged):
    """What a checksum does not show: sizes, types and values that the model does not have."""
    checkpoints = Checkpoints(tmp_path)
    older = checkpoints.save(_Small())
    arrays = dict(np.load(older))
    (kernel,) = (name for name in arrays if "kernel" in name)
    arrays[kernel] = {
        "more": np.zeros((2, 3), np.float32),
        "type": arrays[kernel].astype(np.int32),
        "nan": np.full((2, 2), np.nan, np.float32),
        "compressed": arrays[kernel],
    }[forged]
    newer = tmp_path / "step_00000008.npz"
    (np.savez_compressed if forged == "compressed" else np.savez)(newer, **arrays)
    assert checkpoints.restore(_Small()) == older


def test_no_array_is_read_before_its_size_is_known_to_be_right(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    path = checkpoints.save(_Small())
    arrays = dict(np.load(path))
    (kernel,) = (name for name in arrays if "kernel" in name)
    np.savez(path, **arrays | {kernel: np.zeros(2**24, np.float32)})
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match="kernel"):
            checkpoints.restore(_Small())
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def test_a_state_with_nan_is_not_saved(three):
    other = make_model()
    other.step.assign(50)
    bias = other.d_head.trainable_variables[1]
    bias.assign([np.nan])
    with pytest.raises(NotFiniteError, match="bias"):
        three.save(other)
    assert [path.name for path in three.paths()][-1] == "step_00000030.npz"


def test_nothing_is_loaded_with_pickle(three):
    newest = three.paths()[-1]
    with newest.open("wb") as file:
        np.savez(file, evil=np.array([{"an": "object"}], dtype=object))
    assert three.restore(make_model()).name == "step_00000020.npz"


def test_what_is_written_in_the_background_is_the_state_at_the_call(tmp_path):
    model, checkpoints = make_model(run_eagerly=True), Checkpoints(tmp_path)
    model.train_on_batch(IMAGES)
    expected = [v.numpy().copy() for v in model.weights]
    path = checkpoints.save(model, background=True)
    model.train_on_batch(IMAGES)
    checkpoints.wait()
    assert checkpoints.paths() == [path]
    other = make_model(seed=1)
    checkpoints.restore(other)
    for variable, value in zip(other.weights, expected, strict=True):
        np.testing.assert_array_equal(variable, value)


def test_what_could_not_be_written_in_the_background_is_not_passed_over(tmp_path, model):
    (tmp_path / "checkpoints").write_text("a file where the folder should be")
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    checkpoints.save(model, background=True)
    with pytest.raises(OSError, match="checkpoints"):
        checkpoints.save(model, background=True)


def test_a_stop_right_after_an_epoch_leaves_its_checkpoint_as_it_is(tmp_path, model):
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    saver = SaveCheckpoints(checkpoints, every=100, epoch_steps=10)
    saver.set_model(model)
    model.step.assign(10)
    path = saver.saved()
    before = path.read_bytes()
    for variable in model.metrics_variables:  # as Keras does when the next epoch begins
        variable.assign(variable + 1.0)
    assert saver.saved() == path
    assert path.read_bytes() == before
    model.step.assign(11)
    assert [each.name for each in (saver.saved(), *checkpoints.paths())] == [
        "step_00000011.npz", "step_00000010.npz", "step_00000011.npz",
    ]  # fmt: skip
