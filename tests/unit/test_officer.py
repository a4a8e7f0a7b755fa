"""The rehearsal's officer takes nothing for an answer that is not whole: a page may be killed in the middle of one."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from appliance.errors import DeviceFault
from provisioning.bench.officer import PAGE_BYTES_MAX, Officer

PAGE = b'<input type="hidden" name="csrf" value="abc">'
SIGNED_IN = b"HTTP/1.1 200 OK\r\nSet-Cookie: landlink=1\r\nContent-Length: %d\r\n\r\n%s" % (len(PAGE), PAGE)


@contextmanager
def page_that_answers(*answers: bytes) -> Generator[int]:
    """A page on loopback that gives these bytes, one connection each, and hangs up; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answer in answers:
                connection, _ = server.accept()
                with connection:
                    connection.recv(65_536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield int(server.getsockname()[1])
        thread.join()


def test_a_whole_answer_is_the_state() -> None:
    with page_that_answers(SIGNED_IN, b'HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{"phase":"ready"}') as port:
        assert Officer(port).state() == {"phase": "ready"}


@pytest.mark.parametrize("sent", [b"", b"{", b'{"phase":"ready"'])
def test_a_page_that_died_half_way_did_not_answer(sent: bytes) -> None:
    with page_that_answers(SIGNED_IN, b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n" + sent) as port:
        officer = Officer(port)
        with pytest.raises(DeviceFault, match="does not answer"):
            officer.state()


@pytest.mark.parametrize("length", [b"", b"Content-Length: %d\r\n" % (PAGE_BYTES_MAX + 1)])
def test_an_answer_without_a_bound_is_not_read(length: bytes) -> None:
    with page_that_answers(SIGNED_IN, b"HTTP/1.1 200 OK\r\n" + length + b"\r\n{}") as port:
        officer = Officer(port)
        with pytest.raises(DeviceFault, match="length"):
            officer.state()
