"""What the explorer's page asks of the local server: itself, the model, pictures of the training, an animation."""

import base64
import importlib.resources
import io
import json
from pathlib import Path
from typing import Protocol

from PIL import Image, PngImagePlugin

from infogan_tf.explorer.answers import Response
from infogan_tf.files import entries
from infogan_tf.pictures import save_gif
from infogan_tf.runs.directory import RunDirectory

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer"}
_FILES = {"/": "index.html", "/explorer.js": "explorer.js", "/explorer.css": "explorer.css"}
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}

# Of all frames of an animation: 100 MB while it is made. The page's own of the largest images have 23 million.
MAX_PIXELS = 2**25
MAX_FRAMES = 500


class Model(Protocol):
    """A model under TF Serving's REST API: of a SavedModel, or of a server elsewhere."""

    name: str

    def at_once(self, method: str, path: str) -> Response | None:
        """The response to a request that needs neither its body nor work; None for others."""

    def answer(self, method: str, path: str, body: bytes) -> Response:
        """The response to a request."""


class Site:
    """Answers for the explorer.

    Args:
        model: What answers the paths of TF Serving's API.
        source: what is explored, in words, for the page.
        run: the run whose training pictures are shown, if any.
    """

    def __init__(self, model: Model, source: str, run: RunDirectory | None = None):
        self._model, self._source, self._run = model, source, run
        page = importlib.resources.files("infogan_tf.explorer") / "page"
        self._files = {
            path: Response(200, (page / name).read_bytes(), _TYPES[Path(name).suffix], _HEADERS)
            for path, name in _FILES.items()
        }

    def at_once(self, method: str, path: str) -> Response | None:
        """The response to a request that needs neither its body nor work: the page's own files do not."""
        if path.startswith("/v1/"):
            return self._model.at_once(method, path)
        if method == "POST" and path == "/gif":
            return None
        if method == "GET":
            if path in self._files:
                return self._files[path]
            if path == "/explorer.json":
                pictures = {name: sorted(steps) for name, steps in self._pictures().items()}
                return Response.of({"model": self._model.name, "source": self._source, "pictures": pictures})
            if path.startswith("/samples/"):
                return self._picture(path)
        return _nothing_at(path)

    def answer(self, method: str, path: str, body: bytes) -> Response:
        """The response to a request."""
        found = self.at_once(method, path)
        if found is not None:
            return found
        return self._model.answer(method, path, body) if path.startswith("/v1/") else _gif(body)

    def _pictures(self) -> dict[str, dict[int, Path]]:
        """The files of the pictures that training drew, by name and step."""
        if self._run is None:
            return {}
        names = sorted({path.stem.rpartition("_")[0] for path in entries(self._run.samples)})
        return {name: found for name in names if (found := self._run.pictures(name))}

    def _picture(self, path: str) -> Response:
        """One of them, at /samples/<name>/<step>."""
        name, _, step = path.removeprefix("/samples/").partition("/")
        whole = step.isascii() and step.isdigit() and len(step) < 20
        file = self._pictures().get(name, {}).get(int(step) if whole else -1)
        if file is None:
            return _nothing_at(path)
        return Response(200, file.read_bytes(), "image/png")


def _nothing_at(path: str) -> Response:
    return Response.error(404, f"Nothing lies at {path[:80]}")


def _gif(body: bytes) -> Response:
    """An endless GIF of the frames in {"frames": [base64 of a PNG, ...], "back": whether they also run backwards}."""
    try:
        request = json.loads(body)
        frames = [frame.convert("RGB") for frame in _opened(request["frames"])]
        file = io.BytesIO()
        save_gif(file, frames + (frames[-2:0:-1] if request.get("back") else []))
    except Exception as error:  # Pillow raises whatever a malformed file made of it
        return Response.error(400, f"frames: {error}")
    return Response(200, file.getvalue(), "image/gif")


def _opened(contents: list[str]) -> list[Image.Image]:
    """The frames, their headers read, their pixels not: of one size, and together not too large.

    Raises:
        ValueError: Where they are not.
    """
    if not isinstance(contents, list) or not 1 <= len(contents) <= MAX_FRAMES:
        raise ValueError(f"expected a list of 1 to {MAX_FRAMES}")
    # Not by Image.open, which warns on the terminal of one that is large.
    frames = [PngImagePlugin.PngImageFile(io.BytesIO(base64.b64decode(content))) for content in contents]
    if len({frame.size for frame in frames}) != 1:
        raise ValueError("expected all of one size")
    pixels = len(frames) * frames[0].width * frames[0].height
    if pixels > MAX_PIXELS:
        raise ValueError(f"expected at most {MAX_PIXELS:,} pixels in all. Received: {pixels:,}")
    return frames
