"""Asks a served model many times at once, and says how fast and how rightly it answered.

python export/load.py --url http://127.0.0.1:8501 --clients 16 --requests 10000 --hostile 0.05
python export/load.py --url grpc://127.0.0.1:8500 --signatures serving_default --rows 64 --clients 4

Good requests of every kind are asked once before, by one client; under load every answer has to be the same. Hostile
ones (malformed, huge, of wrong types or shapes, NaN, out of range) have to be refused, by a message and not by silence.
With --pid, of a server on this machine, its memory is shown too. Exits with 1 where anything went wrong.
"""

import argparse
import collections
import contextlib
import json
import random
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from client import (
    CAPTION,
    Client,
    ClientError,
    Parser,
    Refused,
    add_server_options,
    connect,
    exit_status,
    number_of,
    reads_images,
    say,
    whole_of,
)

Request = Callable[[Client], object]
SIGNATURES = ("serving_default", "generate_png", "sample", "traverse", "encode", "encode_png", "describe")
HOSTILE = "hostile"
# Each kind of good request comes in so many variants.
VARIANTS = 4
HUGE = 16 * 2**20
# The beginning of a PNG file that says to be 65,535 pixels wide and high.
HUGE_PICTURE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + 2 * b"\0\0\xff\xff"


# === What is asked ===


def signatures_of(metadata: dict) -> list[str]:
    """Those of SIGNATURES that the model has."""
    varied = any(code["kind"] != CAPTION for code in metadata["codes"])
    has = {"traverse": varied, **dict.fromkeys(("encode", "encode_png"), reads_images(metadata))}
    return [name for name in SIGNATURES if has.get(name, True)]


def good_requests(metadata: dict, rows: int) -> list[tuple[str, Request]]:
    """Requests of every kind that the model answers, each with the name of its signature.

    Args:
        metadata: Of the model.
        rows: Of a request that has rows.
    """
    rng, found, codes = np.random.default_rng(0), [], [code["name"] for code in metadata["codes"]]
    for seed in range(VARIANTS):
        latents = _latents(metadata, rows, rng)
        images = rng.uniform(0.0, 1.0, (rows, *metadata["image_shape"])).astype(np.float32)
        files = [bitmap(rng.integers(0, 256, (40, 30, 3), dtype=np.uint8)) for _ in range(rows)]
        found += [
            ("serving_default", lambda c, given=latents: c.call("serving_default", given)),
            ("generate_png", lambda c, given=latents: c.call("generate_png", given)),
            ("sample", lambda c, seed=seed: c.sample(rows, seed)),
            ("traverse", lambda c, seed=seed: c.traverse(codes[seed % len(codes)], steps=5, rows=2, seed=seed)),
            ("encode", lambda c, images=images: c.encode(images)),
            ("encode_png", lambda c, files=files: c.encode_png(files)),
            ("describe", lambda c: c.call("describe", {"what": "metadata"})),
        ]
    return [each for each in found if each[0] in signatures_of(metadata)]


def _latents(metadata, rows, rng):
    latents = {"noise": rng.uniform(-1.0, 1.0, (rows, metadata["noise"]["size"])).astype(np.float32)}
    for code in metadata["codes"]:
        classes = code["num_classes"]
        if code["kind"] == CAPTION:
            words = [" ".join(map(rng.choice, code["words"].values())).encode() for _ in range(rows)]
            latents[code["name"]] = np.array(words, object)
            continue
        values = rng.integers(0, classes, rows) if classes else rng.uniform(-1.0, 1.0, rows)
        latents[code["name"]] = values.astype(np.int32 if classes else np.float32)
    return latents


def bitmap(picture: np.ndarray) -> bytes:
    """A picture, uint8 [H, W, 3], as an uncompressed BMP file."""
    height, width, _ = picture.shape
    line = -(-3 * width // 4) * 4
    body = b"".join(row[:, ::-1].tobytes().ljust(line, b"\0") for row in picture[::-1])
    numbers = (54 + len(body), 0, 54, 40, width, height)
    header = b"BM" + b"".join(number.to_bytes(4, "little") for number in numbers)
    return header + (1).to_bytes(2, "little") + (24).to_bytes(2, "little") + bytes(24) + body


def hostile_requests(metadata: dict, over_http: bool) -> list[Request]:
    """Requests that have to be refused; over HTTP also such as no client would send."""
    latents = _latents(metadata, 2, np.random.default_rng(0))
    none = {name: value[:0] for name, value in latents.items() if name != "noise"}
    size, has = metadata["noise"]["size"], signatures_of(metadata)
    text = np.array([b"many", b"few"], object)
    image = np.zeros((1, *metadata["image_shape"]), np.float32)

    def generate(**changes):
        return lambda c: c.call("serving_default", latents | changes)

    def sample(count):
        return lambda c: c.call("sample", {"count": np.int32(count), "seed": np.int32(0), **none})

    found = [
        generate(noise=np.full((2, size), np.nan, np.float32)),
        generate(noise=np.zeros((2, size + 1), np.float32)),
        generate(noise=text),
        generate(c0=latents["noise"][:, 0]),
        sample(0),
        sample(10_000_000),
        lambda c: c.call("describe", {"what": "secrets"}),
        lambda c: c.call("serving_default", {}),
        lambda c: c.call("fly", latents),
    ]
    if CAPTION in latents:
        found.append(generate(**{CAPTION: text}))
    if "traverse" in has:
        code = metadata["codes"][0]
        name = code["name"]
        found += [
            generate(**{name: np.full(2, code["num_classes"] or np.nan, latents[name].dtype)}),
            generate(**{name: text}),
            generate(**{name: latents[name][:1]}),
            lambda c: c.call("serving_default", {"noise": latents["noise"]}),
            lambda c: c.traverse("nothing"),
            lambda c: c.traverse(name, rows=2**31 - 1),
        ]
    if "encode" in has:
        found += [
            lambda c: c.encode(image + 255.0),
            lambda c: c.encode(image * np.nan),
            lambda c: c.encode(image[:, :-1]),
            lambda c: c.encode_png([b"no picture"]),
            lambda c: c.encode_png([HUGE_PICTURE]),
        ]
    return [*found, *_malformed(metadata)] if over_http else found


def _malformed(metadata):
    codes = {code["name"]: [0] for code in metadata["codes"]}
    bodies = [
        b"", b"{", b"null", b"\xff\xfe\x00" * 1_000, b" " * HUGE + b"{", b'{"instances": []}', b'{"inputs": 3}',
        b'{"signature_name": 3, "inputs": {}}', b'{"inputs": ' + b"[" * 100 + b"]" * 100 + b"}",
        json.dumps({"inputs": {"noise": [[0.0], [0.0, 1.0]], **codes}}).encode(),
    ]  # fmt: skip

    def at(method, path, body=None):
        return lambda c: c.transport.request(method, path.format(model=c.transport.path), body)

    return [
        *(at("POST", "{model}:predict", body) for body in bodies),
        at("GET", "{model}:predict"),
        at("POST", "{model}:nothing", b"{}"),
        at("GET", "/v1/models/nobody"),
        at("GET", "/../../etc/passwd"),
    ]


# === Asking ===


class Tally:
    """What came of all requests; filled by several threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.seconds = collections.defaultdict(list)  # by kind, of those that were answered as they should be
        self.wrong = collections.Counter()  # by kind and what was wrong
        self.total = 0.0  # seconds that all took together

    def add(self, kind: str, seconds: float, wrong: str) -> None:
        """Counts one request; `wrong` is empty where all was well."""
        with self.lock:
            if wrong:
                self.wrong[f"{kind}: {wrong}"] += 1
            else:
                self.seconds[kind].append(seconds)


def ask(client: Client, request: Request, expected: object) -> str:
    """What is wrong with the answer to a request, or an empty text.

    Args:
        client: to ask with.
        request: what to ask.
        expected: the answer, or None for one that has to be refused.
    """
    try:
        found = request(client)
    except Refused as error:
        return f"refused ({error})" if expected is not None else "" if str(error) else "refused without a word"
    except ClientError as error:
        return str(error)
    if expected is None:
        return "not refused"
    return "" if _same(found, expected) else "another answer than before"


def _same(found, expected):
    if set(found) != set(expected):
        return False
    return all(
        np.array_equal(found[name], value)
        if value.dtype == object
        else found[name].shape == value.shape and np.allclose(found[name], value, atol=1e-5)
        for name, value in expected.items()
    )


def run(arguments: argparse.Namespace) -> Tally:
    """Asks, with all clients at once."""
    tally = Tally()
    with connect(arguments.url, arguments.model, arguments.timeout) as client:
        metadata = client.metadata
        missing = [name for name in arguments.signatures if name not in signatures_of(metadata)]
        if missing and arguments.signatures != SIGNATURES:
            raise ClientError(f"--signatures: expected those of the model. Received: {missing[0]}, which it has not")
        chosen = [each for each in good_requests(metadata, arguments.rows) if each[0] in arguments.signatures]
        good = [(kind, request, request(client)) for kind, request in chosen]
    hostile = hostile_requests(metadata, not arguments.url.startswith("grpc"))
    left = iter(range(arguments.requests))

    def work(number):
        rng = random.Random(number)
        with connect(arguments.url, arguments.model, arguments.timeout) as client:
            while True:
                with tally.lock:
                    if next(left, None) is None:
                        return
                bad = rng.random() < arguments.hostile
                kind, request, expected = (HOSTILE, rng.choice(hostile), None) if bad else rng.choice(good)
                started = time.perf_counter()
                wrong = ask(client, request, expected)
                tally.add(kind, time.perf_counter() - started, wrong)

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(arguments.clients)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        # By and by: a Ctrl-C that the system gave another thread is acted on when this one wakes.
        while thread.is_alive():
            thread.join(0.5)
    tally.total = time.perf_counter() - started
    return tally


# === Saying ===


def table(tally: Tally) -> str:
    """Latencies by kind of request, and the throughput, as Markdown."""
    lines = ["| requests | number | median, ms | 90% | 99% | most |", "|---|---|---|---|---|---|"]
    for kind in sorted(tally.seconds):
        own = 1e3 * np.array(tally.seconds[kind])
        figures = (*np.percentile(own, (50, 90, 99)), own.max())
        lines.append(f"| {kind} | {len(own):,} | " + " | ".join(f"{figure:,.1f}" for figure in figures) + " |")
    answered = sum(map(len, tally.seconds.values()))
    lines.append(f"\n{answered:,} requests in {tally.total:,.1f} s: {answered / tally.total:,.0f} per second.")
    wrong = sum(tally.wrong.values())
    lines.append(
        f"{wrong:,} went wrong." if wrong else "Good ones were all answered rightly, hostile ones all refused."
    )
    lines += [f"  {count:,} x {what}" for what, count in tally.wrong.most_common(10)]
    return "\n".join(lines)


def memory(pid: int) -> float:
    """Megabytes that a process has resident; a ClientError where there is none."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    raise ClientError(f"--pid: expected a process of this machine. Received: {pid}")


def watch(pid: int, megabytes: list[float], done: threading.Event) -> None:
    """Appends the memory of a process every second until `done`, or until it ends."""
    with contextlib.suppress(ClientError):
        while not done.wait(1.0):
            megabytes.append(memory(pid))


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = Parser(prog="load.py", description=__doc__.splitlines()[0], allow_abbrev=False)
    add_server_options(parser)
    clients, requests = whole_of("--clients", 1, 1_000), whole_of("--requests", 1, 10**9)
    rows, hostile = whole_of("--rows", 1, 10_000), number_of("--hostile", 0.0, 1.0)
    pid = whole_of("--pid", 1, 2**31 - 1)
    parser.add_argument("--clients", type=clients, default=16, help="how many ask at once, at most 1,000")
    parser.add_argument("--requests", type=requests, default=1_000, help="how many in all")
    parser.add_argument("--rows", type=rows, default=4, help="images in a request, at most 10,000")
    parser.add_argument("--hostile", type=hostile, default=0.0, help="the share of requests to be refused")
    parser.add_argument("--signatures", nargs="+", choices=SIGNATURES, default=SIGNATURES, help="which are asked")
    parser.add_argument("--pid", type=pid, help="of the server's process, to show its memory (Linux)")
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> int:
    """Returns the exit status: 1 where an answer was wrong, else as `exit_status` has it."""
    return exit_status("load.py", lambda: _measured(argv))


def _measured(argv):
    arguments = parse(argv)
    megabytes, done = [], threading.Event()
    try:
        if arguments.pid:
            megabytes.append(memory(arguments.pid))
            threading.Thread(target=watch, args=(arguments.pid, megabytes, done), daemon=True).start()
        tally = run(arguments)
    finally:
        done.set()
    say(table(tally))
    if megabytes:
        with contextlib.suppress(ClientError):  # it has ended
            megabytes.append(memory(arguments.pid))
        half = len(megabytes) // 2
        first, second = max(megabytes[:half] or megabytes), max(megabytes[half:])
        say(
            f"Memory of process {arguments.pid}, MB: {megabytes[0]:,.0f} before, at most {first:,.0f} "
            f"in the first half and {second:,.0f} in the second, {megabytes[-1]:,.0f} at the end."
        )
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
