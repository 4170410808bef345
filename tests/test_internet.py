"""Whether a server can be reached."""

import socket
import threading

import pytest

from infogan_tf.environment.internet import reachable


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", True),
        (b"220 mail.example ESMTP\r\n", False),
        (b"", False),
    ],
    ids=["a page", "an error page", "another protocol", "nothing"],
)
def test_a_server_is_reached_where_it_answers_in_http(monkeypatch, answer, expected):
    broken = []
    monkeypatch.setattr(threading, "excepthook", broken.append)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.recv(2**16)
                connection.sendall(answer)

        server = threading.Thread(target=serve)
        server.start()
        assert reachable(f"http://127.0.0.1:{listener.getsockname()[1]}/") is expected
        server.join()
    assert not broken


def test_a_closed_port_is_not_reached():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert not reachable(f"http://127.0.0.1:{port}/")
