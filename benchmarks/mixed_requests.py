"""The explorer's server under good and hostile requests: whether all is answered rightly, how soon, in what memory.

python benchmarks/mixed_requests.py --json=out.json

The paper's MNIST generator is exported and served by `main.py --mode=explore` in a process of its own. Good requests
are those of export/load.py, whose answers have to be what they were before, and the page's files. Hostile ones are
those of export/load.py, which have to be refused; and what no client would send: animations and pictures that say they
are vast, bodies and headers that never end, answers that nobody takes, clients that go, requests that hide others.
Meanwhile another process asks for the page again and again. The memory is the most that the server had resident in each
half. Where anything was answered wrongly, the exit status is 1.
"""

import argparse
import base64
import collections
import contextlib
import http.client
import itertools
import json
import multiprocessing
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from absl import app, flags
from common import define_flags, paper_model, report

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "export"))
import load

FLAGS = flags.FLAGS
define_flags(image_size=28, count=10_000)
flags.DEFINE_integer("clients", 8, "How many ask at once.", lower_bound=1)
flags.DEFINE_float("hostile", 0.05, "The share of requests that are hostile.", lower_bound=0, upper_bound=1)

ROOT = Path(__file__).resolve().parents[1]
PREDICT = "/v1/models/infogan:predict"
FILES = ("/", "/explorer.js", "/explorer.css", "/explorer.json")
# Connections that are left as they are, without a word, are this many at most; then the first is closed.
LEFT_OPEN = 100
SECONDS = 120


class Server:
    """The explorer of a model, in a process of its own, and how to speak with it."""

    def __init__(self, folder: Path):
        command = [sys.executable, str(ROOT / "main.py"), "--mode=explore", f"--saved_model={folder}", "--port=0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().split()[1].rstrip("/")
        self.host, self.port = urlsplit(self.url).hostname, urlsplit(self.url).port
        self.left = collections.deque()

    def close(self) -> None:
        """Ends the process."""
        self.process.kill()
        self.process.wait()

    def memory(self) -> int:
        """Bytes that the process has resident."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * 4096

    def get(self, path: str) -> int:
        """The status of a GET, whose answer is read whole."""
        with contextlib.closing(http.client.HTTPConnection(self.host, self.port, timeout=SECONDS)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            return answer.status

    def send(self, content: bytes) -> socket.socket:
        """A connection on which this was sent, as far as the server took it."""
        opened = socket.create_connection((self.host, self.port), timeout=SECONDS)
        with contextlib.suppress(ConnectionError):
            opened.sendall(content)
        return opened

    def leave(self, content: bytes) -> str:
        """Sends this, and neither reads nor ends."""
        self.left.append(self.send(content))
        while len(self.left) > LEFT_OPEN:
            self.left.popleft().close()
        return ""

    def go(self, content: bytes) -> str:
        """Sends this, and goes."""
        self.send(content).close()
        return ""

    def is_refused(self, content: bytes) -> str:
        """What is wrong with the answer to this: one, of a status from 400 to 499, and then the end, would be right."""
        found = b""
        with self.send(content) as opened, contextlib.suppress(ConnectionError):
            while piece := opened.recv(2**16):
                found += piece
        right = not found or (found.startswith(b"HTTP/1.1 4") and found.count(b"HTTP/1.1 ") == 1)
        return "" if right else f"answered with {found[:200]!r}"


# === What is asked ===


def post(path: str, body: bytes, length: int | None = None, headers: str = "") -> bytes:
    """A request, which may say that its body has another length."""
    length = len(body) if length is None else length
    start = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    return start.encode() + body


def predict(signature: str, **inputs: object) -> bytes:
    """A request of the model."""
    return post(PREDICT, json.dumps({"signature_name": signature, "inputs": inputs}).encode())


def read(*files: bytes) -> bytes:
    """A request to read pictures."""
    return predict("encode_png", image_bytes=[{"b64": base64.b64encode(file).decode()} for file in files])


def animation(frames: int, width: int, height: int) -> bytes:
    """A GIF with a screen of one pixel, and frames that say they are of this size."""
    size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    frame = b"," + bytes(4) + size + b"\0\x08\x0b" + b"\0\x01\x04\x18\x30\x60\xc0\x80\x01\x03\x0c\0"[:11] + b"\0"
    return b"GIF89a\1\0\1\0\xf0\0\0" + bytes(6) + frames * frame + b";"


def vast(width: int, height: int) -> bytes:
    """The beginning of a PNG that says it is of this size."""
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big")


def raw_requests(server: Server) -> list[Callable[[], str]]:
    """Hostile requests that no client would send; each gives what was wrong with the answer."""
    hidden = b"GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"
    get = "GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{}\r\n"
    large = bytes(8 * 2**20)
    refused = [
        read(animation(1, 12_000, 12_000)),
        read(animation(40, 4096, 4096)),
        read(*[vast(4096, 4096)] * 20),
        read(vast(60_000, 60_000)),
        read(*[b"\xff\xd8\xff" + 200 * b"\xff\xda\0\2"] * 2),
        post("/gif", json.dumps({"frames": [base64.b64encode(vast(60_000, 60_000)).decode()]}).encode()),
        post("/gif", b'{"frames": ' + b"[" * 100_000),
        post(PREDICT, b'{"inputs": [' + b"[]," * 2_000_000 + b"0]}"),
        post("/nowhere", large),
        post(PREDICT, large, headers="Origin: http://evil.example\r\n"),
        post(PREDICT, b"", length=10**12),
        post(PREDICT, hidden, headers=f"Content-Length: {len(hidden) + 1}\r\n"),
        post(PREDICT, hidden, headers="Transfer-Encoding: chunked\r\n"),
        get.format("/", f"Content-Length: {len(hidden)}\r\n").encode() + hidden,
        get.format("/v1/models/infogan/versions/" + "9" * 5000, "").encode(),
        get.format("/v1/models/infogan/versions/%D9%A1", "").encode(),
        get.format("/samples/c1/" + "9" * 5000, "").encode(),
        b"\x16\x03\x01\x02\x00" + hidden,
    ]
    left = [
        b"GET / HTT",
        b"",
        post(PREDICT, large[:-1], length=len(large)),
        post("/nowhere", large[:-1], length=len(large)),
        predict("sample", count=2000, seed=0, c1=[], c2=[], c3=[]),
    ]
    gone = [predict("sample", count=100, seed=0, c1=[], c2=[], c3=[]), post(PREDICT, large[:1000], length=len(large))]
    ways = ((server.is_refused, refused), (server.leave, left), (server.go, gone))
    return [lambda way=way, content=content: way(content) for way, contents in ways for content in contents]


# === Asking ===


class Tally:
    """What came of all requests; filled by several threads."""

    def __init__(self):
        self.lock, self.wrong = threading.Lock(), collections.Counter()
        self.counted, self.hostile, self.page, self.memory = 0, 0, [], []

    def note(self, hostile: bool, wrong: str) -> None:
        """Counts a request."""
        with self.lock:
            self.counted += 1
            self.hostile += hostile
            if wrong:
                self.wrong[wrong[:300]] += 1


def ask(server: Server, count: int, clients: int, share: float, done: Path) -> Tally:
    """Asks `count` requests, of which this share is hostile, by so many clients at once; makes the file `done` then."""
    tally, left = Tally(), itertools.count()
    arguments = argparse.Namespace(url=server.url, model="infogan", timeout=float(SECONDS))
    with load.connect(arguments.url, arguments.model, arguments.timeout) as client:
        metadata = client.metadata
        good = [(request, request(client)) for _, request in load.good_requests(metadata, 4)]
    refused, raw = load.hostile_requests(metadata, over_http=True), raw_requests(server)

    def work(number):
        chance = random.Random(number)
        with load.connect(arguments.url, arguments.model, arguments.timeout) as client:
            while next(left) < count:
                hostile = chance.random() < share
                if hostile and chance.random() < 0.5:
                    wrong = chance.choice(raw)()
                elif hostile:
                    wrong = load.ask(client, chance.choice(refused), None)
                elif chance.random() < 0.1:
                    status = server.get(chance.choice(FILES))
                    wrong = "" if status == 200 else f"a file of the page: status {status}"
                else:
                    wrong = load.ask(client, *chance.choice(good))
                tally.note(hostile, wrong)

    # The page is asked for by a process of its own: what the clients here compute does not hold it up.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as executor:
        page = executor.submit(watch_page, server.host, server.port, str(done))
        threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(clients)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            tally.memory.append((tally.counted, server.memory()))
            time.sleep(0.05)
        done.touch()
        tally.page, wrong = page.result()
    for status in wrong:
        tally.note(False, f"the page: status {status}")
    return tally


def watch_page(host: str, port: int, done: str) -> tuple[list[float], list[int]]:
    """Asks for the page again and again until a file exists: in seconds how long each took, and what was not 200."""
    times, wrong = [], []
    while not Path(done).exists():
        started = time.perf_counter()
        with contextlib.closing(http.client.HTTPConnection(host, port, timeout=SECONDS)) as connection:
            connection.request("GET", "/")
            answer = connection.getresponse()
            answer.read()
        times.append(time.perf_counter() - started)
        wrong += [answer.status] if answer.status != 200 else []
        time.sleep(0.02)
    return times, wrong


def figures(tally: Tally) -> dict[str, float]:
    """What is told of a run, by name."""
    page = 1e3 * np.array(tally.page)
    halves = [[held for at, held in tally.memory if (2 * at < tally.counted) == first] for first in (True, False)]
    first, second = (max(half) / 1e6 for half in halves)
    return {
        "requests": tally.counted,
        "hostile ones": tally.hostile,
        "answered wrongly": sum(tally.wrong.values()),
        "the page, times asked": len(page),
        "the page, median, ms": float(np.median(page)),
        "the page, 99th percentile, ms": float(np.percentile(page, 99)),
        "the page, most, ms": float(page.max()),
        "memory in the first half, MB": first,
        "memory in the second half, MB": second,
        "second half / first": second / first,
    }


def main(_):
    """Prints the table."""
    from infogan_tf.export import export_saved_model

    with tempfile.TemporaryDirectory() as folder:
        path = export_saved_model(paper_model(FLAGS.image_size, "float32"), Path(folder))
        with contextlib.closing(Server(path)) as server:
            tally = ask(server, FLAGS.count, FLAGS.clients, FLAGS.hostile, Path(folder) / "done")
    found = figures(tally)
    report(f"{FLAGS.clients} clients", [{"what": name, "figure": value} for name, value in found.items()])
    for wrong, count in tally.wrong.most_common(10):
        print(f"{count} x {wrong}")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    app.run(main)
