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
from PIL import Image

from infogan_tf.config.options import Config
from infogan_tf.errors import UserError
from infogan_tf.files import read_json
from infogan_tf.latents import table
from infogan_tf.latents.language import read_latents
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


def test_latents_of_other_samples_are_not_overwritten(tmp_path, tiny_run):
    (tmp_path / "samples.csv").write_text("kept")
    flags = ("--mode=sample", f"--run_dir={tiny_run[0]}", "--output=samples.npy")
    done = run_here(*flags, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "'samples.csv', which exists" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [path.read_text() for path in tmp_path.iterdir()] == ["kept"]


# === Codes that go through values ===


def test_a_code_goes_through_values_in_each_row(tiny_run, tmp_path):
    draw(tiny_run[0], tmp_path, "--codes=c2=-1:1:3,c1=4", "--count=7", "--output=rows.npy")
    draw(tiny_run[0], tmp_path, "--codes=c1=4", "--count=2", "--output=plain.npy")
    found, plain = read_codes(tmp_path / "rows.csv"), read_codes(tmp_path / "plain.csv")
    assert found["c2"] == [-1.0, 0.0, 1.0] * 2  # two whole rows
    for name in found.keys() - {"c2"}:
        assert found[name] == [value for value in plain[name] for _ in range(3)]
    images = np.load(tmp_path / "rows.npy")
    draw(tiny_run[0], tmp_path, "--codes=c2=-1:1:3,c1=4", "--count=7", "--output=rows.png")
    picture = read_png(tmp_path / "rows.png")
    assert picture.shape == (2 * 17 + 1, 3 * 17 + 1, 1)
    np.testing.assert_array_equal(picture[18:34, 35:51], images[5])


def test_two_codes_go_through_values_as_rows_and_columns(tiny_run, tmp_path):
    draw(tiny_run[0], tmp_path, "--codes=c1=2:0,c3=-2:2:5", "--count=1", "--output=cross.npy")
    found = read_codes(tmp_path / "cross.csv")
    assert found["c1"] == [2.0] * 5 + [1.0] * 5 + [0.0] * 5
    assert found["c3"] == [-2.0, -1.0, 0.0, 1.0, 2.0] * 3
    assert all(len(set(found[name])) == 1 for name in ("c2", "c4", "z1", "z6"))


def test_rows_of_more_images_than_a_block(monkeypatch, tiny_run, tmp_path):
    draw(tiny_run[0], tmp_path, "--codes=c2=-1:1:5", "--count=15", "--output=whole.npy")
    header, *lines = (tmp_path / "whole.csv").read_text().splitlines()
    (tmp_path / "draws.csv").write_text("\n".join([header, *lines[::5]]))
    monkeypatch.setattr(sampling, "BLOCK", 4)
    draw(tiny_run[0], tmp_path, "--codes=c2=-1:1:5", "--latents_file=draws.csv", "--output=parts.npy")
    assert (tmp_path / "parts.csv").read_text().splitlines() == [header, *lines]
    difference = np.load(tmp_path / "parts.npy").astype(int) - np.load(tmp_path / "whole.npy")
    assert np.abs(difference).max() <= 1  # a block of another size may round otherwise


@pytest.mark.parametrize("first", ["", "c1=0:2,"])
def test_an_animation_shows_a_frame_for_each_value(tiny_run, tmp_path, first):
    flags = (f"--codes={first}c2=-1:1:3", "--count=12")
    done = draw(tiny_run[0], tmp_path, *flags, "--output=a.gif")
    draw(tiny_run[0], tmp_path, *flags, "--output=a.npy")
    images = np.load(tmp_path / "a.npy")
    with Image.open(tmp_path / "a.gif") as gif:
        frames = []
        for i in range(gif.n_frames):
            gif.seek(i)
            frames.append(np.asarray(gif.convert("L")))
    assert len(frames) == 3
    assert "3 frames of " in done.stdout
    for value, frame in enumerate(frames):
        if first:  # 1 draw of 3 classes: a row for each class
            assert frame.shape == (3 * 17 + 1, 17 + 1)
            shown = [frame[17 * k + 1 : 17 * k + 17, 1:17] for k in range(3)]
        else:  # 4 draws
            assert frame.shape == (2 * 17 + 1, 2 * 17 + 1)
            shown = [frame[top : top + 16, left : left + 16] for top in (1, 18) for left in (1, 18)]
        np.testing.assert_array_equal(shown, images[value::3, ..., 0][: len(shown)])


def test_a_jpeg_is_nearly_the_png(tiny_run, tmp_path):
    for name in ("a.jpg", "a.png"):
        draw(tiny_run[0], tmp_path, "--count=4", f"--output={name}")
    with Image.open(tmp_path / "a.jpg") as picture:
        assert (picture.format, picture.mode) == ("JPEG", "L")
        difference = np.asarray(picture).astype(int) - read_png(tmp_path / "a.png")[..., 0]
    assert 0 < np.abs(difference).max() < 40


# === Drawn again ===


def test_what_was_drawn_is_drawn_again_bit_for_bit(drawn, tiny_run, tmp_path):
    folder, _ = drawn
    draw(tiny_run[0], tmp_path, f"--latents_file={folder / 'samples.csv'}", "--output=again.npy")
    assert (tmp_path / "again.npy").read_bytes() == (folder / "samples.npy").read_bytes()
    assert (tmp_path / "again.csv").read_bytes() == (folder / "samples.csv").read_bytes()


def test_codes_go_before_what_the_table_says(drawn, tiny_run, tmp_path):
    header, *lines = (drawn[0] / "samples" / "latents.csv").read_text().splitlines()
    # As a spreadsheet may write it: columns in another order, a mark at the beginning, other ends of lines.
    turned = [",".join(reversed(line.split(","))) for line in (header, lines[7])]
    (tmp_path / "one.csv").write_text("\ufeff" + "\r\n".join(turned), encoding="utf-8")
    draw(tiny_run[0], tmp_path, "--latents_file=one.csv", "--codes=c1=0:9", "--output=classes.npy")
    before, after = read_codes(drawn[0] / "samples.csv"), read_codes(tmp_path / "classes.csv")
    assert after["c1"] == list(range(10))
    assert all(values == [before[name][7]] * 10 for name, values in after.items() if name != "c1")


def test_every_float32_comes_back_from_its_text(tmp_path):
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**32, 20_000, dtype=np.uint32).view(np.float32)
    bits = bits[np.abs(bits) < 3e38]  # no NaN among them either
    # And the neighbours of powers of two, where the distance between numbers changes.
    powers = 2.0 ** np.arange(-20, 20, dtype=np.float32)
    values = np.concatenate([rng.uniform(-1, 1, 20_000).astype(np.float32), bits, powers, np.nextafter(powers, 0)])
    values = values[: len(values) // 4 * 4].astype(np.float32).reshape(-1, 4)
    described, path = read_latents("noise:4"), tmp_path / "latents.csv"
    with path.open("w") as file:
        table.write_header(file, described)
        table.write_rows(file, described, values.tolist())
    np.testing.assert_array_equal(np.array(list(table.read_rows(path, described))).astype(np.float32), values)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("c1,c2\n1,2\n", "expected the columns c1,c2,c3,c4,...,z6 (10 of them)"),
        ("", "Received: none"),
        ("HEADER\n1,0,0\n", "expected 10 numbers. Received: 3 in line 2"),
        ("HEADER\n\n1.5,0,0,0,0,0,0,0,0,0\n", "a class from 0 to 9 for c1. Received: '1.5' in line 3"),
        ("HEADER\n1,0,0,2,0,0,0,0,0,0\n", "a class from 0 to 1 for c4. Received: '2' in line 2"),
        ("HEADER\n1,0,0,1,0,nan,0,0,0,0\n", "a number for z2. Received: 'nan' in line 2"),
        ("HEADER\n1,1e39,0,1,0,0,0,0,0,0\n", "a number for c2. Received: '1e39' in line 2"),
        ('HEADER\n"' + "0" * 200_000, "field larger than field limit"),
        ("HEADER\n", "expected a row or more"),
        (b"\xff\xfe", "codec can't decode"),
    ],
)
def test_a_table_that_is_none_is_named(tmp_path, content, part):
    path = tmp_path / "latents.csv"
    described = read_latents("noise:6,cat:10,uniform:1,normal:1,bernoulli:1")
    header = ",".join(table.columns_of(described))
    path.write_bytes(content if isinstance(content, bytes) else content.replace("HEADER", header).encode())
    with pytest.raises(UserError, match=r"--latents_file: expected .*latents\.csv") as info:
        table.count_rows(path, described)
    assert part in str(info.value)
    assert "\n" not in str(info.value)


class OnDisk:
    """Images of which a few can be read at a time, as of a memory map larger than the machine's memory."""

    def __init__(self, images):
        self.images = images
        self.shape = images.shape
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
    with pytest.raises(ValueError, match=r"batch_size: expected an integer from 1\. Received: 0"):
        getattr(model, method)(inputs, batch_size=0)
