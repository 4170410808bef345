"""The explorer: what the local server answers, how the command begins and ends, and the page in a real browser."""

import base64
import io
import json
import re
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request
import zlib

import numpy as np
import pytest
import tensorflow as tf
from conftest import MAIN, ROOT, make_model
from PIL import Image

from infogan_tf.data.decoding import Form, decode
from infogan_tf.errors import UserError
from infogan_tf.explorer.answers import Response
from infogan_tf.explorer.local_server import serving
from infogan_tf.explorer.remote import Remote
from infogan_tf.explorer.rest import SavedModelRest
from infogan_tf.explorer.site import Site
from infogan_tf.export import export_saved_model
from infogan_tf.latents.layout import LatentLayout
from infogan_tf.models.text_gan import TextGAN
from infogan_tf.networks.mlp import mlp_networks
from infogan_tf.runs.directory import RunDirectory

sys.path.insert(0, str(ROOT / "benchmarks"))
import chromium

CODES = ("c1", "c2", "c3", "c4")
PATIENCE = 600  # seconds, where others keep the machine busy


@pytest.fixture(scope="module")
def exported(tiny_run):
    return tiny_run[0] / "export" / "infogan" / "1"


@pytest.fixture(scope="module")
def model(exported):
    return SavedModelRest(exported)


@pytest.fixture(scope="module")
def site(model, tiny_run):
    return Site(model, "the tiny run", RunDirectory(tiny_run[0]))


def ask(answer, signature, **inputs):
    body = json.dumps({"signature_name": signature, "inputs": inputs}).encode()
    response = answer("POST", "/v1/models/infogan:predict", body)
    assert response.status == 200, response.body
    return json.loads(response.body)["outputs"]


# === The local server's answers ===


def test_the_page_may_load_nothing_from_elsewhere(site):
    for path in ("/", "/explorer.js", "/explorer.css"):
        response = site.answer("GET", path, b"")
        assert response.status == 200
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert not re.search(rb"https?://", response.body)


def test_pictures_of_the_training(site, tiny_run):
    facts = json.loads(site.answer("GET", "/explorer.json", b"").body)
    assert facts == {
        "model": "infogan", "source": "the tiny run", "pictures": {name: [2, 4] for name in (*CODES, "samples")},
    }  # fmt: skip
    picture = site.answer("GET", "/samples/c2/4", b"")
    assert picture.content_type == "image/png"
    assert picture.body == (tiny_run[0] / "samples" / "c2_00000004.png").read_bytes()
    for path in (
        "/samples/c2/3",
        "/samples/../4",
        "/samples/c2",
        "/samples/c2/4/",
        "/samples//",
        "/config.json",
        "/gif",
    ):
        assert site.answer("GET", path, b"").status == 404, path
    assert site.answer("POST", "/", b"").status == 404


def png(*size, mode="RGB"):
    file = io.BytesIO()
    Image.effect_noise(size, 60).convert(mode).save(file, format="PNG")
    return base64.b64encode(file.getvalue()).decode()


def sized(width, height):
    """A PNG that says it is of this size."""
    own = base64.b64decode(png(1, 1))
    header = b"IHDR" + struct.pack(">II", width, height) + own[24:29]
    return base64.b64encode(own[:12] + header + struct.pack(">I", zlib.crc32(header)) + own[33:]).decode()


@pytest.mark.parametrize(("back", "order"), [(False, [0, 1, 2]), (True, [0, 1, 2, 1])])
def test_frames_become_an_endless_gif(site, back, order):
    frames = [png(20, 10, mode="L") for _ in range(3)]
    answer = site.answer("POST", "/gif", json.dumps({"frames": frames, "back": back}).encode())
    assert answer.content_type == "image/gif"
    with Image.open(io.BytesIO(answer.body)) as gif:
        assert (gif.n_frames, gif.size, gif.info["loop"]) == (len(order), (20, 10), 0)
        for at, index in enumerate(order):
            gif.seek(at)
            np.testing.assert_array_equal(np.asarray(gif.convert("L")), pixels(f",{frames[index]}"))


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"[]", b"{}", b'{"frames": 3}', b'{"frames": []}', b'{"frames": [3]}', b'{"frames": ["AAAA"]}',
        json.dumps({"frames": [png(8, 8), png(9, 8)]}).encode(),
        json.dumps({"frames": [png(5001, 5000, mode="1")] * 4}).encode(),
        b'{"frames": ' + b"[" * 100_000,
        json.dumps({"frames": [png(100, 100)[:-400]]}).encode(),
        json.dumps({"frames": [sized(60_000, 60_000)]}).encode(),
        json.dumps({"frames": [sized(10_000, 10_000)]}).encode(),
        json.dumps({"frames": [sized(4000, 4000)] * 3}).encode(),
        json.dumps({"frames": [sized(0, 0)]}).encode(),
        json.dumps({"frames": [sized(2**31, 1)]}).encode(),
        json.dumps({"frames": [png(1, 1)] * 501}).encode(),
        json.dumps({"frames": png(1, 1)}).encode(),
        json.dumps({"frames": [base64.b64encode(b"GIF89a" + bytes(50)).decode()]}).encode(),
    ],
    ids=range(19),
)  # fmt: skip
@pytest.mark.filterwarnings("error")
def test_bad_frames_are_refused(site, body):
    answer = site.answer("POST", "/gif", body)
    assert answer.status == 400
    assert json.loads(answer.body)["error"].startswith("frames: ")


# === Another server, passed on ===


def test_a_running_server_is_passed_on(model):
    with serving(model.answer) as url:
        remote = Remote(f"{url}/v1/models/infogan")
        assert (remote.name, Remote(url).name) == ("infogan", "infogan")
        request = ("POST", "/v1/models/infogan:predict", b'{"signature_name": "fly"}')
        for each in (("GET", "/v1/models/infogan/metadata", b""), request):
            assert remote.answer(*each) == model.answer(*each)
        with pytest.raises(UserError, match="--url: expected a TF Serving with a model 'other'"):
            Remote(f"{url}/v1/models/other")
    assert remote.answer("GET", "/v1/models/infogan", b"").status == 502


def test_an_address_that_does_not_answer():
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(UserError, match=f"--url: .*does not answer.*Received: '{url}'"):
            Remote(url)
    for url in (
        "127.0.0.1:8501",
        "ftp://127.0.0.1",
        "http://",
        "http://127.0.0.1/v2",
        "http://127.0.0.1:x",
        "http://[::1",
    ):
        with pytest.raises(UserError, match="--url"):
            Remote(url)


def test_a_server_that_speaks_no_http():
    with serving(lambda *_: Response(200, b"hello", "text/plain")) as url:
        assert Remote(url).answer("GET", "/", b"").body == b"hello"


# === The command ===


@pytest.mark.slow
def test_the_command_serves_the_newest_checkpoint_and_ends_with_ctrl_c(tiny_run, tmp_path):
    before = sorted((tiny_run[0] / "export" / "infogan").iterdir())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        flags = ["--mode=explore", f"--run_dir={tiny_run[0]}", f"--port={port}"]
        process = subprocess.Popen(
            [sys.executable, str(MAIN), *flags],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A shell's background job ignores Ctrl-C, and so would what it starts.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        try:
            assert process.stdout.readline() == f"Port {port} is taken; --port chooses another.\n"
            address = re.fullmatch(r"Open (http://127\.0\.0\.1:\d+/) in a browser\..*\n", process.stdout.readline())[1]
            with urllib.request.urlopen(f"{address}explorer.json", timeout=900) as answer:
                assert json.load(answer)["source"] == str(tiny_run[0])
            process.send_signal(signal.SIGINT)
            rest, errors = process.communicate(timeout=900)
        finally:
            process.kill()
    assert (process.returncode, rest) == (0, "\nEnded.\n")
    assert "Traceback" not in errors
    assert sorted((tiny_run[0] / "export" / "infogan").iterdir()) == before
    assert list(tmp_path.iterdir()) == []


# === The page in a browser ===


@pytest.fixture(scope="module")
def browser():
    if chromium.missing():
        pytest.skip(chromium.missing())
    with chromium.browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def address(site):
    with serving(site.answer) as url:
        yield url


class Watched:
    """A page, and what went wrong on it."""

    def __init__(self, browser, address, fragment="", **context):
        self.wrong, self.address, self.failures_expected = [], address, False
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.page.set_default_timeout(1e3 * PATIENCE)
        self.page.on("console", lambda message: self._note(message.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", self._check)
        self.page.goto(f"{address}/{fragment}")
        self.page.wait_for_selector("#grid[data-shown]")

    def _note(self, text):
        if not (self.failures_expected and text.startswith("Failed to load resource")):
            self.wrong.append(text)

    def _check(self, request):
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.wrong.append(request.url)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.context.close()
        if kind is None:
            assert self.wrong == []

    def until(self, expression):
        """Waits until JavaScript finds `expression` true; Playwright's own way of it needs what the page forbids."""
        deadline = time.monotonic() + PATIENCE
        while not self.page.evaluate(expression):
            assert time.monotonic() < deadline, f"never came true: {expression}"
            time.sleep(0.05)

    def images(self, where="#grid"):
        return self.page.eval_on_selector_all(f"{where} img", "images => images.map(image => image.src)")

    def shown(self, *parts):
        """Waits until the grid shows a state with all these parts."""
        wanted = json.dumps(parts)
        self.until(f"{wanted}.every(part => document.querySelector('#grid').dataset.shown.includes(part))")
        return self.images()

    def refuse(self, respond=lambda route: route.fulfill(status=400, body='{"error": "c1: too tired"}')):
        """From now on `respond` answers for the model; the sample that the page opens with was read before."""
        self.page.wait_for_selector("#remade:not([hidden])")
        # The browser itself notes failures on its console, some of them later than what the page shows.
        self.failures_expected = True
        self.page.route("**/*:predict", respond)

    def answer(self):
        """Ends `refuse`."""
        # The newest route is taken. Were this one's forerunner removed, what it holds would never be answered.
        self.page.route("**/*:predict", lambda route: route.continue_())

    def forget(self):
        """What was read so far does not count."""
        self.page.eval_on_selector("#posterior", "panel => delete panel.dataset.shown")

    def read(self):
        """Waits for a reading, and returns the codes that it shows."""
        self.page.wait_for_selector("#posterior[data-shown]")
        shown = self.page.get_attribute("#posterior", "data-shown")
        return {name: float(value) for name, value in (part.split("=") for part in shown.split("&"))}


def pixels(source):
    with Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))) as image:
        return np.asarray(image)


def test_codes_move_and_pictures_follow(browser, address):
    with Watched(browser, address) as watched:
        page, first = watched.page, watched.images()
        assert len(first) == 16
        assert pixels(first[0]).shape == (16, 16)
        # A slider, with the keyboard alone: its own pictures follow, and its strip does not change.
        watched.until("[...document.querySelectorAll('#code-c2 img')].every(image => image.src)")
        strip = watched.images("#code-c2")
        page.focus("#code-c2 input[type=range]")
        page.keyboard.press("End")
        moved = watched.shown("c2=2&")
        assert all(a != b for a, b in zip(first, moved, strict=True))
        assert moved[0] == strip[-1]
        # A class: all samples are of it.
        page.check("#code-c1 input[value='3']", force=True)
        of_class = watched.shown("c1=3&", "c2=2&")
        assert of_class != moved
        assert page.get_attribute("#grid img >> nth=4", "alt").startswith("Sample 5: c1 3, c2 2, c3 0, c4 ")
        page.check("#code-c4 input[value='1']", force=True)
        watched.shown("c4=1")
        # Random again, for each sample.
        page.check("#code-c2 label.check input")
        assert len(set(watched.shown("c2=random"))) == 16
        page.click("#code-c2 .strip img >> nth=4")
        watched.shown("c2=0&")


def test_a_locked_sample_stays_and_its_link_restores_the_view(browser, address):
    with Watched(browser, address, "#c1=random&c2=-0.5&c3=random&seed=5") as watched:
        page = watched.page
        page.focus("#grid button[tabindex='0']")
        for key in ("ArrowRight", "ArrowDown", "Enter"):
            page.keyboard.press(key)
        before = watched.shown("lock=5:5")
        page.click("#new-noise")
        watched.until("!document.querySelector('#grid').dataset.shown.includes('seed=5&')")
        after = watched.images()
        assert [a == b for a, b in zip(before, after, strict=True)] == [index == 5 for index in range(16)]
        page.select_option("#count", "36")
        all_36 = watched.shown("count=36")
        assert all_36[:16] == after
        page.click("#link")
        link = page.evaluate("location.hash")
    with Watched(browser, address, link, viewport={"width": 400, "height": 800}, color_scheme="dark") as again:
        assert again.images() == all_36
        assert again.page.get_attribute("#grid button >> nth=5", "aria-pressed") == "true"
        assert again.page.evaluate("document.documentElement.scrollWidth") == 400


def test_images_are_read(browser, address, exported, model):
    with Watched(browser, address) as watched:
        page, own = watched.page, watched.read()
        # At first a sample of its own.
        b64 = watched.images()[0].split(",")[1]
        said = ask(model.answer, "encode_png", image_bytes=[{"b64": b64}])
        assert own["c3"] == pytest.approx(said["c3_mean"][0], abs=1e-3)
        watched.until("document.querySelectorAll('#remade img').length == 8")
        watched.forget()
        # A file: what the page shows is what the model says of these very pixels.
        image = np.random.default_rng(0).integers(0, 100, (16, 16, 1), dtype=np.uint8)
        file = io.BytesIO()
        Image.fromarray(image[..., 0]).save(file, format="PNG")
        page.set_input_files("#file", {"name": "mine.png", "mimeType": "image/png", "buffer": file.getvalue()})
        found = watched.read()
        encode = tf.saved_model.load(str(exported)).signatures["encode"]
        said = encode(images=tf.constant(image[np.newaxis] / 255.0, tf.float32))
        assert found["c1"] == np.argmax(said["c1_probabilities"])
        assert found["c2"] == pytest.approx(float(said["c2_mean"][0]), abs=1e-3)
        assert found["c4"] == float(said["c4_probability"][0] > 0.5)
        # What the generator makes of it, by the model itself; and the codes go there.
        page.click("#adopt")
        watched.shown(f"c1={found['c1']:.0f}&", f"c4={found['c4']:.0f}")
        # A light picture is inverted, as the model draws light on dark.
        file = io.BytesIO()
        Image.fromarray(255 - image[..., 0]).save(file, format="BMP")
        watched.forget()
        page.set_input_files("#file", {"name": "light.bmp", "mimeType": "image/bmp", "buffer": file.getvalue()})
        assert watched.read() == found
        assert page.is_checked("#invert")
        # A drawing.
        page.click("#clear")
        assert page.text_content("#posterior") == ""
        watched.forget()
        box = page.locator("#pad").bounding_box()
        page.mouse.move(box["x"] + 140, box["y"] + 40)
        page.mouse.down()
        page.mouse.move(box["x"] + 140, box["y"] + 240, steps=5)
        page.mouse.up()
        drawn = watched.read()
        assert set(drawn) == set(CODES)
        assert drawn != found
        assert page.locator("#posterior .bars li").count() == 10 + 2
        # The sample again.
        page.evaluate("location.hash = '#seed=1'")
        page.click("#clear")
        watched.shown("seed=1&count=16&c1=random&c2=0&")
        watched.forget()
        page.click("#take")
        assert watched.read() == own
        # No picture: one sentence.
        page.set_input_files("#file", {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"notes"})
        page.wait_for_selector("#error:not([hidden])")
        assert page.text_content("#error") == "notes.txt is no picture that this browser can read."
        # What else is done meanwhile does not wipe it; what the user does next, does.
        page.evaluate("location.hash = '#seed=2'")
        watched.shown("seed=2&")
        assert page.is_visible("#error")
        page.click("#clear")
        assert page.is_hidden("#error")


@pytest.fixture(scope="module")
def oblong(tmp_path_factory):
    """A model of oblong images in colour, which were cropped at the centre."""
    model, form = make_model(image_shape=(8, 12, 3)), Form(8, 12, 3)
    base = tmp_path_factory.mktemp("oblong") / "infogan"
    codes = {"c1": {"does": "the kind", "classes": ["", "cats, mostly asleep", *[""] * 8]}}
    evaluation = {"step": 0, "figures": {}, "stderrs": {}, "codes": codes}
    options = {"crop": "center", "background": "white"}
    folder = export_saved_model(model, base, options=options, evaluation=evaluation, form=form)
    return SavedModelRest(folder), model, form


def test_samples_are_averaged_added_and_subtracted(browser, site, model):
    asked = []

    def noting(method, path, body):
        if b"generate_png" in body:
            asked.append(json.loads(body)["inputs"])
        return site.answer(method, path, body)

    chosen = {"A": [0, 5, 7], "B": [1, 2], "C": [3]}
    with serving(noting) as address, Watched(browser, address, "#c1=random&c2=random&c3=0.5&c4=random") as watched:
        page, images = watched.page, watched.images()
        inputs = next(each for each in asked if len(each["noise"]) == 16)
        for group, samples in chosen.items():
            page.select_option("#click", group)
            for sample in samples:
                page.click(f"#grid button >> nth={sample}")
        watched.until("document.querySelector('#groups').dataset.shown == '3,2,1'")
        # Chosen samples stay as they were.
        page.select_option("#click", "")
        page.click("#new-noise")
        watched.until("!document.querySelector('#grid').dataset.shown.includes('seed=1&')")
        assert watched.images("#groups button") == [images[sample] for group in chosen.values() for sample in group]

        weights = np.zeros((4, 16))
        for row, samples in zip(weights, chosen.values(), strict=False):
            row[samples] = 1 / len(samples)
        weights[3] = weights[0] - weights[1] + weights[2]
        expected = {name: (weights @ np.array(inputs[name])).tolist() for name in ("noise", "c2", "c3")}
        everything = [sample for samples in chosen.values() for sample in samples]
        for name in ("c1", "c4"):
            expected[name] = []
            for row, samples in zip(weights, [*chosen.values(), everything], strict=True):
                shares = np.round(row @ np.eye(10)[inputs[name]], 6)
                # Of classes that have as much, that of the sample which was chosen first.
                expected[name].append(max((inputs[name][sample] for sample in samples), key=shares.__getitem__))
        shown = page.eval_on_selector_all("#groups > img:not([hidden])", "images => images.map(image => image.src)")
        for source, row in zip(shown, ask(model.answer, "generate_png", **expected), strict=True):
            assert np.abs(pixels(source).astype(int) - pixels(f",{row['b64']}")).max() <= 1
        # With the keyboard a sample is taken out, and a group without any is none.
        page.focus("#groups button >> nth=5")
        page.keyboard.press("Enter")
        watched.until("document.querySelector('#groups').dataset.shown == '3,2,0'")
        assert page.locator("#groups > img:not([hidden])").count() == 3
        page.click("#empty")
        watched.until("document.querySelector('#groups').dataset.shown == '0,0,0'")
        assert page.locator("#groups img:not([hidden])").count() == 0


def test_photos_of_any_proportions_are_read_in_colour(browser, oblong):
    served, model, form = oblong
    with serving(Site(served, "photos").answer) as url, Watched(browser, url) as watched:
        page = watched.page
        watched.read()
        assert page.evaluate("[pad.width, pad.height]") == [280, 187]
        # Classes with the names that the evaluation found for them.
        labels = page.eval_on_selector_all("#code-c1 .classes label", "all => all.map(each => each.textContent)")
        assert labels == ["0", "1cats, mostly asleep", *map(str, range(2, 10))]
        assert page.locator("#posterior .bars li >> nth=1").get_attribute("title") == "cats, mostly asleep"
        assert page.locator("#posterior .bars li >> nth=1").text_content().startswith("1 cats, mostly asleep")
        file = io.BytesIO()
        Image.effect_noise((31, 90), 90).convert("RGB").rotate(90, expand=True).save(file, format="PNG")
        watched.forget()
        page.set_input_files("#file", {"name": "mine.png", "mimeType": "image/png", "buffer": file.getvalue()})
        found = watched.read()
        assert not page.is_checked("#invert")
        posterior = model.encode(decode(file.getvalue(), form)[np.newaxis])
        assert found["c2"] == pytest.approx(posterior["c2"]["mean"][0], abs=1e-3)
        # Drawn in a colour, on a ground of a colour.
        for name, colour in (("#paper", "#204060"), ("#ink", "#ff0000")):
            page.fill(name, colour)
        watched.forget()
        page.locator("#pad").click(position={"x": 141, "y": 91})
        watched.read()
        at = "(x, y) => [...pad.getContext('2d').getImageData(x, y, 1, 1).data]"
        assert page.evaluate(f"[({at})(140, 90), ({at})(5, 5)]") == [[255, 0, 0, 255], [32, 64, 96, 255]]


def test_a_caption_is_written(browser, tmp_path):
    layout = LatentLayout.parse("noise:4,caption:sprites")
    model = TextGAN(layout, **mlp_networks(layout.width, 0, (8, 8, 1), "float32", num_labels=15))
    served = SavedModelRest(export_saved_model(model, tmp_path / "infogan"))
    with serving(Site(served, "captions").answer) as url, Watched(browser, url) as watched:
        page = watched.page
        assert page.is_checked("#code-caption label.check input")
        assert "Words: square, ellipse, heart; small, medium, large;" in page.text_content("#code-caption")
        page.fill("#code-caption input[type=text]", "a small heart, top left")
        page.keyboard.press("Enter")
        drawn = watched.shown("caption=a%20small%20heart%2C%20top%20left")
        assert not page.is_checked("#code-caption label.check input")
        assert page.get_attribute("#grid img >> nth=0", "alt") == "Sample 1: caption a small heart, top left"
        page.fill("#code-caption input[type=text]", "a large square, bottom")
        page.keyboard.press("Enter")
        assert watched.shown("caption=a%20large%20square%2C%20bottom") != drawn
        watched.failures_expected = True
        page.fill("#code-caption input[type=text]", "a car")
        page.keyboard.press("Enter")
        page.wait_for_selector("#error:not([hidden])")
        assert "caption: expected captions with one word at most of each of" in page.text_content("#error")
    link = "#caption=a%20large%20square%2C%20bottom"
    with serving(Site(served, "captions").answer) as url, Watched(browser, url, link) as watched:
        assert watched.page.input_value("#code-caption input[type=text]") == "a large square, bottom"


def test_pictures_are_kept(browser, address, site):
    with Watched(browser, address, "#count=4") as watched:
        page = watched.page
        with page.expect_download() as download:
            page.click("#save")
        tiles = [pixels(source) for source in watched.images()]
        with Image.open(download.value.path()) as picture:
            saved = np.asarray(picture.convert("L"))
        # Enlarged six times, with gaps of two.
        assert saved.shape == (2 * 98 + 2, 2 * 98 + 2)
        np.testing.assert_array_equal(saved[2:98:6, 100:196:6], tiles[1])
        np.testing.assert_array_equal(saved[100:196:6, 2:98:6], tiles[2])
        for code, frames in (("c1", 10), ("c2", 40)):
            with page.expect_download() as download:
                page.click(f"#code-{code} button")
            with Image.open(download.value.path()) as gif:
                # Pillow joins frames that are equal.
                assert 2 <= gif.n_frames <= frames
                assert gif.size == (198, 198)
        # Training's pictures, by step.
        page.select_option("#picture", "c2")
        page.focus("#step")
        page.keyboard.press("Home")
        assert page.text_content("#step-shown") == "step 2"
        assert page.get_attribute("#drawn", "alt") == "along c2 at step 2"
        watched.until("document.querySelector('#drawn').naturalWidth > 0")


def test_an_animation_too_large_for_one_request_is_made_smaller(browser, tmp_path):
    model = SavedModelRest(export_saved_model(make_model(image_shape=(64, 64, 3)), tmp_path / "infogan"))
    with serving(Site(model, "noise").answer) as url, Watched(browser, url, "#count=64") as watched:
        with watched.page.expect_download() as download:
            watched.page.click("#code-c2 button")
        with Image.open(download.value.path()) as gif:
            assert gif.size[0] == gif.size[1]
            assert 256 < gif.size[0] < 8 * (2 * 64 + 2) + 2  # of samples that are enlarged twice, with gaps of two


def test_everything_has_a_name_for_a_screen_reader(browser, address):
    with Watched(browser, address) as watched:
        nameless = watched.page.evaluate(
            """[...document.querySelectorAll("button, input, select, [role=img], img")].filter(each => {
                 const labels = [...(each.labels ?? [])].map(label => label.innerText);
                 const inside = [...each.querySelectorAll("img")].map(image => image.alt);
                 const decorative = each.tagName === "IMG" && each.closest("[role=img], label");
                 const shown = each.offsetParent !== null;
                 const name = [each.ariaLabel, each.alt, each.innerText, ...labels, ...inside].join("").trim();
                 return shown && !decorative && !name;
               }).map(each => each.outerHTML)"""
        )
        assert nameless == []
        watched.read()
        watched.page.click("#new-noise")
        watched.until("document.querySelector('#status').textContent.startsWith('16 samples drawn: c1 random')")


def test_errors_are_sentences_on_the_page(browser, site):
    with serving(site.answer) as address, Watched(browser, address) as watched:
        page = watched.page
        watched.refuse()
        page.click("#new-noise")
        page.wait_for_selector("#error:not([hidden])")
        assert page.text_content("#error") == "The model did not do it: c1: too tired"
        watched.answer()
        page.click("#new-noise")
        page.wait_for_selector("#error", state="hidden")
        watched.refuse(lambda route: route.abort())
        page.click("#new-noise")
        page.wait_for_selector("#error:not([hidden])")
        assert page.text_content("#error").startswith("The local server does not answer.")


def test_what_failed_is_tried_again_once_the_model_answers(browser, site):
    with serving(site.answer) as address, Watched(browser, address) as watched:
        watched.refuse()
        # A reading fails, and then something else succeeds.
        watched.page.click("#take")
        watched.page.wait_for_selector("#error:not([hidden])")
        watched.forget()
        watched.answer()
        watched.page.click("#new-noise")
        watched.page.wait_for_selector("#error", state="hidden")
        assert set(watched.read()) == {"c1", "c2", "c3", "c4"}


def test_the_slider_never_has_two_requests_in_flight(browser, site):
    busy, most = [], []

    def slow(method, path, body):
        busy.append(path)
        most.append(len(busy))
        time.sleep(0.05)
        busy.remove(path)
        return site.answer(method, path, body)

    with serving(slow) as address, Watched(browser, address) as watched:
        page = watched.page
        watched.until("[...document.querySelectorAll('#code-c2 img')].every(image => image.src)")
        most.clear()
        page.focus("#code-c2 input[type=range]")
        for _ in range(40):
            page.keyboard.press("ArrowRight")
        watched.shown("c2=0.4&")
    # The grid's own, and that of the strips once the slider rested.
    assert max(most) <= 2
    assert len(most) < 40
