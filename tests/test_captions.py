"""Captions: their grammar, the words that are true of images, what is held out, drawn, wrong, served and measured."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from infogan_tf.commands.requests import sample_request
from infogan_tf.config.options import Config
from infogan_tf.data import load_data
from infogan_tf.data.captioned import captioned, held_out, words_of
from infogan_tf.errors import UserError
from infogan_tf.evaluation.metrics.captions import right_words
from infogan_tf.evaluation.metrics.sample_quality import nearest_neighbours
from infogan_tf.export import checks
from infogan_tf.latents.captions import GRAMMARS
from infogan_tf.latents.language import read_captions, read_latents
from infogan_tf.latents.layout import LatentLayout
from infogan_tf.latents.table import columns_of, read_rows, write_header, write_rows

GRAMMAR = GRAMMARS["sprites"]
LAYOUT = LatentLayout.parse("noise:4,caption:sprites")
CAPTION = LAYOUT["caption"]
SEED = tf.constant([3, 5])


@pytest.fixture(scope="module")
def sprites():
    return load_data("sprites")


def bag(*words):
    return [float(word in words) for word in GRAMMAR.vocabulary]


# === The language ===


def test_every_caption_is_read_back_as_it_was_written():
    texts = [GRAMMAR.write(number) for number in range(GRAMMAR.count)]
    assert len(set(texts)) == GRAMMAR.count == 4**5
    assert [GRAMMAR.read(text) for text in texts] == list(range(GRAMMAR.count))
    assert texts[0] == "a shape"
    assert {"an ellipse", "a small ellipse, tilted", "a large shape, top", "a heart, bottom right, turned"} <= set(
        texts
    )


def test_the_order_of_words_and_what_stands_between_them_does_not_matter():
    wanted = GRAMMAR.read("a small heart, top left, tilted")
    assert GRAMMAR.bag(GRAMMAR.captions[wanted]) == bag("small", "heart", "top", "left", "tilted")
    for text in (
        "Tilted heart; small, at the top left.",
        " LEFT  top\ttilted small heart\n",
        "small small heart top left tilted",
    ):
        assert GRAMMAR.read(text) == wanted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a blue heart",
            "--caption: expected words of square, ellipse, heart, .*, turned, shape. Received: 'blue' in 'a blue",
        ),
        (
            "a small, large heart",
            "--caption: expected one word at most of small, medium, large. Received: 'a small, large",
        ),
    ],
)
def test_what_is_no_caption_is_refused_in_a_line(text, message):
    with pytest.raises(UserError, match=message):
        GRAMMAR.read(text)


@pytest.mark.parametrize(
    ("latents", "message"),
    [
        ("noise:4,caption:birds", "unknown captions 'birds'; expected those of sprites, at position 17"),
        ("noise:4,caption:sprites,caption:sprites", "a second caption; one is the most, at position 25"),
    ],
)
def test_latents_with_other_captions_are_refused(latents, message):
    with pytest.raises(UserError, match=f"--latents: {message}"):
        read_latents(latents)


def test_captions_of_the_command_line():
    described = read_latents("noise:4,caption:sprites")
    assert described.codes == {"caption": ("caption", 1024)}
    texts = "a heart|a small shape, top"
    assert read_captions(texts, described) == {"caption": tuple(map(GRAMMAR.read, texts.split("|")))}
    assert read_captions("", described) == {}
    with pytest.raises(UserError, match=r"--caption: expected with a run whose model is told captions .*'a heart'"):
        read_captions("a heart", read_latents("noise:4,label:3"))


def test_a_table_has_captions_in_words(tmp_path):
    described, path = read_latents("noise:2,caption:sprites"), tmp_path / "latents.csv"
    rows = [[GRAMMAR.read("a small heart, top left"), 0.5, -0.25], [0, 1.0, 0.0]]
    with path.open("w") as file:
        write_header(file, described)
        write_rows(file, described, rows)
    assert path.read_text().splitlines() == ["caption,z1,z2", '"a small heart, top left",0.5,-0.25', '"a shape",1,0']
    assert columns_of(described) == ["caption", "z1", "z2"]
    assert list(read_rows(path, described)) == rows
    path.write_text("z1,caption,z2\n0,a blue heart,0\n")
    with pytest.raises(UserError, match=r"^--latents_file: expected words of .* 'blue' .* in line 2 of .*latents\.csv"):
        list(read_rows(path, described))


# === What is held out ===


def test_a_ninth_of_the_combinations_is_held_out_and_each_pair_of_words_is_seen():
    shown = [words for words in itertools.product(range(3), repeat=5) if not GRAMMAR.is_held_out(words)]
    assert len(shown) == 3**5 * 8 // 9
    for first, second in itertools.combinations(range(5), 2):
        assert len({(words[first], words[second]) for words in shown}) == 9
    # Each of the nine, with the rotation said in three ways, or not.
    assert len(GRAMMAR.unseen) == 9 * 4
    assert GRAMMAR.read("a small square, top left") in GRAMMAR.unseen
    assert GRAMMAR.read("turned large heart, middle left") in GRAMMAR.unseen
    assert GRAMMAR.read("a small square, top") not in GRAMMAR.unseen


def test_words_are_those_of_the_factors(sprites):
    values = np.array([[2, 0, 11, 13, 0], [1, 2, 4, 5, 5], [0, 4, 3, 4, 9]])  # shape, scale, rotation, x, y
    words = words_of(GRAMMAR, values, sprites.factors.names)
    said = [
        ("heart", "small", "top", "right", "turned"),
        ("ellipse", "medium", "middle", "centre", "tilted"),
        ("square", "large", "bottom", "left", "straight"),
    ]
    np.testing.assert_array_equal(CAPTION.known(words), [bag(*each) for each in said])


def test_a_captioned_data_set_has_no_image_of_what_is_held_out(sprites):
    data = captioned(sprites, "sprites")
    words = words_of(GRAMMAR, sprites.factors.values(), sprites.factors.names)
    left_out = held_out(GRAMMAR, words)
    # By hand: scales 0 and 1, x and y below 5, each of 12 rotations.
    a_small_square_top_left = 2 * 12 * 5 * 5
    shape, scale, _, x, y = sprites.factors.values().T
    ours = (shape == 0) & (scale < 2) & (x < 5) & (y < 5)
    assert ours.sum() == a_small_square_top_left
    assert left_out[ours].all()
    assert len(data.train.images) == (~left_out).sum() == len(data.train.words) == len(data.train.labels)
    np.testing.assert_array_equal(data.train.images, sprites.train.images[~left_out])
    assert not held_out(GRAMMAR, data.train.words).any()
    assert data.factors is sprites.factors
    assert sprites.train.words is None
    assert len(sprites.train.images) == 35_280
    # What is compared with test images is none of them.
    tested = {image.tobytes() for image in data.test.images}
    chosen = data.training_choice(10_000)
    assert len(set(chosen)) == 10_000
    assert not tested & {image.tobytes() for image in data.train.images[chosen]}
    assert {image.tobytes() for image in data.train.images[data.test_places]} < tested


def test_images_of_other_factors_are_refused():
    with pytest.raises(UserError) as refused:
        captioned(load_data("digits"), "sprites")
    assert str(refused.value) == (
        "--dataset: expected images whose known factors are shape, scale, y, x, rotation, as those of sprites are, for "
        "caption:sprites. Received: digits, which has none"
    )


# === Drawn, left out, wrong ===


def test_the_prior_draws_every_caption_but_those_held_out_alike():
    drawn = CAPTION.sample(98_800, SEED).numpy()
    counts = np.bincount(drawn, minlength=GRAMMAR.count)
    assert set(np.flatnonzero(counts == 0)) == set(GRAMMAR.unseen)
    seen = np.delete(counts, GRAMMAR.unseen)
    assert CAPTION.entropy == pytest.approx(np.log(len(seen)))
    assert abs(seen - 100).max() < 60  # six standard deviations
    texts = CAPTION.written(drawn[:5]).numpy()
    assert [text.decode() for text in texts] == [GRAMMAR.write(number) for number in drawn[:5]]


def test_the_mean_of_two_blocks_lies_between_two_captions():
    captions = [GRAMMAR.read("a small heart"), GRAMMAR.read("a large heart, top")]
    blocks = CAPTION.to_block(tf.constant(captions)).numpy()
    np.testing.assert_array_equal(blocks, [bag("small", "heart"), bag("large", "heart", "top")])


def test_a_caption_of_an_image_says_some_of_what_is_true_as_often_as_the_prior_does():
    words = CAPTION.known(tf.constant(np.random.default_rng(0).integers(0, 3, (4_000, 5)))).numpy()
    said = CAPTION.some_of(words, SEED).numpy()
    assert (said <= words).all()
    said_of = said.reshape(4_000, 5, 3).sum(axis=-1)
    np.testing.assert_allclose(said_of.mean(axis=0), 0.75, atol=0.04)  # six standard deviations
    np.testing.assert_allclose(np.corrcoef(said_of.T) - np.eye(5), 0.0, atol=0.1)


def test_a_wrong_caption_is_wrong_and_drawn_evenly_from_all_that_are():
    values = np.repeat([[2, 0, 0, 0, 1]], 40_000, axis=0)
    truth = bag("heart", "small", "top", "left", "tilted")
    drawn = CAPTION.wrong_for(CAPTION.known(tf.constant(values)), SEED).numpy()
    assert (drawn @ (1.0 - np.array(truth)) >= 1).all()
    bags = np.array([GRAMMAR.bag(caption) for caption in GRAMMAR.captions])
    right = {n for n, each in enumerate(bags) if all(have <= true for have, true in zip(each, truth, strict=True))}
    assert len(right) == 2**5
    numbers = [GRAMMAR.number(caption) for caption in (drawn.reshape(-1, 5, 3) @ [1, 2, 3]).astype(int)]
    counts = np.bincount(numbers, minlength=GRAMMAR.count)
    wrong = set(range(GRAMMAR.count)) - right - set(GRAMMAR.unseen)
    assert set(np.flatnonzero(counts)) == wrong
    assert abs(counts[list(wrong)] - 40_000 / len(wrong)).max() < 6 * np.sqrt(40_000 / len(wrong))


def test_a_traversal_shows_captions_that_leave_nothing_out():
    shown = CAPTION.traversal(10)
    assert len(set(shown.tolist())) == 10
    assert all(all(GRAMMAR.captions[number]) and number not in GRAMMAR.unseen for number in shown)


# === Served ===


@tf.function
def in_a_graph(texts):
    return checks.captions("caption", texts, GRAMMAR)


def test_a_graph_reads_captions_as_the_command_line_does():
    texts = [GRAMMAR.write(number) for number in range(0, GRAMMAR.count, 7)]
    texts += ["Tilted heart; SMALL, at the top left.", " left\ttop\nheart ", "", "small small shape"]
    np.testing.assert_array_equal(in_a_graph(tf.constant(texts)), [GRAMMAR.read(text) for text in texts])


@pytest.mark.parametrize("text", ["a blue heart", "smalls", "a small large heart", "a small-heart", "heärt"])
def test_a_graph_refuses_what_the_command_line_refuses(text):
    with pytest.raises(UserError):
        GRAMMAR.read(text)
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="caption: expected captions with one word at most of each"
    ):
        in_a_graph(tf.constant(["a heart", text]))


# === Measured ===


def test_sprites_have_what_their_own_captions_say(sprites):
    # Told by the nearest sprite, which is the image itself: no two are the same.
    chosen = np.random.default_rng(0).choice(35_280, 200, replace=False)
    factors = sprites.factors.values()
    nearest, distances = nearest_neighbours(sprites.factors.images[chosen], sprites.factors.images, 2)
    np.testing.assert_array_equal(nearest[:, 0], chosen)
    assert (distances[:, 1] > 0).all()
    words = words_of(GRAMMAR, factors[chosen], sprites.factors.names)
    columns = [sprites.factors.names.index(spoken.of) for spoken in GRAMMAR.spoken]
    captions = [GRAMMAR.number([word + 1 for word in each]) for each in words.tolist()]
    right = right_words(GRAMMAR, captions, factors[chosen][:, columns])
    assert set(right) == {"shape", "size", "place", "rotation", "all"}
    assert all(each.all() and len(each) == 200 for each in right.values())


def test_what_is_said_is_looked_at_within_a_step():
    # Shape, scale, y, x, rotation of what was drawn.
    drawn = {
        "a small heart, top left, straight": [2, 1, 5, 0, 4],  # one step down, one turned too far
        "a small heart, top left": [2, 2, 6, 0, 11],  # a medium one, two steps down
        "a square, right": [2, 0, 0, 8, 0],  # a heart, one step to the left
        "a shape": [0, 0, 0, 0, 0],
    }
    right = right_words(GRAMMAR, list(map(GRAMMAR.read, drawn)), np.array(list(drawn.values())))
    found = {name: values.tolist() for name, values in right.items()}
    assert found == {
        "shape": [True, True, False],
        "size": [True, False],
        "place": [True, False, True],
        "rotation": [True],
        "all": [True, False, False],
    }


def test_a_caption_among_the_codes_is_pointed_to_its_flag():
    config = Config(codes="caption=a small heart")
    with pytest.raises(UserError, match=r"--codes: expected the caption in --caption='...'"):
        sample_request(config, {}, Config(latents="noise:4,caption:sprites"), (16, 16, 1))
