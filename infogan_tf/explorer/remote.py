"""TF Serving's REST API of a running server, passed on."""

import http.client
import re
import urllib.error
import urllib.request

from infogan_tf.errors import UserError
from infogan_tf.explorer.local_server import TIMEOUT_SECONDS, Response

# How long a server may take to say that it is there.
FIRST_SECONDS = 5


class Remote:
    """The model of a running TF Serving; `answer` may be called from many threads at once.

    Args:
        url: The server's address, as in http://host:8501, whose model is `infogan`; another is named as in
            http://host:8501/v1/models/digits.

    Raises:
        UserError: Where the address is none, does not answer, or has no such model.
    """

    def __init__(self, url: str):
        parts = re.fullmatch(r"(?P<base>https?://[^/?#]+)(?:/v1/models/(?P<name>[^/:?#]+))?/?", url)
        if parts is None:
            raise UserError(f"--url: expected http://HOST:PORT, or http://HOST:PORT/v1/models/NAME. Received: {url!r}")
        self.name, self._base = parts["name"] or "infogan", parts["base"]
        status = self._ask("GET", f"/v1/models/{self.name}", b"", FIRST_SECONDS)
        if status.status != 200:
            said = status.body[:200].decode(errors="replace")
            raise UserError(f"--url: expected a TF Serving with a model {self.name!r} ({said}). Received: {url!r}")

    def answer(self, method: str, path: str, body: bytes) -> Response:
        """What the server answers; an error 502 in TF Serving's form where it does not."""
        return self._ask(method, path, body, TIMEOUT_SECONDS)

    def _ask(self, method, path, body, seconds):
        headers = {"Content-Type": "application/json"}
        try:
            request = urllib.request.Request(self._base + path, body or None, headers, method=method)
            with urllib.request.urlopen(request, timeout=seconds) as answer:
                return Response(answer.status, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Response(error.code, error.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Response.error(502, f"{self._base} does not answer: {getattr(error, 'reason', error)}")
