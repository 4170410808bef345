"""Every signature of the SavedModel does what export/README.md says: in Python, and in the C++ loader of TF Serving."""

import io
import json
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from cpp_loader import from_json, to_json
from PIL import Image
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from infogan_tf import pictures
from infogan_tf.data.decoding import Form, decode
from infogan_tf.export.picture_files import decode_image, require_sizes
from infogan_tf.export.signatures import BLOCK

NONE = {"c1": np.zeros(0, np.int32), "c2": np.zeros(0, np.float32), "c3": np.zeros(0, np.float32)}
NONE["c4"] = NONE["c1"]


@pytest.fixture(scope="module")
def loaded(exported):
    return tf.saved_model.load(str(exported))


@pytest.fixture(scope="module")
def call(loaded):
    """Asks a signature for inputs, arrays by name; gives its outputs as arrays."""

    def call(signature, **inputs):
        outputs = loaded.signatures[signature](**{name: tf.constant(value) for name, value in inputs.items()})
        return {name: value.numpy() for name, value in outputs.items()}

    return call


def latents_of(model, count):
    """Inputs of `generate`, and what the live model's generator reads for them."""
    noise, values = model.layout.sample_parts(count, tf.constant([4, 2]))
    inputs = {"noise": noise.numpy()} | {name: value.numpy() for name, value in values.items()}
    return inputs, model.layout.join(noise, values)


def picture_file(array, form="PNG", **options):
    content = io.BytesIO()
    Image.fromarray(array).save(content, format=form, **options)
    return content.getvalue()


def files_of(*contents):
    array = np.empty(len(contents), object)
    array[:] = contents
    return array


def sampled(**changes):
    return {"count": np.int32(3), "seed": np.int32(7), **NONE, **changes}


def traversed(**changes):
    numbers = {"low": np.float32(-2), "high": np.float32(2), "steps": np.int32(7), "rows": np.int32(3)}
    return {"code": "c2", **numbers, "seed": np.int32(7), **changes}


def test_they_are_as_documented(loaded):
    codes = {"c1": ("int32", [None]), "c2": ("float32", [None]), "c3": ("float32", [None]), "c4": ("int32", [None])}
    images = ("float32", [None, 8, 8, 1])
    whole, real = ("int32", []), ("float32", [])
    latents = {"noise": ("float32", [None, 6]), **codes}
    posterior = {"c1_probabilities": ("float32", [None, 10]), "c1_class": ("int32", [None])} | {
        name: ("float32", [None]) for name in ("c2_mean", "c2_stddev", "c3_mean", "c3_stddev", "c4_probability")
    }
    line = {"low": real, "high": real, "steps": whole, "rows": whole}
    expected = {
        "serving_default": (latents, {"images": images}),
        "generate": (latents, {"images": images}),
        "generate_png": (latents, {"png_bytes": ("string", [None])}),
        "sample": ({"count": whole, "seed": whole, **codes}, {"images": images, **codes}),
        "traverse": (
            {"code": ("string", []), **line, "seed": whole},
            {"images": images, "values": ("float32", [None]), "png_bytes": ("string", [])},
        ),
        "encode": ({"images": images}, posterior),
        "encode_png": ({"image_bytes": ("string", [None])}, posterior),
        "describe": ({"what": ("string", [])}, {"text": ("string", [])}),
    }

    def in_words(specs):
        return {name: (spec.dtype.name, spec.shape.as_list()) for name, spec in specs.items()}

    found = {
        name: (in_words(signature.structured_input_signature[1]), in_words(signature.structured_outputs))
        for name, signature in loaded.signatures.items()
    }
    assert found == expected


@pytest.mark.parametrize("count", [0, 1, 64])
def test_generate_draws_what_the_live_model_draws(live_model, call, count):
    inputs, latents = latents_of(live_model, count)
    images = call("serving_default", **inputs)["images"]
    # Batch norm, folded into the weights, rounds otherwise in the last digit.
    np.testing.assert_allclose(images, live_model(latents), atol=5e-7)
    files = call("generate_png", **inputs)["png_bytes"]
    assert len(files) == count
    for file, image in zip(files, pictures.to_bytes(images), strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(file))), image[..., 0])


def test_many_rows_go_through_the_networks_in_blocks(live_model, call):
    count = 2 * BLOCK + 1
    inputs, latents = latents_of(live_model, count)
    images = call("generate", **inputs)["images"]
    np.testing.assert_allclose(images, live_model.generate(latents), atol=1e-6)
    found, expected = call("encode", images=images), live_model.encode(images)
    np.testing.assert_allclose(found["c1_probabilities"], expected["c1"]["probabilities"], atol=1e-6)
    np.testing.assert_allclose(found["c2_mean"], expected["c2"]["mean"], atol=1e-6)
    assert found["c1_class"].shape == (count,)


@pytest.mark.parametrize("count", [0, 3])
def test_encode_reads_as_the_live_model_reads(live_model, call, count):
    images = live_model(latents_of(live_model, count)[1]).numpy()
    found = call("encode", images=images)
    for name, parts in live_model.posterior(tf.constant(images)).items():
        for what, value in parts.items():
            np.testing.assert_array_equal(found[f"{name}_{what}"], value)
    np.testing.assert_array_equal(found["c1_class"], found["c1_probabilities"].argmax(axis=-1))


def test_sample_draws_from_the_priors_and_is_a_function_of_the_seed(live_model, call):
    first = call("sample", **sampled(count=np.int32(10_000)))
    again = call("sample", **sampled(count=np.int32(5)))
    other = call("sample", **sampled(seed=np.int32(-8)))
    latents = live_model.layout.join(
        live_model.layout.noise.sample(5, _first_seed(7)), {name: again[name] for name in NONE}
    )
    np.testing.assert_allclose(again["images"], live_model(latents), atol=1e-6)
    for name, value in again.items():
        np.testing.assert_allclose(first[name][:5], value, atol=1e-6, err_msg=name)
    assert not np.array_equal(other["images"], again["images"][:3])
    frequencies = np.bincount(first["c1"], minlength=10) / 10_000
    # Four standard errors.
    np.testing.assert_allclose(frequencies, 0.1, atol=4 * np.sqrt(0.1 * 0.9 / 10_000))
    assert abs(first["c4"].mean() - 0.5) < 0.02
    assert abs(first["c3"].std() - 1.0) < 0.03
    assert first["c2"].min() >= -1.0
    assert first["c2"].max() <= 1.0


def _first_seed(seed):
    """That of the noise: see `LatentLayout.sample_parts`."""
    return tf.random.fold_in(tf.constant([seed, 0]), 0)


def test_sample_takes_fixed_codes(call):
    drawn = call("sample", **sampled())
    given = {"c1": np.array([3], np.int32), "c2": np.array([-1, 0, 1.5], np.float32)}
    fixed = call("sample", **sampled(**given))
    np.testing.assert_array_equal(fixed["c1"], [3, 3, 3])
    np.testing.assert_array_equal(fixed["c2"], given["c2"])
    np.testing.assert_array_equal(fixed["c3"], drawn["c3"])
    assert not np.array_equal(fixed["images"], drawn["images"])


@pytest.mark.parametrize("code", NONE)
def test_traverse_varies_one_code_and_nothing_else(live_model, call, code):
    rows = 3
    found = call("traverse", **traversed(code=code))
    expected = live_model.layout[code].traversal(7)
    np.testing.assert_allclose(found["values"], expected, atol=1e-6)
    # The rows are those that `sample` draws with the same seed.
    columns, of_sample = len(expected), call("sample", **sampled())
    values = {name: np.repeat(of_sample[name], columns) for name in NONE}
    values[code] = np.tile(found["values"], rows).astype(values[code].dtype)
    noise = np.repeat(live_model.layout.noise.sample(rows, _first_seed(7)), columns, axis=0)
    images = live_model(live_model.layout.join(noise, values))
    np.testing.assert_allclose(found["images"], images, atol=1e-6)
    picture = np.asarray(Image.open(io.BytesIO(found["png_bytes"])))
    np.testing.assert_array_equal(picture, pictures.tile(found["images"], columns)[..., 0])


def test_traverse_looks_at_the_range_of_continuous_codes_alone(call):
    whole = call("traverse", **traversed(code="c1"))
    other = call("traverse", **traversed(code="c1", low=np.float32("nan"), high=np.float32(9e9), steps=np.int32(0)))
    np.testing.assert_array_equal(whole["images"], other["images"])
    one = call("traverse", **traversed(low=np.float32(0.5), high=np.float32(0.5), steps=np.int32(1)))
    assert one["values"] == [0.5]


RNG = np.random.default_rng(0)
GREY, COLOUR = (RNG.integers(0, 256, shape, dtype=np.uint8) for shape in ((8, 8), (40, 28, 3)))
SMOOTH = np.asarray(Image.fromarray(RNG.integers(0, 256, (4, 4, 3), dtype=np.uint8)).resize((48, 64), Image.BICUBIC))


def test_a_picture_of_the_right_size_is_taken_as_it_is(call):
    found = call("encode_png", image_bytes=files_of(picture_file(GREY), picture_file(np.stack([GREY] * 3, axis=-1))))
    expected = call("encode", images=np.stack([GREY[..., np.newaxis]] * 2).astype(np.float32) / 255.0)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=1e-6, err_msg=name)


@pytest.mark.parametrize(
    "picture", [COLOUR, COLOUR[:5, :3], SMOOTH, GREY], ids=["shrunk", "enlarged", "smooth", "grey"]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_are_resized_as_the_data_loaders_do_it(picture, channels):
    resized = Image.fromarray(picture).convert("RGB").resize((16, 12), Image.Resampling.BICUBIC)
    expected = np.asarray(resized.convert("L" if channels == 1 else "RGB")).reshape(12, 16, channels)
    found = decode_image("file", tf.constant(picture_file(picture)), Form(12, 16, channels, "none")).numpy() * 255.0
    # Pillow's weights are integers of 22 bits: other levels are rare, and near.
    assert np.abs(found - expected).max() <= 5.0
    assert np.mean(np.abs(found - expected) > 1.0) <= 0.01


@pytest.mark.parametrize(("form", "options"), [("JPEG", {"quality": 95}), ("JPEG", {"progressive": True}), ("BMP", {})])
def test_other_forms_of_files_are_read(form, options):
    content = picture_file(SMOOTH, form, **options)
    expected = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    found = decode_image("file", tf.constant(content), Form(*SMOOTH.shape)).numpy() * 255.0
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("colours", [2, 4, 16])
@pytest.mark.parametrize("transparency", [None, 1])
def test_pictures_of_few_bits_are_read(colours, transparency):
    picture = Image.fromarray(COLOUR).quantize(colours)
    file, options = io.BytesIO(), {} if transparency is None else {"transparency": transparency}
    picture.save(file, "PNG", bits={2: 1, 4: 2, 16: 4}[colours], **options)
    assert file.getvalue()[24] < 8  # the bits of a place in the palette
    form = Form(*COLOUR.shape)
    found = decode_image("file", tf.constant(file.getvalue()), form).numpy() * 255.0
    np.testing.assert_allclose(found, decode(file.getvalue(), form), atol=1e-4)


def test_bitmaps_with_a_palette_are_those_of_greys_alone():
    form = Form(*GREY.shape, 1)
    found = decode_image("file", tf.constant(picture_file(GREY, "BMP")), form).numpy() * 255.0
    np.testing.assert_allclose(found[..., 0], GREY, atol=1e-4)
    file = io.BytesIO()
    Image.fromarray(COLOUR).quantize(16).save(file, "BMP")
    with pytest.raises(tf.errors.InvalidArgumentError, match="file: expected BMP files of 24 or 32 bits, or of greys"):
        decode_image("file", tf.constant(file.getvalue()), form)


FORMS = [Form(16, 24, 3), Form(24, 16, 3, "none"), Form(16, 16, 1), Form(16, 16, 3, (5, 7, 40, 30))]


def as_loaded(content, form):
    """How many levels the graph's image of a file lies from that of the data loaders, at most."""
    found = decode_image("file", tf.constant(content), form).numpy() * 255.0
    return np.abs(found - decode(content, form)).max()


@pytest.mark.parametrize("orientation", range(10))  # 0 and 9 say nothing
@pytest.mark.parametrize("order", ["II", "MM"])
def test_photos_stand_upright_and_are_cropped_as_the_data_loaders_do_it(orientation, order):
    tags = Image.Exif()
    tags.endian = {"II": "<", "MM": ">"}[order]
    tags[271], tags[274] = "a camera", orientation
    content = picture_file(SMOOTH, "JPEG", exif=tags)
    assert order.encode() in content[:40]
    assert all(as_loaded(content, form) <= 1.01 for form in FORMS)


@pytest.mark.parametrize("place", [20, 24, 30, 34])
def test_damaged_exif_data_is_no_matter(place):
    tags = Image.Exif()
    tags[274] = 6
    content = bytearray(picture_file(SMOOTH, "JPEG", exif=tags))
    start = content.index(b"Exif") + 6
    content[start + place - 20 : start + place - 16] = b"\xff" * 4
    found = decode_image("file", tf.constant(bytes(content)), Form(16, 24, 3))
    assert found.shape == (16, 24, 3)


@pytest.mark.parametrize("form", [Form(64, 48, 3), Form(64, 48, 3, "none", (10, 200, 30)), Form(20, 16, 3)])
def test_what_is_transparent_lies_on_the_ground(form):
    opaque = np.random.default_rng(1).integers(0, 256, (64, 48, 1), dtype=np.uint8)
    assert as_loaded(picture_file(np.concatenate([SMOOTH, opaque], axis=-1)), form) <= 1.01


def test_a_picture_that_the_part_does_not_fit_into_is_refused_and_one_of_the_own_size_is_not():
    form = Form(64, 48, 3, (100, 0, 50, 50))
    found = decode_image("file", tf.constant(picture_file(SMOOTH)), form).numpy() * 255.0
    np.testing.assert_allclose(found, SMOOTH, atol=1e-4)
    with pytest.raises(tf.errors.InvalidArgumentError, match="file: expected pictures that have the part 100,0,50,50"):
        decode_image("file", tf.constant(picture_file(COLOUR)), form)


def test_describe_answers_with_what_lies_beside_the_model(exported, call):
    text = call("describe", what="metadata")["text"].decode()
    assert text == (exported / "assets.extra" / "metadata.json").read_text()
    assert call("describe", what="readme")["text"].decode() == (exported / "README.md").read_text()


def generated(**changes):
    inputs = {"noise": np.zeros((2, 6), np.float32), "c1": np.zeros(2, np.int32), "c2": np.zeros(2, np.float32)}
    return {**inputs, "c3": inputs["c2"], "c4": inputs["c1"], **changes}


def one(value):
    return np.full((1, 8, 8, 1), value, np.float32)


def huge_files():
    """Small files that say they are of more than 16 million pixels; and how many."""
    wide = picture_file(np.zeros((1, 60_000), np.uint8), "JPEG")
    place = wide.index(b"\xff\xc0") + 5
    return {
        "PNG": (picture_file(np.zeros((4097, 4096), np.uint8)), str(4097 * 4096)),
        "JPEG": (wide[:place] + (50_000).to_bytes(2, "big") + wide[place + 2 :], str(50_000 * 60_000)),
        "BMP": (b"BM" + bytes(16) + (10_000).to_bytes(4, "little") + (-2_000).to_bytes(4, "little", signed=True),
                str(10_000 * 2_000)),
    }  # fmt: skip


def header_alone(width, height):
    """A PNG of 33 bytes that says it is of this size."""
    content = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + content + struct.pack(">I", zlib.crc32(content))


def lying_files():
    """Small files that say they are of 16 million pixels, and have a few."""
    own, bmp = picture_file(GREY), bytearray(picture_file(SMOOTH, "BMP"))
    bmp[18:26] = 2 * (4096).to_bytes(4, "little")
    return {
        "PNG": header_alone(4096, 4096) + own[33:],
        "PNG with two headers": own[:33] + header_alone(60_000, 60_000)[8:] + own[33:],
        "BMP": bytes(bmp),
    }


HOSTILE = {
    "class 12 of 10": ("generate", generated(c1=np.array([3, 12], np.int32)), "c1: expected classes from 0 to 9", "12"),
    "class -1": ("generate_png", generated(c1=np.array([3, -1], np.int32)), "c1: expected classes from 0 to 9", "-1"),
    "bernoulli 2": ("generate", generated(c4=np.array([2, 0], np.int32)), "c4: expected classes from 0 to 1", "2"),
    "NaN noise": ("generate", generated(noise=np.full((2, 6), np.nan, np.float32)), "noise: expected numbers", "nan"),
    "infinite code": ("generate", generated(c2=np.array([0, np.inf], np.float32)), "c2: expected numbers from", "inf"),
    "huge code": ("generate", generated(c3=np.array([0, 1e30], np.float32)), "c3: expected numbers from", "1e+30"),
    "narrow noise": ("generate", generated(noise=np.zeros((2, 5), np.float32)), "noise", "[2,5]", "[?,6]"),
    "noise without rows": ("generate", generated(noise=np.zeros(6, np.float32)), "noise", "[6]", "[?,6]"),
    "a row too many": ("generate", generated(c2=np.zeros(3, np.float32)), "c2: expected as many rows as noise", "3"),
    "codes in columns": ("generate", generated(c1=np.zeros((2, 1), np.int32)), "c1", "[2,1]", "[?]"),
    "count 0": ("sample", sampled(count=np.int32(0)), "count: expected a number from 1", "[0]"),
    "count 10 million": ("sample", sampled(count=np.int32(10**7)), "count: expected a number", "10000]", "10000000"),
    "count as a list": ("sample", sampled(count=np.zeros(1, np.int32)), "count", "[1]", "[]"),
    "codes for some": ("sample", sampled(c2=np.zeros(2, np.float32)), "c2: expected no value, one, or", "[3]", "[2]"),
    "NaN code": ("sample", sampled(c3=np.full(1, np.nan, np.float32)), "c3: expected numbers from", "nan"),
    "class 12 for all": ("sample", sampled(c1=np.full(1, 12, np.int32)), "c1: expected classes from 0 to 9", "12"),
    "unknown code": ("traverse", traversed(code="c9"), "code: expected one of c1, c2, c3, c4", "c9"),
    "no steps": ("traverse", traversed(steps=np.int32(0)), "steps: expected a number from 1", "[0]"),
    "too many steps": ("traverse", traversed(steps=np.int32(2**31 - 1)), "steps: expected a number", "2147483647"),
    "too many images": ("traverse", traversed(rows=np.int32(1429)), "rows: expected a number", "[1428]", "[1429]"),
    "negative rows": ("traverse", traversed(rows=np.int32(-1), code="c1"), "rows: expected a number", "[-1]"),
    "NaN range": ("traverse", traversed(high=np.float32("nan")), "high: expected a number from", "nan"),
    "bytes as images": ("encode", {"images": one(255)}, "images: expected numbers from 0 to 1", "255"),
    "NaN image": ("encode", {"images": one(np.nan)}, "images: expected numbers from 0 to 1", "nan"),
    "other images": ("encode", {"images": np.zeros((1, 8, 9, 1), np.float32)}, "images", "[1,8,9,1]", "[?,8,8,1]"),
    "no picture": (
        "encode_png", {"image_bytes": files_of(picture_file(GREY), b"x")}, "image_bytes: expected files that are", "x",
    ),
    "half a picture": ("encode_png", {"image_bytes": files_of(picture_file(GREY)[:50])}, "image_bytes", "PNG"),
    "half a JPEG": ("encode_png", {"image_bytes": files_of(picture_file(SMOOTH, "JPEG")[:100])}, "image_bytes", "JPEG"),
    "an animation": (
        "encode_png", {"image_bytes": files_of(picture_file(GREY), picture_file(GREY, "GIF"))},
        "image_bytes: expected files that are PNG, JPEG, BMP", "GIF8",
    ),
    "many large pictures": (
        "encode_png", {"image_bytes": files_of(picture_file(GREY), *[header_alone(4096, 4096)] * 4)},
        "image_bytes: expected pictures of at most 67,108,864 pixels in all", str(4 * 2**24 + GREY.size),
    ),
    "many scans": (
        "encode_png", {"image_bytes": files_of(picture_file(SMOOTH, "JPEG") + 100 * b"\xff\xda\0\0")},
        "image_bytes: expected JPEG files of at most 100 scans", "101",
    ),
    **{
        f"a lying {form}": ("encode_png", {"image_bytes": files_of(content)}, "image_bytes")
        for form, content in lying_files().items()
    },
    "an empty file": ("encode_png", {"image_bytes": files_of(b"")}, "image_bytes: expected files that are"),
    **{
        f"a huge {form}": (
            "encode_png", {"image_bytes": files_of(content)}, "image_bytes: expected pictures of at most", pixels
        )
        for form, (content, pixels) in huge_files().items()
    },
    "unknown text": ("describe", {"what": "secrets"}, "what: expected one of metadata, readme", "secrets"),
}  # fmt: skip


def test_a_small_picture_counts_as_the_image_that_it_becomes():
    files, form = files_of(*[picture_file(GREY[:1, :1])] * 64), Form(1024, 1024, 3)
    assert len(require_sizes("files", tf.constant(files), form)) == 64
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"files: expected pictures of at most .* in all"):
        require_sizes("files", tf.constant(files_of(*files, files[0])), form)


def test_no_signature_can_decode_an_animation(exported):
    # What memory it takes is in no header, but in its frames.
    graph = SavedModel.FromString((exported / "saved_model.pb").read_bytes()).meta_graphs[0].graph_def
    operations = {node.op for function in graph.library.function for node in function.node_def}
    assert {name for name in operations if name.startswith("Decode")} == {
        "DecodePng",
        "DecodeJpeg",
        "DecodeBmp",
        "DecodeRaw",
    }


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_out_of_range_is_refused_by_name(call, name):
    signature, inputs, *words = HOSTILE[name]
    with pytest.raises(tf.errors.InvalidArgumentError) as refused:
        call(signature, **inputs)
    for word in words:
        assert word in str(refused.value)


def good_requests(model):
    inputs, _ = latents_of(model, 5)
    images = model(latents_of(model, 3)[1]).numpy()
    empty, _ = latents_of(model, 0)
    return [
        *((name, inputs) for name in ("serving_default", "generate", "generate_png")),
        ("serving_default", empty),
        ("serving_default", latents_of(model, BLOCK + 1)[0]),
        ("sample", sampled(c1=np.full(1, 4, np.int32))),
        *(("traverse", traversed(code=code)) for code in NONE),
        ("encode", {"images": images}),
        ("encode", {"images": images[:0]}),
        (
            "encode_png",
            {"image_bytes": files_of(picture_file(GREY), picture_file(COLOUR), picture_file(SMOOTH, "JPEG"))},
        ),
        *(("describe", {"what": what}) for what in ("metadata", "readme")),
    ]


def as_arrays(inputs):
    """Texts as arrays of bytes."""
    return {
        name: np.array(value.encode(), object) if isinstance(value, str) else np.asarray(value)
        for name, value in inputs.items()
    }


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the C++ library's name is Linux's")
def test_the_cpp_session_loader_of_tf_serving_answers_and_refuses_the_same(live_model, exported, call, tmp_path):
    definitions = SavedModel.FromString((exported / "saved_model.pb").read_bytes()).meta_graphs[0].signature_def
    good = good_requests(live_model)
    # A good one again at the end: the session lives on.
    bad = [(signature, inputs) for signature, inputs, *_ in HOSTILE.values()]
    requests = [
        {
            "inputs": {
                definitions[signature].inputs[name].name: to_json(value) for name, value in as_arrays(inputs).items()
            },
            "outputs": [output.name for output in definitions[signature].outputs.values()],
        }
        for signature, inputs in [*good, *bad, good[0]]
    ]
    (tmp_path / "requests.json").write_text(json.dumps(requests))
    runner = Path(__file__).with_name("cpp_loader.py")
    command = [sys.executable, str(runner), str(exported), "requests.json", "answers.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    answers = json.loads((tmp_path / "answers.json").read_text())
    for (signature, inputs), answer in zip([*good, good[0]], [*answers[: len(good)], answers[-1]], strict=True):
        assert "error" not in answer, answer
        for name, value in call(signature, **inputs).items():
            found = from_json(answer[definitions[signature].outputs[name].name])
            np.testing.assert_array_equal(found, value, err_msg=f"{signature}: {name}")
    for (name, (_, _, *words)), answer in zip(HOSTILE.items(), answers[len(good) : -1], strict=True):
        for word in words:
            assert word in answer.get("error", ""), name


@pytest.mark.slow
def test_tensorflow_alone_answers_the_same(live_model, exported, call, tmp_path):
    requests = good_requests(live_model)
    written = [
        (signature, {name: to_json(value) for name, value in as_arrays(inputs).items()})
        for signature, inputs in requests
    ]
    (tmp_path / "requests.json").write_text(json.dumps(written))
    code = (
        "import json, sys, numpy as np, tensorflow as tf\n"
        "from cpp_loader import from_json, to_json\n"
        "signatures, answers = tf.saved_model.load(sys.argv[1]).signatures, []\n"
        "for name, inputs in json.load(open('requests.json')):\n"
        "    outputs = signatures[name](**{k: tf.constant(from_json(v)) for k, v in inputs.items()})\n"
        "    answers.append({k: to_json(np.asarray(v.numpy(), object if v.dtype == tf.string else None))\n"
        "                    for k, v in outputs.items()})\n"
        "json.dump(answers, open('answers.json', 'w'))\n"
        "assert 'infogan_tf' not in sys.modules\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(exported)], cwd=tmp_path, env=environment, capture_output=True, timeout=900
    )
    assert done.returncode == 0, done.stderr.decode()
    answers = json.loads((tmp_path / "answers.json").read_text())
    for (signature, inputs), answer in zip(requests, answers, strict=True):
        for name, value in call(signature, **inputs).items():
            np.testing.assert_array_equal(from_json(answer[name]), value, err_msg=f"{signature}: {name}")


def test_openvino_draws_the_same(live_model, exported):
    openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed")
    inputs, latents = latents_of(live_model, 5)
    core = openvino.Core()
    model = core.compile_model(core.read_model(exported), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    np.testing.assert_allclose(model(inputs)["images"], live_model(latents), atol=1e-5)
