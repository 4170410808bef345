"""Images of one's own: what is listed, held out and labelled, how files become images, and what is refused."""

import errno
import io
import json
import os
import shutil
import struct
import threading
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from conftest import run_here
from PIL import Image

from infogan_tf.data import arrays as array_loader
from infogan_tf.data import folder as folder_loader
from infogan_tf.data import load_data
from infogan_tf.data.decoding import Form, NotDecodedError, decode, look, read_crop, read_ground, read_size
from infogan_tf.data.listing import held_out_share, list_images, place_of
from infogan_tf.data.sources import name_of, read_source
from infogan_tf.errors import UserError
from infogan_tf.objectives.declarations import FIGURES, usual_changes

FORM = Form(8, 8, 3)


def picture(size=(32, 32), seed=0, mode="RGB"):
    """Noise, or a ramp in 16 bits."""
    shape = (size[1], size[0], len(mode)) if len(mode) > 1 else (size[1], size[0])
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8), mode)


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, format=kind, **options)
    return file.getvalue()


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.fixture
def photos(tmp_path):
    """A folder of 40 pictures in two others, and what is no matter."""
    root = tmp_path / "photos"
    for i in range(40):
        write(root / ("cats" if i % 2 else "dogs") / "deeper" / f"{i}.png", encoded(picture((40, 36), i)))
    write(root / "notes.txt", b"no image")
    write(root / ".thumbnails" / "1.png", b"hidden")
    return root


def load(path, tmp_path, **options):
    return load_data(str(path), cache_dir=str(tmp_path / "cache"), **options)


# === Which images, and for what ===


def test_class_folders_are_labels_and_a_tenth_is_held_out_by_its_name(photos, tmp_path):
    data = load(photos, tmp_path)
    assert data.image_shape == (32, 32, 3)
    assert data.label_names == ("cats", "dogs")
    assert len(data.train.images) + len(data.test.images) == 40
    assert set(data.train.labels) | set(data.test.labels) == {0, 1}
    before = {file.name for file in list_images(photos).test}
    write(photos / "cats" / "another.png", encoded(picture()))
    after = {file.name for file in list_images(photos).test}
    assert after - before <= {"cats/another.png"}
    assert before <= after


def test_train_and_test_are_the_split(tmp_path):
    for i in range(6):
        write(tmp_path / "set" / ("train" if i < 4 else "test") / "ab"[i % 2] / f"{i}.jpg", encoded(picture(), "JPEG"))
    data = load(tmp_path / "set", tmp_path)
    assert (len(data.train.images), len(data.test.images)) == (4, 2)
    assert data.label_names == ("a", "b")


@pytest.mark.parametrize(
    ("folders", "test", "outside"),
    [
        (("train", "val"), "val", 0),
        (("Train", "Test"), "Test", 0),
        (("train", "validation"), "validation", 0),
        (("train", "valid", "test"), "test", 12),
        (("TRAIN", "unlabelled", "Valid"), "Valid", 12),
    ],
)
def test_folders_of_a_split_are_told_in_any_case_and_what_lies_beside_them_is_said(
    tmp_path, capsys, folders, test, outside
):
    for folder in folders:
        for i in range(12):
            write(tmp_path / "set" / folder / "ab"[i % 2] / f"{i}.png", encoded(picture((16, 16), i)))
    data = load(tmp_path / "set", tmp_path)
    assert (len(data.train.images), len(data.test.images)) == (12, 12)
    assert data.label_names == ("a", "b")
    assert {file.name.split("/")[0] for file in list_images(tmp_path / "set").test} == {test}
    told = f"{outside} images lie outside of train/ and {test.lower()}/ and are left out, such as "
    assert (told in capsys.readouterr().out) == bool(outside)


@pytest.mark.parametrize("folders", [("bus", "train"), ("cat", "test")])
def test_a_class_may_be_called_as_a_folder_of_a_split(tmp_path, folders):
    for i in range(24):
        write(tmp_path / "set" / folders[i % 2] / f"{i}.png", encoded(picture((16, 16), i)))
    assert load(tmp_path / "set", tmp_path).label_names == folders
    # And below a split: only what is at the top is one.
    for i in range(4):
        write(tmp_path / "split" / ("train", "test")[i % 2] / folders[i // 2] / f"{i}.png", encoded(picture((16, 16))))
    assert load(tmp_path / "split", tmp_path).label_names == folders


def test_without_folders_there_are_no_labels(tmp_path):
    for i in range(12):
        write(tmp_path / "flat" / f"{i}.bmp", encoded(picture(seed=i), "BMP"))
    data = load(tmp_path / "flat", tmp_path)
    assert data.train.labels is None
    assert data.label_names == ()
    assert len(data.test.images) >= 1


@pytest.mark.parametrize(("count", "share"), [(10, 0.1), (100_000, 0.1), (100_001, 0.05), (1_000_000, 0.00625)])
def test_the_share_held_out_is_halved_beyond_ten_thousand(count, share):
    assert held_out_share(count) == pytest.approx(share)
    assert count * held_out_share(count) <= 10_000


def test_an_archive_is_what_the_folder_is(photos, tmp_path):
    archive = tmp_path / "photos.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(photos.rglob("*")):
            if path.is_file():
                file.write(path, path.relative_to(photos))
        file.writestr("__MACOSX/cats/._1.png", b"Apple's")
        file.writestr("../outside.png", b"not ours")
    one, other = load(photos, tmp_path), load(archive, tmp_path)
    np.testing.assert_array_equal(one.train.images, other.train.images)
    np.testing.assert_array_equal(one.test.labels, other.test.labels)


@pytest.mark.parametrize("around", ["photos/", "a/b/"])
def test_a_folder_around_everything_is_not_counted(tmp_path, around):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for i in range(12):
            name = f"{around}{'test' if i < 4 else 'train'}/{'ab'[i % 2]}/{i}.png"
            file.writestr(name, encoded(picture((16, 16), i)))
        file.writestr(f"{around}README.txt", b"no image")
        file.writestr("__MACOSX/photos/._1.png", b"Apple's")
        file.writestr(".DS_Store", b"Apple's")
    data = load(tmp_path / "a.zip", tmp_path)
    assert (len(data.train.images), len(data.test.images)) == (8, 4)
    assert data.label_names == ("a", "b")
    (tmp_path / "unpacked").mkdir()
    with zipfile.ZipFile(tmp_path / "a.zip") as file:
        file.extractall(tmp_path / "unpacked")
    np.testing.assert_array_equal(load(tmp_path / "unpacked", tmp_path).test.labels, data.test.labels)
    # An image beside that folder: then it is a class folder as any other, and the image is in none.
    write(tmp_path / "unpacked" / "beside.png", encoded(picture((16, 16))))
    assert load(tmp_path / "unpacked", tmp_path).train.labels is None


def test_backslashes_of_an_archive_made_on_windows_part_folders(photos, tmp_path):
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as file:
        for path in sorted(photos.rglob("*.png")):
            file.writestr(str(path.relative_to(photos)).replace("/", "\\"), path.read_bytes())
    one, other = load(photos, tmp_path), load(tmp_path / "photos.zip", tmp_path)
    assert other.label_names == ("cats", "dogs")
    np.testing.assert_array_equal(one.train.images, other.train.images)
    np.testing.assert_array_equal(one.test.labels, other.test.labels)


def test_a_folder_around_class_folders_is_not_counted(tmp_path):
    for i in range(12):
        write(tmp_path / "set" / "train" / "pets" / "ab"[i % 2] / f"{i}.png", encoded(picture((16, 16), i)))
    assert load(tmp_path / "set", tmp_path).label_names == ("a", "b")
    assert load(tmp_path / "set" / "train", tmp_path).label_names == ("a", "b")


def test_links_are_followed_but_no_folder_twice(photos, tmp_path):
    (photos / "cats" / "loop").symlink_to(photos, target_is_directory=True)
    (photos / "gone.png").symlink_to(tmp_path / "nowhere")
    assert sum(map(len, (list_images(photos).train, list_images(photos).test))) == 41
    data = load(photos, tmp_path)
    assert [name for name, _ in data.skipped] == ["gone.png"]


def test_arrays_are_images_too(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (50, 20, 28, 3), dtype=np.uint8)
    np.savez_compressed(tmp_path / "a.npz", images=images, labels=np.arange(50) % 5)
    np.save(tmp_path / "b.npy", images[..., 0])
    np.savez(
        tmp_path / "c.npz", x_train=images[:40], y_train=np.arange(40) % 3, x_test=images[40:], y_test=np.arange(10) % 3
    )
    data = load(tmp_path / "a.npz", tmp_path)
    assert data.image_shape == (20, 28, 3)
    assert data.label_names == tuple("01234")
    places = {image.tobytes(): i for i, image in enumerate(images)}
    of = [places[image.tobytes()] for image in (*data.train.images, *data.test.images)]
    assert sorted(of) == list(range(50))
    np.testing.assert_array_equal([*data.train.labels, *data.test.labels], np.array(of) % 5)
    assert load(tmp_path / "b.npy", tmp_path).image_shape == (20, 28, 1)
    split = load(tmp_path / "c.npz", tmp_path)
    np.testing.assert_array_equal(split.train.images, images[:40])
    held_out = [images[40:].tolist().index(image.tolist()) for image in split.test.images]
    assert sorted(held_out) == list(range(10))
    np.testing.assert_array_equal(split.test.labels, np.array(held_out) % 3)


@pytest.mark.parametrize(
    ("names", "shape"),
    [
        (("x_train", "y_train", "x_test", "y_test"), (-1, 1)),  # as Keras has CIFAR-10's labels
        (("train_images", "train_labels", "test_images", "test_labels"), (-1, 1)),  # as MedMNIST has all
        (("x_train", "y_train", "x_test", "y_test"), (-1,)),
    ],
)
def test_arrays_of_other_tools(tmp_path, names, shape):
    images, labels = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), dtype=np.uint8), np.arange(12) % 4
    parts = images[:8], labels[:8].reshape(shape), images[8:], labels[8:].reshape(shape).astype(np.uint8)
    np.savez(tmp_path / "a.npz", **dict(zip(names, parts, strict=True)), extra=np.zeros(3))
    data = load(tmp_path / "a.npz", tmp_path)
    np.testing.assert_array_equal(data.train.images, images[:8])
    np.testing.assert_array_equal(data.train.labels, labels[:8])
    assert sorted(data.test.labels) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("a$b$", "a_b_"),
        ("<i>", "_i_"),
        ("back\\slash", "back_slash"),
        ("été 1", "été 1"),
        ("a&b", "a&b"),
        ("n\tl", "n_l"),
    ],
)
def test_the_name_of_a_folder_becomes_plain(tmp_path, folder, name):
    (tmp_path / folder).mkdir()
    source = read_source(str(tmp_path / folder), {})
    assert (source.name, source.path) == (name, tmp_path / folder)
    assert name_of("/") == "images"


def test_a_folder_whose_name_is_no_utf8_is_refused_and_a_link_to_it_taken(photos, tmp_path):
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    photos.rename(odd)
    done = run_here(f"--dataset={odd}", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "--dataset: expected a path whose name is UTF-8 without control characters; a link" in done.stderr
    (tmp_path / "link").symlink_to(odd)
    assert load(tmp_path / "link", tmp_path).name == "link"


# === How a file becomes an image ===


def test_an_image_of_the_right_size_is_taken_as_it_is():
    image = picture((8, 8))
    np.testing.assert_array_equal(decode(encoded(image), FORM), np.asarray(image))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_stand_upright(orientation):
    upright = Image.new("RGB", (16, 8), "black")
    upright.paste("white", (0, 0, 8, 8))
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the transposition that the tag undoes
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose(back[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = decode(encoded(stored, "PNG", exif=exif), Form(8, 16, 1))
    np.testing.assert_array_equal(found[..., 0], np.asarray(upright.convert("L")))


@pytest.mark.parametrize("damage", [b"", b"no TIFF header", b"II*\0\xff\xff\xff\x7f"])
def test_a_picture_whose_exif_data_are_damaged_is_one_all_the_same(damage):
    stored = Image.new("RGB", (16, 8), "white")
    content = encoded(stored, "JPEG", exif=b"Exif\0\0" + damage, dpi=(72, 72))
    assert (decode(content, Form(8, 16, 1)) > 250).all()
    assert look(content) == (8, 16, False)


def test_a_picture_stands_upright_where_its_other_exif_data_are_odd():
    # The orientation, 6, and a number below 0 where there are none, which Pillow reads and cannot write.
    entries = struct.pack("<HHLHHHHLl", 0x0112, 3, 1, 6, 0, 0x0100, 9, 1, -5)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 2) + entries + b"\0\0\0\0"
    content = encoded(Image.new("RGB", (16, 8), "white"), "JPEG", exif=exif)
    assert look(content) == (16, 8, False)


def test_what_is_transparent_lies_on_the_ground():
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert (decode(encoded(clear), FORM) == 255).all()
    assert (decode(encoded(clear), Form(8, 8, 3, ground=(0, 128, 255))) == [0, 128, 255]).all()
    half = Image.new("RGBA", (8, 8), (0, 0, 0, 128))
    assert np.abs(decode(encoded(half), FORM).astype(int) - 127).max() <= 1
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([255, 0, 0, 0, 255, 0])
    assert (decode(encoded(palette), FORM) == [0, 255, 0]).all()
    assert (decode(encoded(palette, transparency=1), FORM) == 255).all()


@pytest.mark.parametrize(
    ("icon", "background", "channels"),
    [
        (Image.new("RGBA", (16, 16), (20, 20, 20, 0)), "red", 3),
        (Image.new("LA", (16, 16), (20, 0)), "red", 3),
        (Image.new("LA", (16, 16), (20, 255)), "red", 1),
        (Image.new("RGBA", (16, 16), (255, 0, 0, 0)), "white", 1),  # a colour that nobody sees
    ],
)
def test_whether_it_is_in_colour_is_told_on_the_ground(tmp_path, icon, background, channels):
    for i in range(2):
        write(tmp_path / "icons" / f"{i}.png", encoded(icon))
    assert load(tmp_path / "icons", tmp_path, background=background).image_shape[2] == channels


def test_sixteen_bits_and_cmyk_and_one_bit():
    ramp = Image.fromarray(np.repeat(np.arange(0, 65_536, 8_192, dtype=np.uint16)[np.newaxis], 8, axis=0))
    expected = np.round(np.arange(0, 65_536, 8_192) / 257)
    np.testing.assert_array_equal(decode(encoded(ramp), Form(8, 8, 1))[0, :, 0], expected)
    np.testing.assert_array_equal(decode(encoded(ramp, "TIFF"), Form(8, 8, 1))[0, :, 0], expected)
    ink = Image.new("CMYK", (8, 8), (255, 0, 0, 0))
    assert np.abs(decode(encoded(ink, "JPEG", quality=100), FORM).astype(int) - [0, 255, 255]).max() <= 3
    assert (decode(encoded(Image.new("1", (8, 8), 1)), FORM) == 255).all()


def tiff(size, bits, photometric, pixels):
    """A TIFF of one strip as Pillow writes none, of bytes as they lie there."""
    tags = {256: size[0], 257: size[1], 258: bits, 259: 1, 262: photometric, 273: 8, 277: 1, 278: size[1]}
    tags[279] = len(pixels)
    entries = b"".join(struct.pack("<HHLHH", tag, 3, 1, value, 0) for tag, value in sorted(tags.items()))
    return b"II*\0" + struct.pack("<L", 8 + len(pixels)) + pixels + struct.pack("<H", len(tags)) + entries + bytes(4)


def test_of_a_tiff_white_is_what_its_tags_say():
    twelve = struct.pack("<8H", *range(0, 4096, 585))
    packed = b"".join(bytes([a >> 4, (a & 15) << 4 | b >> 8, b & 255]) for a, b in struct.iter_unpack("<2H", twelve))
    found = decode(tiff((8, 8), 12, 1, 8 * packed), Form(8, 8, 1))
    np.testing.assert_array_equal(found[0, :, 0], np.round(np.arange(0, 4096, 585) / 4095 * 255))
    sixteen = struct.pack("<8H", *range(0, 65_536, 9_362))
    for photometric, expected in ((1, np.arange(0, 65_536, 9_362) / 257), (0, 255 - np.arange(0, 65_536, 9_362) / 257)):
        found = decode(tiff((8, 8), 16, photometric, 8 * sixteen), Form(8, 8, 1))
        np.testing.assert_allclose(found[0, :, 0], expected, atol=0.5)
    with pytest.raises(NotDecodedError, match="integers of 32 bits, of which nobody knows which is white"):
        decode(tiff((8, 8), 32, 1, bytes(256)), FORM)


def test_of_an_animation_the_first_frame():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for kind in ("GIF", "WEBP"):
        content = encoded(
            frames[0], kind, save_all=True, append_images=frames[1:], **({"lossless": True} if kind == "WEBP" else {})
        )
        assert np.abs(decode(content, FORM).astype(int) - [255, 0, 0]).max() <= 2


def test_crops():
    wide = Image.new("RGB", (40, 20), "black")
    wide.paste("white", (10, 0, 30, 20))
    assert (decode(encoded(wide), FORM) == 255).all()
    squeezed = decode(encoded(wide), Form(8, 8, 1, "none"))
    assert 100 < squeezed.mean() < 155
    assert (decode(encoded(wide), Form(8, 8, 1, (0, 0, 10, 20))) == 0).all()
    with pytest.raises(NotDecodedError, match="40 x 20 pixels"):
        decode(encoded(wide), Form(8, 8, 1, (35, 0, 10, 20)))


@pytest.mark.parametrize(("mode", "in_colour"), [("RGB", True), ("L", False)])
def test_grey_and_colour_are_told_apart(mode, in_colour):
    assert look(encoded(picture(mode=mode))) == (32, 32, in_colour)
    assert look(encoded(picture(mode=mode).convert("RGB"), "JPEG")) == (32, 32, in_colour)


@pytest.mark.parametrize(
    ("sides", "expected"), [((100, 80), 64), ((63, 200), 48), ((30, 30), 28), ((20, 20), 28), ((33, 32), 32)]
)
def test_the_default_size_is_not_above_the_shorter_side(tmp_path, sides, expected):
    for i in range(3):
        write(tmp_path / "set" / f"{i}.png", encoded(picture(sides, i)))
    assert load(tmp_path / "set", tmp_path).image_shape == (expected, expected, 3)
    assert load(tmp_path / "set", tmp_path, image_size="16x24", channels="1").image_shape == (16, 24, 1)


@pytest.mark.parametrize("text", ["9" * 5_000, "30", "12", "256", "64x", "64x48x3", "a", "-64", "64.0"])
def test_sizes_that_are_none(text):
    with pytest.raises(UserError, match="--image_size"):
        read_size(text)


@pytest.mark.parametrize("text", ["", "middle", "1,2,3", "0,0,0,5", "-1,0,5,5", "a,b,c,d"])
def test_crops_that_are_none(text):
    with pytest.raises(UserError, match="--crop"):
        read_crop(text)


def test_grounds():
    assert read_ground("#8040ff") == (128, 64, 255)
    with pytest.raises(UserError, match="--background"):
        read_ground("nowhere")


# === Once ===


def test_images_are_decoded_once_and_a_change_is_noticed(photos, tmp_path, monkeypatch):
    decoded = []
    monkeypatch.setattr(folder_loader, "decode", lambda *given: decoded.append(1) or decode(*given))
    first = load(photos, tmp_path)
    assert len(decoded) == 40
    assert load(photos, tmp_path).digest == first.digest
    assert len(decoded) == 40
    write(photos / "cats" / "deeper" / "1.png", encoded(picture((40, 36), 99)))
    assert load(photos, tmp_path).digest != first.digest
    assert len(decoded) == 80
    assert isinstance(first.train.images.base, np.memmap)
    assert not list(photos.rglob("*.partial"))


def test_images_that_were_moved_are_the_same(photos, tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((20, 16, 16), np.uint8))
    (tmp_path / "elsewhere").mkdir()
    for path in (photos, tmp_path / "a.npy"):
        before = load(path, tmp_path).digest
        after = load(path.rename(tmp_path / "elsewhere" / path.name), tmp_path).digest
        assert before == after
    assert len(list((tmp_path / "cache" / "images").iterdir())) == 2


def test_images_that_are_others_are_told_apart_where_names_sizes_and_times_are_alike(tmp_path):
    found = set()
    for part in "ab":
        for i in range(12):
            write(tmp_path / part / "set" / f"{i}.bmp", encoded(picture((16, 16), i + 50 * (part == "b")), "BMP"))
            os.utime(tmp_path / part / "set" / f"{i}.bmp", (0, 0))
        np.save(tmp_path / part / "set.npy", np.full((20, 16, 16), ord(part), np.uint8))
        os.utime(tmp_path / part / "set.npy", (0, 0))
        found |= {load(tmp_path / part / name, tmp_path).digest for name in ("set", "set.npy")}
    assert len(found) == 4


def test_two_that_need_the_same_images_decode_them_once(photos, tmp_path, monkeypatch):
    decoded = []
    monkeypatch.setattr(folder_loader, "decode", lambda *given: decoded.append(1) or decode(*given))
    threads = [threading.Thread(target=load, args=(photos, tmp_path)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(decoded) == 40


# === What cannot be read ===


def bomb(width, height):
    """A PNG of a few bytes that says it is this large."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def vast_frame():
    """A GIF with a screen of one pixel and a frame of 12,000 x 12,000."""
    content = bytearray(encoded(Image.new("P", (4, 4)), "GIF"))
    content[6:10] = struct.pack("<HH", 1, 1)
    frame = content.index(b"\x2c")
    content[frame + 5 : frame + 9] = struct.pack("<HH", 12_000, 12_000)
    return bytes(content)


UNREADABLE = {
    "text.png": b"just text",
    "empty.jpg": b"",
    "short.jpg": encoded(picture((64, 64)), "JPEG")[:600],
    "vast.png": bomb(30_000, 30_000),
    "frame.gif": vast_frame(),
    "float.tif": encoded(Image.fromarray(np.zeros((8, 8), np.float32)), "TIFF"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_is_no_image_says_why(name):
    with pytest.raises(NotDecodedError) as info:
        decode(UNREADABLE[name], FORM)
    assert len(str(info.value).splitlines()) == 1


def test_a_few_that_cannot_be_read_are_left_out_and_named(photos, tmp_path):
    write(photos / "text.png", b"just text")
    os.link(photos / "text.png", os.fsencode(photos) + b"/\xff\xfe.png")
    data = load(photos, tmp_path)
    assert len(data.train.images) + len(data.test.images) == 40
    assert sorted(name for name, _ in data.skipped) == ["\\xff\\xfe.png", "text.png"]


def test_a_file_that_the_system_does_not_give_out_is_refused_and_read_later(photos, tmp_path, monkeypatch):
    def failing_open(self, *args, **kwargs):
        if self.name == "7.png":
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return given_out(self, *args, **kwargs)

    given_out = Path.open
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", failing_open)
        with pytest.raises(UserError, match=r"read \(Permission denied\)\. Received: .*, with cats/deeper/7.png"):
            load(photos, tmp_path)
    data = load(photos, tmp_path)
    assert (len(data.train.images) + len(data.test.images), data.skipped) == (40, ())


def test_a_name_with_a_line_break_stays_in_one_line(photos, tmp_path):
    write(photos / "a\n\x1b[31mb.png", b"just text")
    assert [name for name, _ in load(photos, tmp_path).skipped] == ["a\\n\\x1b[31mb.png"]
    for i in range(10):
        write(photos / f"\n{i}.png", b"just text")
    with pytest.raises(UserError, match="such as") as info:
        load(photos, tmp_path)
    assert len(str(info.value).splitlines()) == 1


def test_a_name_of_any_length_has_a_place_in_the_cache(photos, tmp_path):
    photos = photos.rename(photos.with_name("ä" * 127))
    assert len(load(photos, tmp_path).train.images) > 1


def test_nothing_is_kept_within_the_images(photos, tmp_path):
    before = sorted(photos.rglob("*"))
    (tmp_path / "link").symlink_to(photos)
    for folder in (photos, photos / "cache", tmp_path / "link" / "cache"):
        with pytest.raises(UserError, match="--cache_dir: expected a place outside the folder of images"):
            load_data(str(photos), cache_dir=str(folder))
    assert sorted(photos.rglob("*")) == before


def test_many_that_cannot_be_read_stop_the_work(photos, tmp_path):
    for i in range(10):
        write(photos / f"{i}.png", b"just text")
    with pytest.raises(
        UserError, match=r"at most a tenth cannot be read\. Received: .*10 of 50 cannot, such as \d.png"
    ):
        load(photos, tmp_path)
    assert not list((tmp_path / "cache" / "images").iterdir())


def test_the_first_of_what_is_held_out_are_a_sample_of_all(tmp_path):
    for i in range(40):
        for split in ("train", "test"):
            write(tmp_path / "set" / split / "ab"[i // 20] / f"{i:02}.png", encoded(picture((16, 16), i)))
    data = load(tmp_path / "set", tmp_path)
    assert set(data.test.labels[:12]) == {0, 1}
    images = np.random.default_rng(0).integers(0, 256, (300, 16, 16), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=images, labels=np.repeat([7, 1_000_000], 150))
    data = load(tmp_path / "a.npz", tmp_path)
    assert data.label_names == ("7", "1000000")
    assert set(data.test.labels[:12]) == {0, 1}


def test_a_damaged_member_of_an_archive_is_left_out(tmp_path):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for i in range(30):
            file.writestr(f"{i:02}.bmp", encoded(picture((16, 16), i), "BMP"))
    damaged = bytearray(content.getvalue())
    start = damaged.index(b"07.bmp") + 6
    damaged[start : start + 40] = b"\xff" * 40
    (tmp_path / "a.zip").write_bytes(damaged)
    assert [name for name, _ in load(tmp_path / "a.zip", tmp_path).skipped] == ["07.bmp"]


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_whose_parts_cannot_be_read_by_themselves_is_refused(tmp_path, kind):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", kind) as file:
        file.writestr("1.png", encoded(picture()))
    with pytest.raises(UserError, match="deflated or stored"):
        load(tmp_path / "a.zip", tmp_path)


def test_labels_beside_an_array_are_noticed(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((20, 16, 16), np.uint8))
    assert load(tmp_path / "a.npy", tmp_path).train.labels is None
    np.save(tmp_path / "a_labels.npy", np.arange(20) % 2)
    assert set(load(tmp_path / "a.npy", tmp_path).train.labels) == {0, 1}


def test_other_arrays_of_a_file_are_no_matter(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.zeros((20, 16, 16), np.uint8), names=np.array(["a"], object))
    assert load(tmp_path / "a.npz", tmp_path).image_shape == (16, 16, 1)


def test_the_one_that_is_held_out_has_to_be_read(tmp_path):
    names = sorted((f"{i}.png" for i in range(100)), key=place_of)
    assert place_of(names[0]) < 0.1 < place_of(names[-11])
    for i, name in enumerate([names[0], *names[-11:]]):
        write(tmp_path / "set" / name, encoded(picture((16, 16), i)))
    held_out = list_images(tmp_path / "set").test
    assert len(held_out) == 1
    write(tmp_path / "set" / held_out[0].name, b"just text")
    with pytest.raises(UserError, match=r"for training and for evaluation\. Received: .*11 and 0 that can be read"):
        load(tmp_path / "set", tmp_path)


def claims(path):
    """An array that says it is far larger than its file."""
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (10**10, 28, 28)})


def objects(path):
    np.savez(path, images=np.array([{}, {}], object))


def lies(path):
    """An archive whose directory says of an array, of zeros, that it is larger than deflated data can be."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**6, 40, 50)})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", header.getvalue() + bytes(10**5))
        archive.infolist()[0].file_size = 2 * 10**9 + 128


BAD_SOURCES = {
    "nowhere": lambda path: None,
    "empty": lambda path: path.mkdir(),
    "one": lambda path: write(path / "1.png", encoded(picture())),
    "text.txt": lambda path: path.write_text("text"),
    "text.zip": lambda path: path.write_text("text"),
    "text.npz": lambda path: path.write_text("text"),
    "text.npy": lambda path: path.write_text("text"),
    "objects.npz": objects,
    "floats.npz": lambda path: np.savez(path, images=np.zeros((9, 16, 16))),
    "wide.npy": lambda path: np.save(path, np.zeros((9, 16, 16), np.uint16)),
    "flat.npy": lambda path: np.save(path, np.zeros((9, 16), np.uint8)),
    "two.npz": lambda path: np.savez(path, images=np.zeros((9, 16, 16, 2), np.uint8)),
    "names.npz": lambda path: np.savez(path, pictures=np.zeros((9, 16, 16), np.uint8)),
    "labels.npz": lambda path: np.savez(path, images=np.zeros((9, 16, 16), np.uint8), labels=np.arange(3)),
    "claims.npy": claims,
    "words.npz": lambda path: np.savez(path, images=np.zeros((9, 16, 16), np.uint8), labels=np.array(["a"] * 9)),
    "one.npy": lambda path: np.save(path, np.zeros((1, 16, 16), np.uint8)),
}


@pytest.mark.parametrize("name", BAD_SOURCES)
def test_what_is_no_data_set_is_refused_in_one_line(tmp_path, name):
    path = tmp_path / name
    BAD_SOURCES[name](path)
    with pytest.raises(UserError, match="--dataset: expected") as info:
        load(path, tmp_path)
    assert len(str(info.value).splitlines()) == 1
    assert str(path) in str(info.value)


def test_what_an_archive_claims_is_not_taken_for_granted(tmp_path, monkeypatch):
    lies(tmp_path / "lies.npz")
    with pytest.raises(UserError, match="claims more than it can hold"):
        load(tmp_path / "lies.npz", tmp_path)
    # Labels that are too many are not read: deflated, they may be more than memory holds.
    monkeypatch.setattr(array_loader, "_labels", lambda array: pytest.fail("they were read"))
    np.savez(tmp_path / "many.npz", images=np.zeros((9, 16, 16), np.uint8), labels=np.zeros(10**5, np.uint8))
    with pytest.raises(UserError, match="a label for each of 9 images; it has 100,000"):
        load(tmp_path / "many.npz", tmp_path)


def test_an_array_of_one_picture_is_not_taken_for_many(tmp_path):
    np.save(tmp_path / "one.npy", np.zeros((48, 32, 3), np.uint8))
    with pytest.raises(UserError, match=r"expected images \[N, H, W, C\]; it has \[48, 32, 3\], which is one image"):
        load(tmp_path / "one.npy", tmp_path)


@pytest.mark.parametrize("missing", ["y_train", "y_test"])
def test_labels_of_one_split_alone_are_refused(tmp_path, missing):
    images, labels = np.zeros((9, 16, 16), np.uint8), np.arange(9)
    arrays = {"x_train": images, "y_train": labels, "x_test": images, "y_test": labels}
    del arrays[missing]
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(UserError, match=f"labels of both splits, or of neither; it has no {missing}"):
        load(tmp_path / "a.npz", tmp_path)


def test_a_truncated_array_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((20, 16, 16), np.uint8))
    content = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(content[:-100])
    with pytest.raises(UserError, match="ends within an image"):
        load(tmp_path / "a.npy", tmp_path)


def test_an_archive_with_a_password_is_refused(photos, tmp_path):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("1.png", encoded(picture()))
    locked = bytearray(content.getvalue())
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(locked)
    with pytest.raises(UserError, match="without a password"):
        load(tmp_path / "locked.zip", tmp_path)


def test_too_small_a_disk_is_said_before_anything_is_decoded(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10_000))
    monkeypatch.setattr(folder_loader, "decode", lambda *_: pytest.fail("a picture was decoded"))
    with pytest.raises(UserError, match=r"--cache_dir: .*\(0\.12 MB are needed, 0\.01 MB free\)"):
        load(photos, tmp_path)
    assert not list((tmp_path / "cache" / "images").glob("[!.]*"))


def test_a_cache_that_cannot_be_written_is_named(photos, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="--cache_dir: expected a folder that can be written"):
        load_data(str(photos), cache_dir=str(tmp_path / "file"))


# === A run ===


def test_a_folder_trains_goes_on_and_notices_that_it_changed(photos, tmp_path):
    write(photos / "text.png", b"just text")
    flags = ("--batch_size=8", "--latents=noise:4,cat:2", "--precision=float32", "--evaluation=none",
             "--eval_every=2", "--image_size=16", f"--cache_dir={tmp_path / 'cache'}")  # fmt: skip
    done = run_here("--dataset=photos", "--steps=2", *flags, cwd=tmp_path)
    assert "1 files could not be read" in done.stdout
    (run,) = (tmp_path / "runs" / "photos").iterdir()
    record = json.loads((run / "config.json").read_text())
    assert Path(record["config"]["dataset"]) == photos
    assert record["image_shape"] == [16, 16, 3]
    assert (run / "skipped_files.txt").read_text().startswith("text.png: ")
    assert "c1_error" in (run / "metrics.jsonl").read_text()
    metadata = json.loads((run / "export/infogan/1/assets.extra/metadata.json").read_text())
    assert metadata["dataset"] == metadata["options"]["dataset"] == "photos"
    run_here("--resume", f"--run_dir={run}", "--steps=4", "--evaluation=none", cwd=tmp_path, exporting=False)
    write(photos / "cats" / "new.png", encoded(picture()))
    done = run_here("--resume", f"--run_dir={run}", "--steps=6", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "--dataset: expected the images that" in done.stderr
    (photos / "cats" / "new.png").unlink()
    moved = photos.rename(tmp_path / "moved")
    done = run_here("--resume", f"--run_dir={run}", "--steps=6", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert (
        f"which are not there any more; --dataset=FOLDER says where they are now. Received: '{photos}'" in done.stderr
    )
    run_here("--mode=sample", f"--run_dir={run}", "--count=4", cwd=tmp_path)  # needs no images
    for other in ("mnist", "tfds:mnist"):
        done = run_here("--resume", f"--run_dir={run}", f"--dataset={other}", cwd=tmp_path, check=False)
        assert f"and keeps it. Received: '{other}'" in done.stderr
    flags = ("--steps=6", "--dataset=moved", "--evaluation=none")
    run_here("--resume", f"--run_dir={run}", *flags, cwd=tmp_path, exporting=False)
    assert Path(json.loads((run / "config.json").read_text())["config"]["dataset"]) == moved
    (tmp_path / "others").mkdir()
    for i in range(40):
        write(tmp_path / "others" / f"{i}.png", encoded(picture((40, 36), i)))
    done = run_here("--resume", f"--run_dir={run}", "--steps=8", "--dataset=others", cwd=tmp_path, check=False)
    assert "--dataset: expected the images that" in done.stderr


def test_options_of_files_are_refused_for_a_data_set_by_name(tmp_path):
    done = run_here("--dataset=digits", "--image_size=32", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "--image_size: --dataset=digits is as it is" in done.stderr


def test_figures_are_trained_with_their_own_networks(tmp_path):
    images = np.zeros((12, 16, 16), np.uint8)
    images[:, 5:9, 6:8] = np.random.default_rng(0).integers(128, 256, (12, 4, 2))
    np.save(tmp_path / "figures.npy", images)
    tiny = ("--batch_size=2", "--start_steps=1", "--evaluation=none", "--cache_dir=cache")
    flags = ("--dataset=figures.npy", "--recipe=invariant", "--run_dir=run", "--latents=noise:6,cat:3", *tiny)
    done = run_here(*flags, "--starts=2", "--steps=2", cwd=tmp_path, exporting=False)
    assert (
        "figures has figures on an even ground, grey: --networks=paper, --steps=2, --starts=2 suit them" in done.stdout
    )
    options = json.loads((tmp_path / "run" / "config.json").read_text())["config"]
    assert options["networks"] == "paper"
    assert options["feature_matching_start"] == 1
    assert options["invariances"] == usual_changes(FIGURES, colour=False)
    run_here("--resume", "--run_dir=run", "--steps=3", "--evaluation=none", cwd=tmp_path, exporting=False)
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["step"] == 3
