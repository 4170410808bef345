"""The signatures of the SavedModel, graphs of TensorFlow operations alone; export/README.md documents each.

Values out of range raise InvalidArgument errors that name the input (`checks`). Random draws are stateless: the same
seed gives the same numbers in every process.
"""

from collections.abc import Callable

import tensorflow as tf

from infogan_tf.data.decoding import Form
from infogan_tf.export import checks
from infogan_tf.export.picture_files import decode_image, require_sizes
from infogan_tf.export.serving_networks import ExportedNetworks
from infogan_tf.latents.codes import Caption, Code
from infogan_tf.latents.layout import LatentLayout
from infogan_tf.pictures import GAP, GROUND

# The most rows that go through the networks at a time, to bound the memory that a request takes.
BLOCK = 500
# The most images that one request may draw.
MOST_IMAGES = 10_000
# The greatest magnitude of noise and continuous codes: far beyond any that was trained on, and far below what would
# overflow in the networks and come out as NaN.
LARGEST = 1_000_000


def make_signatures(networks: ExportedNetworks, texts: dict[str, str], form: Form) -> dict[str, Callable]:
    """Makes the signatures, concrete functions by name.

    Args:
        networks: Networks that compute the answers. `traverse` is made only where they have `varied_codes`, `encode`
            and `encode_png` only where something is read from images, `reconstruct` where that is the noise.
        texts: Texts that `describe` returns, by the name to ask for.
        form: What pictures that are read are made to be.
    """
    generate = _generate(networks)
    return {
        "serving_default": generate,
        "generate": generate,
        "generate_png": _generate_png(networks),
        "sample": _sample(networks),
        **({"traverse": _traverse(networks)} if varied_codes(networks.layout) else {}),
        **({"encode": _encode(networks), "encode_png": _encode_png(networks, form)} if networks.reads else {}),
        **({"reconstruct": _reconstruct(networks)} if networks.reads == "noise" else {}),
        "describe": _describe(texts),
    }


def _vector(name: str, dtype: tf.DType) -> tf.TensorSpec:
    return tf.TensorSpec((None,), dtype, name=name)


def _scalar(name: str, dtype: tf.DType) -> tf.TensorSpec:
    return tf.TensorSpec((), dtype, name=name)


# === Drawing ===


def _generate(networks):
    layout = networks.layout

    @tf.function
    def generate(**inputs):
        return {"images": _draw(networks, _latents(layout, inputs))}

    return generate.get_concrete_function(**_latents_specs(layout))


def _generate_png(networks):
    layout = networks.layout

    @tf.function
    def generate_png(**inputs):
        return {"png_bytes": tf.io.encode_png(_to_bytes(_draw(networks, _latents(layout, inputs))))}

    return generate_png.get_concrete_function(**_latents_specs(layout))


def _latents_specs(layout):
    noise = tf.TensorSpec((None, layout.noise.size), tf.float32, name="noise")
    return {"noise": noise, **_codes_specs(layout)}


def _codes_specs(layout):
    return {code.name: _vector(code.name, code.written_dtype) for code in layout.codes}


def _latents(layout: LatentLayout, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
    """Checks noise [B, n] and codes [B] and joins them to latents [B, width]."""
    noise = checks.shaped("noise", inputs["noise"], (None, layout.noise.size))
    parts = {"noise": checks.numbers("noise", noise, -LARGEST, LARGEST)}
    parts |= {code.name: _values(code, inputs[code.name]) for code in layout.codes}
    parts = checks.as_many_rows(parts)
    return layout.join(parts["noise"], parts)


def _values(code: Code, given: tf.Tensor) -> tf.Tensor:
    """Checks the values of a code, [B]; a caption's become numbers."""
    given = checks.shaped(code.name, given, (None,))
    if isinstance(code, Caption):
        return checks.captions(code.name, given, code.language)
    if code.discrete:
        return checks.classes(code.name, given, code.num_classes)
    return checks.numbers(code.name, given, -LARGEST, LARGEST)


def _draw(networks: ExportedNetworks, latents: tf.Tensor) -> tf.Tensor:
    """Generates images [B, H, W, C] in [0, 1] from latents [B, width]."""
    images = _in_blocks(networks.generate, latents)
    return tf.ensure_shape(images, (None, *networks.image_shape))


def _to_bytes(images: tf.Tensor) -> tf.Tensor:
    """Converts images in [0, 1] to uint8, as `pictures.to_bytes` does."""
    return tf.cast(tf.round(images * 255.0), tf.uint8)


def _sample(networks):
    layout = networks.layout

    @tf.function
    def sample(count, seed, **codes):
        count = checks.number("count", checks.shaped("count", count, ()), 1, MOST_IMAGES)
        noise, values = layout.sample_parts(count, _seed(seed))
        for code in layout.codes:
            given = checks.length(code.name, _values(code, codes[code.name]), count)
            # Given values precede drawn ones: take the first `count` of both, or a single given value for all.
            index = tf.where(tf.size(given) == 1, tf.zeros(count, tf.int32), tf.range(count))
            values[code.name] = tf.gather(tf.concat([given, values[code.name]], axis=0), index)
        written = {code.name: code.written(values[code.name]) for code in layout.codes}
        return {"images": _draw(networks, layout.join(noise, values)), **written}

    return sample.get_concrete_function(
        count=_scalar("count", tf.int32), seed=_scalar("seed", tf.int32), **_codes_specs(layout)
    )


def _seed(seed: tf.Tensor) -> tf.Tensor:
    """Returns the stateless seed, int32 [2], for a request's seed."""
    return tf.stack([checks.shaped("seed", seed, ()), 0])


def varied_codes(layout: LatentLayout) -> list[Code]:
    """The codes that `traverse` varies: all but captions, of which there are too many for a row."""
    return [code for code in layout.codes if not isinstance(code, Caption)]


def _traverse(networks):
    layout = networks.layout
    codes = varied_codes(layout)
    names = tuple(code.name for code in codes)
    all_classes = tf.constant([code.num_classes if code.discrete else 0 for code in codes])

    @tf.function
    def traverse(code, low, high, steps, rows, seed):
        varied = checks.one_of("code", checks.shaped("code", code, ()), names) == tf.constant(names)
        num_classes = tf.reduce_sum(tf.where(varied, all_classes, 0))
        discrete = num_classes > 0
        columns = tf.where(discrete, num_classes, _unless(discrete, "steps", steps, 1, MOST_IMAGES))
        low = _unless(discrete, "low", low, -LARGEST, LARGEST)
        high = _unless(discrete, "high", high, -LARGEST, LARGEST)
        steps_values = tf.linspace(low, high, columns)
        values = tf.where(discrete, tf.range(tf.cast(columns, tf.float32)), steps_values)
        # At most MOST_IMAGES in all.
        rows = checks.number("rows", checks.shaped("rows", rows, ()), 1, MOST_IMAGES // columns)

        noise, fixed = layout.sample_parts(rows, _seed(seed))
        drawn = {name: tf.repeat(value, columns) for name, value in fixed.items()}
        for i, each in enumerate(codes):
            drawn[each.name] = tf.where(varied[i], tf.cast(tf.tile(values, [rows]), each.dtype), drawn[each.name])
        images = _draw(networks, layout.join(tf.repeat(noise, columns, axis=0), drawn))
        return {"images": images, "values": values, "png_bytes": tf.io.encode_png(_tiled(images, rows, columns))}

    return traverse.get_concrete_function(
        code=_scalar("code", tf.string),
        low=_scalar("low", tf.float32),
        high=_scalar("high", tf.float32),
        steps=_scalar("steps", tf.int32),
        rows=_scalar("rows", tf.int32),
        seed=_scalar("seed", tf.int32),
    )


def _unless(discrete, name, value, low, high):
    """Checks that a number is from `low` to `high`; for a discrete code, ignores it and returns `low`."""
    value = checks.shaped(name, value, ())
    return checks.number(name, tf.where(discrete, tf.cast(low, value.dtype), value), low, high)


def _tiled(images: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    """Lays images out as `pictures.tile` does: one picture, uint8 [rows * (H + 1) + 1, columns * (W + 1) + 1, C]."""
    height, width, channels = images.shape[1:]
    padded = tf.pad(_to_bytes(images), [[0, 0], [0, GAP], [0, GAP], [0, 0]], constant_values=GROUND)
    grid = tf.reshape(padded, [rows, columns, height + GAP, width + GAP, channels])
    grid = tf.transpose(grid, [0, 2, 1, 3, 4])
    picture = tf.reshape(grid, [rows * (height + GAP), columns * (width + GAP), channels])
    return tf.pad(picture, [[GAP, 0], [GAP, 0], [0, 0]], constant_values=GROUND)


# === Reading ===


def _encode(networks):
    @tf.function
    def encode(images):
        images = checks.shaped("images", images, (None, *networks.image_shape))
        return _read(networks, checks.numbers("images", images, 0, 1))

    return encode.get_concrete_function(images=tf.TensorSpec((None, *networks.image_shape), tf.float32, name="images"))


def _reconstruct(networks):
    layout = networks.layout

    @tf.function
    def reconstruct(images, **codes):
        images = checks.shaped("images", images, (None, *networks.image_shape))
        parts = {"images": checks.numbers("images", images, 0, 1)}
        parts |= {code.name: _values(code, codes[code.name]) for code in layout.codes}
        parts = checks.as_many_rows(parts)
        noise = _read(networks, parts["images"])["noise_mean"]
        return {"images": _draw(networks, layout.join(noise, parts))}

    images = tf.TensorSpec((None, *networks.image_shape), tf.float32, name="images")
    return reconstruct.get_concrete_function(images=images, **_codes_specs(layout))


def _encode_png(networks, form):
    @tf.function
    def encode_png(image_bytes):
        files = require_sizes("image_bytes", checks.shaped("image_bytes", image_bytes, (None,)), form)
        # One at a time: a small file may be a large picture. As bytes, of which each is one level, they are kept small.
        images = tf.map_fn(
            lambda file: _to_bytes(decode_image("image_bytes", file, form)),
            files,
            parallel_iterations=1,
            fn_output_signature=tf.uint8,
        )
        return _read(networks, tf.ensure_shape(images, (None, *networks.image_shape)))

    return encode_png.get_concrete_function(image_bytes=_vector("image_bytes", tf.string))


def _read(networks: ExportedNetworks, images: tf.Tensor) -> dict[str, tf.Tensor]:
    """Reads Q(c|x) of images [B, H, W, C]: <code>_<quantity> [B, ...], and <code>_class [B], the most probable one.

    Of networks that read noise, q(z|x): noise_mean and noise_stddev [B, noise.size].

    They are float32 in [0, 1], or uint8.
    """

    def posterior(block):
        block = tf.cast(block, tf.float32) / 255.0 if block.dtype == tf.uint8 else block
        parts = networks.posterior(block)
        return {f"{name}_{what}": value for name, found in parts.items() for what, value in found.items()}

    found = _in_blocks(posterior, images)
    for name in [name for name in found if name.endswith("_probabilities")]:
        found[name.replace("_probabilities", "_class")] = tf.argmax(found[name], axis=-1, output_type=tf.int32)
    return found


def _in_blocks(function: Callable, rows: tf.Tensor):
    """Applies `function` to `rows` [B, ...], at most BLOCK at a time; it returns float32 tensors [B, ...]."""
    count = tf.shape(rows)[0]

    def one_by_one():
        padded = tf.pad(rows, [[0, -count % BLOCK], *[[0, 0]] * (rows.shape.rank - 1)])
        blocks = tf.reshape(padded, [-1, BLOCK, *rows.shape[1:]])
        outputs = tf.nest.map_structure(lambda value: tf.float32, function(blocks[0]))
        found = tf.map_fn(function, blocks, parallel_iterations=1, fn_output_signature=outputs)
        return tf.nest.map_structure(lambda value: tf.reshape(value, [-1, *value.shape[2:]])[:count], found)

    return tf.cond(count <= BLOCK, lambda: function(rows), one_by_one)


# === The model itself ===


def _describe(texts):
    names = tuple(texts)

    @tf.function
    def describe(what):
        chosen = checks.one_of("what", checks.shaped("what", what, ()), names)
        return {"text": tf.gather(tf.constant(list(texts.values())), tf.argmax(chosen == tf.constant(names)))}

    return describe.get_concrete_function(what=_scalar("what", tf.string))
