"""What the explorer's page asks of the local server: itself, the model, pictures of the training, an animation."""

import base64
import importlib.resources
import io
import json
from pathlib import Path
from typing import Protocol

from PIL import Image

from infogan_tf.explorer.local_server import Response
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

# Of all frames of an animation: 300 MB while it is made.
MAX_PIXELS = 100_000_000


class Model(Protocol):
    """A model under TF Serving's REST API: of a SavedModel, or of a server elsewhere."""

    name: str

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

    def answer(self, method: str, path: str, body: bytes) -> Response:
        """The response to a request."""
        if path.startswith("/v1/"):
            return self._model.answer(method, path, body)
        if method == "POST" and path == "/gif":
            return _gif(body)
        if method == "GET":
            if path in self._files:
                return self._files[path]
            if path == "/explorer.json":
                pictures = {name: sorted(steps) for name, steps in self._pictures().items()}
                return Response.of({"model": self._model.name, "source": self._source, "pictures": pictures})
            if path.startswith("/samples/"):
                return self._picture(path)
        return Response.error(404, f"Nothing lies at {path}")

    def _pictures(self) -> dict[str, dict[int, Path]]:
        """The files of the pictures that training drew, by name and step."""
        if self._run is None:
            return {}
        names = sorted({path.stem.rpartition("_")[0] for path in self._run.samples.glob("*_*.png")})
        return {name: found for name in names if (found := self._run.pictures(name))}

    def _picture(self, path: str) -> Response:
        """One of them, at /samples/<name>/<step>."""
        name, _, step = path.removeprefix("/samples/").partition("/")
        file = self._pictures().get(name, {}).get(int(step) if step.isdecimal() and len(step) < 20 else -1)
        if file is None:
            return Response.error(404, f"Nothing lies at {path}")
        return Response(200, file.read_bytes(), "image/png")


def _gif(body: bytes) -> Response:
    """An endless GIF of the frames in {"frames": [base64 of a PNG, ...], "back": whether they also run backwards}."""
    try:
        request = json.loads(body)
        files = [io.BytesIO(base64.b64decode(frame)) for frame in request["frames"]]
        frames = [Image.open(file, formats=["PNG"]) for file in files]
        if len({frame.size for frame in frames}) != 1:
            raise ValueError("expected one or more, all of one size")
        pixels = len(frames) * frames[0].width * frames[0].height
        if pixels > MAX_PIXELS:
            raise ValueError(f"expected at most {MAX_PIXELS:,} pixels in all. Received: {pixels:,}")
        frames = [frame.convert("RGB") for frame in frames]
        file = io.BytesIO()
        save_gif(file, frames + (frames[-2:0:-1] if request.get("back") else []))
    except (AttributeError, KeyError, OSError, RecursionError, SyntaxError, TypeError, ValueError) as error:
        return Response.error(400, f"frames: {error}")
    return Response(200, file.getvalue(), "image/gif")
