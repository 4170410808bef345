"""What clients may ask of the local server: slow, greedy, absent and malformed ones hold nobody up."""

import contextlib
import http.client
import json
import select
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest

from infogan_tf.explorer.answers import Response
from infogan_tf.explorer.connections import Full, Limits, Room
from infogan_tf.explorer.local_server import serving

PATIENCE = 300  # seconds, where others keep the machine busy
PAGE = Response(200, b"the page", "text/html")
LARGE = bytes(40 * 2**20)  # far more than the system keeps for a connection


class Answers:
    """What is asked of the model; it answers once it may, with the length of the body or something large."""

    def __init__(self):
        self.asked, self.may, self.begun = [], threading.Event(), threading.Semaphore(0)
        self.may.set()

    def __call__(self, method, path, body):
        self.asked.append(path)
        self.begun.release()
        assert self.may.wait(PATIENCE)
        return Response(200, LARGE) if path == "/large" else Response.of(len(body))


def at_once(method, path):
    if path == "/":
        return PAGE
    return Response.error(404, "nothing") if path == "/nothing" else None


@contextlib.contextmanager
def served(**limits):
    """The model's answers, and a function that opens a connection and sends what it is given."""
    answers = Answers()
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(serving(answers, at_once=at_once, limits=Limits(**limits)))
        stack.callback(answers.may.set)
        address = urlsplit(url)

        def connect(content=b""):
            opened = stack.enter_context(socket.create_connection((address.hostname, address.port), timeout=PATIENCE))
            opened.sendall(content)
            return opened

        yield answers, connect


def request(path="/ask", body=b"", method="POST", length=None, headers=b""):
    length = len(body) if length is None else length
    line = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n".encode()
    return line + (b"Content-Length: %d\r\n" % length if method == "POST" else b"") + headers + b"\r\n" + body


GET = request("/", method="GET")


def answered(opened, method="GET"):
    """Status and content of the next answer."""
    answer = http.client.HTTPResponse(opened, method=method)
    answer.begin()
    return answer.status, answer.read()


def all_of(opened):
    """What comes until the server closes the connection."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while piece := opened.recv(2**20):
            found += piece
    return found


# === Slow clients ===

BEGINNINGS = {
    "nothing": b"",
    "half a line": b"GET / HT",
    "half the headers": GET[:-2],
    "half a body": request(length=100),
    "a request, and half of one": GET + GET[:-2],
    "a refused request without its body": request("/nothing", length=100),
    "a body that does not go with its length": request(length=2**20, body=bytes(1000)),
}


@pytest.mark.parametrize("goes_on", [False, True], ids=["silent", "byte by byte"])
def test_a_request_has_to_arrive_in_time(goes_on):
    with served(receive_seconds=2.0) as (_, connect):
        slow = [connect(beginning) for beginning in BEGINNINGS.values() for _ in range(5)]
        assert answered(connect(GET)) == (200, PAGE.body)
        stop = threading.Event()

        def feed():
            while not stop.wait(0.1):
                for each in slow:
                    with contextlib.suppress(OSError):
                        each.sendall(b"x")

        feeding = threading.Thread(target=feed)
        if goes_on:
            feeding.start()
        try:
            # An end, where a deadline that each byte began anew would never come.
            for each in slow:
                all_of(each)
        finally:
            stop.set()
        if goes_on:
            feeding.join()
        assert answered(connect(GET)) == (200, PAGE.body)


def test_five_hundred_slow_clients_hold_nobody_up():
    with served(connections=50) as (answers, connect):
        slow = [connect(request(length=100) if i % 2 else b"GET / HT") for i in range(500)]
        assert answered(connect(GET)) == (200, PAGE.body)
        assert answered(connect(request(body=b"12345"))) == (200, b"5")
        # Those who came first went for those who came later.
        for each in slow[:400]:
            assert all_of(each) == b""
        assert answers.asked == ["/ask"]


def test_a_connection_that_waits_for_an_answer_is_not_closed_for_others():
    with served(connections=3, receive_seconds=2.0) as (answers, connect):
        answers.may.clear()
        asking = connect(request(body=b"123"))
        assert answers.begun.acquire(timeout=PATIENCE)
        for _ in range(10):
            connect(b"GET")
        time.sleep(3.0)  # longer than a request may take to arrive
        answers.may.set()
        assert answered(asking) == (200, b"3")


# === What is held ===


def test_what_headers_refuse_is_refused_before_its_body_comes():
    with served(body_bytes=1000) as (answers, connect):
        for sent, status in (
            (request("/nothing", length=500), 404),
            (request(length=500, headers=b"Origin: http://evil.example\r\n"), 403),
            (request(length=500).replace(b"localhost", b"evil.example"), 403),
            (request(length=1001), 413),
            (request(length=10**14), 413),
        ):
            assert answered(connect(sent))[0] == status, sent
        # It may come all the same, and the connection goes on.
        opened = connect(request("/nothing", body=bytes(500)))
        assert answered(opened)[0] == 404
        opened.sendall(request(body=bytes(7)))
        assert answered(opened) == (200, b"7")
        assert answers.asked == ["/ask"]


def test_bodies_that_do_not_end_make_room_for_others():
    with served(body_bytes=2**20, bodies_bytes=3 * 2**20) as (_, connect):
        slow = []
        for _ in range(8):
            slow.append(connect(request(length=2**20, body=bytes(2**20 - 1))))
            # A busy server reads what came together in any order: each has begun before the next one comes.
            assert answered(connect(GET)) == (200, PAGE.body)
        assert answered(connect(request(body=bytes(2**20)))) == (200, b"%d" % 2**20)
        assert all_of(slow[0]) == b""
        # The last ones had room.
        slow[-1].sendall(b"x")
        assert answered(slow[-1]) == (200, b"%d" % 2**20)


def test_bodies_that_the_model_works_on_are_not_closed_for_others():
    with served(body_bytes=2**20, bodies_bytes=3 * 2**20, at_once=3) as (answers, connect):
        answers.may.clear()
        asking = [connect(request(body=bytes(2**20))) for _ in range(3)]
        for _ in asking:
            assert answers.begun.acquire(timeout=PATIENCE)
        status, text = answered(connect(request(body=bytes(2**20))))
        assert (status, "room" in json.loads(text)["error"]) == (503, True)
        answers.may.set()
        assert [answered(each) for each in asking] == 3 * [(200, b"%d" % 2**20)]


def test_an_answer_has_to_be_taken_in_time():
    with served(send_seconds=1.0) as (_, connect):
        greedy = [connect(request("/large")) for _ in range(3)]
        assert answered(connect(GET)) == (200, PAGE.body)
        time.sleep(2.0)
        # They only have what lay in the system's own memory.
        for each in greedy:
            assert len(all_of(each)) < len(LARGE) / 2


def test_a_client_that_takes_an_answer_drop_by_drop_is_closed_too():
    with served(send_seconds=1.0) as (_, connect):
        slow, found = connect(request("/large")), 0
        started = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while piece := slow.recv(2**16):
                found += len(piece)
                time.sleep(0.05)
        assert 0 < found < len(LARGE)
        assert time.monotonic() - started < PATIENCE


def test_answers_that_are_not_taken_make_room_for_others():
    with served(answers_bytes=2 * len(LARGE)) as (answers, connect):
        greedy = [connect(request("/large")) for _ in range(5)]
        for _ in greedy:
            assert answers.begun.acquire(timeout=PATIENCE)
        assert answered(connect(request("/large"))) == (200, LARGE)
        complete = [len(all_of_answer(each)) == len(LARGE) for each in greedy]
        assert not all(complete)
        assert sum(complete) <= 2


def all_of_answer(opened):
    """The content of an answer, as far as it comes."""
    try:
        return answered(opened)[1]
    except http.client.IncompleteRead as error:
        return error.partial
    except ConnectionError:
        return b""


def test_an_answer_that_is_larger_than_the_room_is_an_error():
    with served(answers_bytes=len(LARGE) - 1) as (_, connect):
        assert answered(connect(request("/large")))[0] == 503


class Aborted:
    """Stands for a connection."""

    closed = False

    def abort(self):
        self.closed = True


def test_room_is_made_by_those_who_came_first_and_are_not_kept():
    room, (kept, first, second, last) = Room(10), [Aborted() for _ in range(4)]
    with room.holding(kept), room.holding(first), room.holding(second):
        for each, count in ((kept, 4), (first, 3), (second, 3)):
            room.take(each, count)
        room.keep(kept)
        with room.holding(last):
            room.take(last, 4)
            assert (kept.closed, first.closed, second.closed) == (False, True, True)
            with pytest.raises(Full):
                room.take(last, 7)
            assert sum(room.held.values()) == 4
    assert room.held == {}


# === Who waits for whom ===


def test_the_page_waits_for_nobody():
    with served(at_once=1) as (answers, connect):
        answers.may.clear()
        asking = [connect(request(body=b"123")) for _ in range(20)]
        assert answers.begun.acquire(timeout=PATIENCE)
        assert answered(connect(GET)) == (200, PAGE.body)
        assert answered(connect(GET.replace(b"GET", b"HEAD")), "HEAD") == (200, b"")
        answers.may.set()
        assert [answered(each) for each in asking] == 20 * [(200, b"3")]


def test_no_work_is_begun_for_a_client_that_is_gone():
    with served(at_once=1) as (answers, connect):
        answers.may.clear()
        first = connect(request("/first"))
        assert answers.begun.acquire(timeout=PATIENCE)
        for i in range(5):
            connect(request(f"/gone/{i}")).close()
        last = connect(request("/last"))
        # Whoever is answered now finds the server to have heard of them all.
        time.sleep(0.5)
        for _ in range(20):
            assert answered(connect(GET)) == (200, PAGE.body)
        answers.may.set()
        assert [answered(each) for each in (first, last)] == 2 * [(200, b"0")]
        assert answers.asked == ["/first", "/last"]


@pytest.mark.parametrize("together", [False, True], ids=["one after another", "all bodies at once"])
def test_no_more_wait_than_may(together):
    with served(at_once=1, waiting=3, connections=25) as (answers, connect):
        answers.may.clear()
        if together:
            asking = [connect(request(length=3)) for _ in range(19)]
            # They are all let in, as nobody waits yet.
            assert answered(connect(GET)) == (200, PAGE.body)
            for each in asking:
                each.sendall(b"123")
        else:
            asking = [connect(request(body=b"123")) for _ in range(19)]
        # All but 1 + 3 are refused, while those few wait.
        refused, deadline = [], time.monotonic() + PATIENCE
        while len(refused) < 19 - 1 - 3 and time.monotonic() < deadline:
            refused = select.select(asking, [], [], 1.0)[0]
        answers.may.set()
        assert len(refused) == 19 - 1 - 3
        assert {answered(each)[0] for each in refused} == {503}
        assert [answered(each) for each in asking if each not in refused] == 4 * [(200, b"3")]


def test_what_goes_wrong_with_the_page_is_an_error_too():
    def fail(method, path):
        raise OSError("no such disk")

    with (
        serving(Answers(), at_once=fail) as url,
        socket.create_connection((urlsplit(url).hostname, urlsplit(url).port)) as opened,
    ):
        opened.sendall(GET)
        assert answered(opened) == (500, b'{"error": "OSError: no such disk"}')


# === Malformed requests ===
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"
MALFORMED = {
    "GET with a body": request("/ask", method="GET", headers=b"Content-Length: %d\r\n" % len(HIDDEN)),
    "GET with a chunked body": request("/ask", method="GET", headers=b"Transfer-Encoding: chunked\r\n"),
    "HEAD with a body": request("/ask", method="HEAD", headers=b"Content-Length: 5\r\n"),
    "two lengths": request(length=0, headers=b"Content-Length: %d\r\n" % len(HIDDEN)),
    "two lengths in one": request(method="X", headers=b"Content-Length: 0, 5\r\n").replace(b"X /", b"POST /"),
    "a length with a sign": request(method="X", headers=b"Content-Length: +5\r\n").replace(b"X /", b"POST /"),
    "a length in words": request(method="X", headers=b"Content-Length: many\r\n").replace(b"X /", b"POST /"),
    "a length of thousands of digits": request(method="X", headers=b"Content-Length: 1%s\r\n" % (b"0" * 6000)).replace(
        b"X /", b"POST /"
    ),
    "chunks and a length": request(length=5, headers=b"Transfer-Encoding: chunked\r\n"),
    "a length and chunks": request(method="X", headers=b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n").replace(
        b"X /", b"POST /"
    ),
    "an unknown encoding": request(length=5, headers=b"Transfer-Encoding: gzip, chunked\r\n"),
    "a space before the colon": request(method="GET", headers=b"Content-Length : 5\r\n"),
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": request("/", method="GET", headers=b"Host: evil.example\r\n"),
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "headers without end": GET[:-2] + b"X: " + b"x" * 100_000,
    "a line without end": b"GET /" + b"x" * 100_000,
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_request_ends_its_connection(name, capfd):
    with served() as (answers, connect):
        opened = connect(MALFORMED[name])
        with contextlib.suppress(ConnectionError):
            opened.sendall(HIDDEN)
        found = all_of(opened)
        # One answer, a refusal, and none to what hides behind it.
        assert found.count(b"HTTP/1.1 ") <= 1
        assert not found or found.startswith(b"HTTP/1.1 4")
        assert found or name in ("headers without end", "a line without end")
        assert answers.asked == []
        assert answered(connect(GET)) == (200, PAGE.body)
    assert capfd.readouterr() == ("", "")


def test_other_methods_are_refused_in_the_form_of_all_errors():
    with served() as (answers, connect):
        for method in ("PUT", "DELETE", "OPTIONS", "TRACE"):
            opened = connect(request(method=method))
            status, text = answered(opened)
            assert (status, set(json.loads(text))) == (405, {"error"})
        assert answers.asked == []


def test_a_client_may_wait_to_be_asked_for_the_body():
    with served(body_bytes=100) as (_, connect):
        opened = connect(request(length=3, headers=b"Expect: 100-continue\r\n"))
        assert opened.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"[:25]
        opened.sendall(b"123")
        assert answered(opened) == (200, b"3")
        refused = connect(request(length=101, headers=b"Expect: 100-continue\r\n"))
        assert refused.recv(12) == b"HTTP/1.1 413"


def test_what_goes_wrong_with_connections_is_not_told_on_the_terminal(capfd):
    def fail(*_):
        raise ZeroDivisionError("by accident")

    with serving(fail) as url:
        address = urlsplit(url)
        for content in (request(), request()[:20], GET * 50):
            with socket.create_connection((address.hostname, address.port)) as opened:
                opened.sendall(content)
        with socket.create_connection((address.hostname, address.port), timeout=PATIENCE) as opened:
            opened.sendall(request())
            assert answered(opened) == (500, b'{"error": "ZeroDivisionError: by accident"}')
    assert capfd.readouterr() == ("", "")


def test_the_server_ends_though_clients_stay():
    with served() as (answers, connect):
        answers.may.clear()
        for content in (b"", b"GET", GET, request(length=5), request("/large"), request()):
            connect(content)
        assert answers.begun.acquire(timeout=PATIENCE)
    assert not any(thread.name == "explorer" and thread.is_alive() for thread in threading.enumerate())
