"""Samples in bulk: every image is that of its codes, and what cannot be written whole is not written at all."""

import csv
import resource
import shutil
import signal
import time
from collections import namedtuple

import numpy as np
import pytest
import tensorflow as tf
from conftest import make_model, run_here

from infogan_tf.config.options import Config
from infogan_tf.files import read_json
from infogan_tf.models.infogan import InfoGAN
from infogan_tf.pictures import read_png
from infogan_tf.reports import drawing as sampling
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.runs.restored import restored_model

COUNT = sampling.BLOCK + 3  # a whole block and some of the next


def read_codes(path):
    """Values by column, as a table of latents holds them."""
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    return {name: [float(value) for value in column] for name, *column in zip(*rows, strict=True)}


def draw(run, folder, *flags):
    return run_here("--mode=sample", f"--run_dir={run}", *flags, cwd=folder)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory, tiny_run):
    """A folder with the same samples as samples.npy and as samples/, and what was printed."""
    folder = tmp_path_factory.mktemp("drawn")
    flags = (f"--count={COUNT}", "--codes=c1=3,c3=0.25")
    return folder, [draw(tiny_run[0], folder, *flags, f"--output={name}") for name in ("samples.npy", "samples/")]


def test_an_array_and_a_folder_hold_the_same(drawn):
    folder, done = drawn
    assert {path.name for path in folder.iterdir()} == {"samples.npy", "samples.csv", "samples"}
    array = np.load(folder / "samples.npy")
    assert (array.shape, array.dtype) == ((COUNT, 16, 16, 1), np.uint8)
    names = [f"{i:06d}.png" for i in range(COUNT)]
    assert sorted(path.name for path in (folder / "samples").iterdir()) == [*names, "latents.csv"]
    np.testing.assert_array_equal(np.stack([read_png(folder / "samples" / name) for name in names]), array)
    assert (folder / "samples" / "latents.csv").read_bytes() == (folder / "samples.csv").read_bytes()
    assert "503 samples, uint8 [503, 16, 16, 1]; their latents are in samples.csv" in done[0].stdout
    assert "503 samples, a PNG each; their latents are in samples/latents.csv" in done[1].stdout


def test_every_image_is_that_of_its_codes(drawn, tiny_run):
    folder, _ = drawn
    codes = read_codes(folder / "samples.csv")
    assert list(codes) == ["c1", "c2", "c3", "c4", *(f"z{i}" for i in range(1, 7))]
    assert set(codes["c1"]) == {3.0}
    assert set(codes["c3"]) == {0.25}
    assert set(codes["c4"]) == {0.0, 1.0}
    assert np.std(codes["c2"]) > 0.4
    run = RunDirectory(tiny_run[0])
    model = restored_model(run, Config.from_json(read_json(run.config_file)["config"], run.config_file))
    array = np.load(folder / "samples.npy").astype(int)
    for i in (0, 1, sampling.BLOCK - 1, sampling.BLOCK, COUNT - 1):
        block, place = divmod(i, sampling.BLOCK)
        noise, _ = model.layout.sample_parts(sampling.BLOCK, model.stream_seed("sample", block))
        kept = [np.float32(codes[f"z{column}"][i]) for column in range(1, 7)]
        np.testing.assert_array_equal(kept, noise[place])
        values = {code.name: np.array([codes[code.name][i]], code.dtype.as_numpy_dtype) for code in model.layout.codes}
        image = model(model.layout.join(noise[place : place + 1], values))[0].numpy()
        assert np.abs(array[i] - image * 255).max() < 0.51  # one by one, other kernels may round otherwise


def test_the_first_samples_of_many_are_those_of_few(drawn, tmp_path, tiny_run):
    many = np.load(drawn[0] / "samples.npy")
    assert len(np.unique(many, axis=0)) == COUNT
    draw(tiny_run[0], tmp_path, "--count=4", "--codes=c1=3,c3=0.25", "--output=few.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "few.npy"), many[:4])
    draw(tiny_run[0], tmp_path, "--count=4", "--codes=c1=3,c3=0.25", "--output=few.png")
    picture = read_png(tmp_path / "few.png")
    for i, image in enumerate(many[:4]):
        top, left = 1 + i // 2 * 17, 1 + i % 2 * 17
        np.testing.assert_array_equal(picture[top : top + 16, left : left + 16], image)


def test_what_takes_long_shows_a_progress_bar(monkeypatch, tmp_path, tiny_run):
    monkeypatch.setattr(sampling, "to_bytes", lambda images: time.sleep(0.6) or images.astype(np.uint8))
    done = draw(tiny_run[0], tmp_path, f"--count={COUNT}", "--output=many.npy")
    assert "100%" in done.stderr
    assert "503/503" in done.stderr


OUTPUTS = ("samples.npy", "samples", "grid.png")


@pytest.fixture
def interruptible():
    """Python's own answer to Ctrl-C; a shell that starts the tests in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_leaves_nothing(monkeypatch, tmp_path, tiny_run, output):
    blocks = []

    def interrupted(images):
        blocks.append(list(tmp_path.iterdir()))
        if len(blocks) == 2:
            signal.raise_signal(signal.SIGINT)
        return (images * 255).astype(np.uint8)

    monkeypatch.setattr(sampling, "to_bytes", interrupted)
    flags = ("--mode=sample", f"--run_dir={tiny_run[0]}", f"--count={COUNT}", f"--output={output}")
    assert run_here(*flags, cwd=tmp_path, check=False).returncode == 130
    assert all(path.name.startswith(".") for path in blocks[0])
    assert len(blocks) == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("output", OUTPUTS[:2])
def test_a_disk_that_fills_up_leaves_nothing(tmp_path, tiny_run, output):
    # The system refuses files beyond a size in the same way as it refuses a full disk.
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        flags = ("--mode=sample", f"--run_dir={tiny_run[0]}", f"--count={COUNT}", f"--output={output}")
        done = run_here(*flags, cwd=tmp_path, check=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert done.returncode == 2
    assert "--output: cannot write there" in done.stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("output", "size"), [("samples.npy", 503 * (256 + 170)), ("samples", 503 * (4096 + 170))])
def test_a_disk_without_room_is_refused_beforehand(monkeypatch, tmp_path, tiny_run, output, size):
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(InfoGAN, "generate", lambda *args, **kwargs: pytest.fail("work was done"))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(size - 1))
    flags = ("--mode=sample", f"--run_dir={tiny_run[0]}", f"--count={COUNT}", f"--output={output}")
    done = run_here(*flags, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert f"--output: expected at least {size / 1e6:.1f} MB free" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("output", OUTPUTS)
def test_what_came_to_lie_there_meanwhile_stays(monkeypatch, tmp_path, tiny_run, output):
    def overtaken(images):
        (tmp_path / output).write_text("kept")
        return (images * 255).astype(np.uint8)

    monkeypatch.setattr(sampling, "to_bytes", overtaken)
    flags = ("--mode=sample", f"--run_dir={tiny_run[0]}", "--count=2", f"--output={output}")
    done = run_here(*flags, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "File exists" in done.stderr
    assert (tmp_path / output).read_text() == "kept"
    assert len(list(tmp_path.iterdir())) == 1


def test_codes_of_other_samples_are_not_overwritten(tmp_path, tiny_run):
    (tmp_path / "samples.csv").write_text("kept")
    flags = ("--mode=sample", f"--run_dir={tiny_run[0]}", "--output=samples.npy")
    done = run_here(*flags, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "'samples.csv', which exists" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [path.read_text() for path in tmp_path.iterdir()] == ["kept"]


class OnDisk:
    """Images of which a few can be read at a time, as of a memory map larger than the machine's memory."""

    def __init__(self, images):
        self.images = images
        self.read = []

    def __len__(self):
        return len(self.images)

    def __getitem__(self, rows):
        self.read.append(len(range(*rows.indices(len(self)))))
        return self.images[rows]


def test_images_on_disk_are_encoded_a_batch_at_a_time(tmp_path):
    model = make_model()
    images = np.lib.format.open_memmap(tmp_path / "images.npy", "w+", np.uint8, (16, 8, 8, 1))
    images[:] = np.random.default_rng(0).integers(0, 256, images.shape)
    source = OnDisk(images)
    found = model.encode(source, batch_size=5)
    assert source.read == [5, 5, 5, 1]
    one_by_one = [model.posterior(image[np.newaxis].astype(np.float32) / 255) for image in images]
    for name, parts in found.items():
        for what, values in parts.items():
            expected = np.concatenate([posterior[name][what] for posterior in one_by_one])
            np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("method", ["generate", "encode", "read", "features"])
def test_batches_of_any_size_are_traced_once_and_give_the_same(capsys, method):
    model = make_model()
    inputs = model.layout.sample(16, (0, 1))
    if method in ("encode", "features"):
        inputs = model(inputs).numpy()
    whole = getattr(model, method)(inputs, batch_size=100)
    again = make_model()
    parts = getattr(again, method)(inputs, batch_size=5, progress=True)
    assert again._compiled_functions[method].experimental_get_tracing_count() == 1
    assert "4/4" in capsys.readouterr().err
    empty = getattr(model, method)(inputs[:0])
    for one, other, none in zip(*(tf.nest.flatten(found) for found in (whole, parts, empty)), strict=True):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
        assert none.shape == (0, *one.shape[1:])
    with pytest.raises(ValueError, match=r"batch_size: expected at least 1\. Received: 0"):
        getattr(model, method)(inputs, batch_size=0)
