"""Who the live server answers: this machine's own page, and others with the token alone."""

import http.client
import json
import threading

import numpy as np
import pytest

from lib.utils.errors import ConfigError
from lib.vis.palette import palette_of
from segmentor.live import server as server_module
from segmentor.live.saving import SavedFrames
from segmentor.live.server import LiveServer
from tests.segmentor.live.conftest import NAMES, face

TOKEN = "a secret"


class Client:
    """Asks a server that runs in a thread."""

    def __init__(self, server):
        self.port = server.server_address[1]
        self.own = {"Host": f"127.0.0.1:{self.port}", "Origin": f"http://127.0.0.1:{self.port}"}

    def ask(self, method, place, body=None, **headers):
        return self.send(method, place, None if body is None else json.dumps(body), **headers)

    def send(self, method, place, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {**self.own, **{key.replace("_", "-"): value for key, value in headers.items() if value is not None}}
        connection.request(method, place, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        is_json = answer.headers["Content-Type"].startswith("application/json")
        return answer.status, json.loads(text) if is_json else text


@pytest.fixture
def serve(session, tmp_path, monkeypatch):
    """Starts servers of the session, and stops them."""
    monkeypatch.setattr(server_module, "WAIT_SECONDS", 0.05)
    servers = []

    def start(**options):
        server = LiveServer(session, SavedFrames(tmp_path, NAMES), NAMES, palette_of(3), **options)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return Client(server)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_newest_result_is_given_once(serve, played, session):
    client = serve()
    played.put(face())
    session.newest(0, 60)
    status, answer = client.ask("GET", "/state?after=0")
    assert (status, answer["result"]["number"]) == (200, 1)
    assert answer["state"]["frames"] == 1
    assert client.ask("GET", "/state?after=1")[1]["result"] is None


def test_pause_and_save_do_what_they_say(serve, played, session, tmp_path):
    client = serve()
    played.put(face())
    session.newest(0, 60)
    assert client.ask("POST", "/pause", {"paused": True})[1]["state"]["paused"]
    status, answer = client.ask("POST", "/save", {"number": 1})
    assert status == 200
    np.testing.assert_array_equal(np.load(answer["saved"]), face())
    assert (tmp_path / "labelme/frame1.json").is_file()
    assert client.ask("POST", "/save", {"number": 7})[0] == 409
    assert not client.ask("POST", "/pause", {"paused": False})[1]["state"]["paused"]


def test_a_name_that_leads_here_from_elsewhere_is_refused(serve):
    client = serve()
    for place in ("/", "/state?after=0"):
        assert client.ask("GET", place, Host="rebound.example")[0] == 403
    assert (
        client.ask("POST", "/pause", {"paused": True}, Host="rebound.example", Origin="http://rebound.example")[0]
        == 403
    )
    assert client.ask("GET", "/", Host=f"localhost:{client.port}")[0] == 200
    assert client.ask("GET", "/", Host=f"[::1]:{client.port}")[0] == 200


@pytest.mark.parametrize("origin", ["http://other.example", "null", "", "http://127.0.0.1:1"])
def test_pages_of_others_can_not_press_buttons(serve, session, origin):
    assert serve().ask("POST", "/pause", {"paused": True}, Origin=origin)[0] == 403
    assert not session.state()["paused"]


def test_with_a_token_frames_and_buttons_take_it(serve, played, session):
    client = serve(token=TOKEN)
    played.put(face())
    assert client.ask("GET", "/")[0] == 200
    for given in (None, "Bearer", "Bearer another", f"Bearer {TOKEN}x"):
        assert client.ask("GET", "/state?after=0", Authorization=given)[0] == 401
        assert client.ask("POST", "/pause", {"paused": True}, Authorization=given)[0] == 401
    assert not session.state()["paused"]
    assert client.ask("GET", "/state?after=0", Authorization=f"Bearer {TOKEN}")[0] == 200
    assert client.ask("POST", "/pause", {"paused": True}, Authorization=f"Bearer {TOKEN}")[0] == 200


def test_other_machines_take_a_token(serve):
    with pytest.raises(ConfigError, match=r"--host 0\.0\.0\.0: .*token"):
        serve(host="0.0.0.0")


def test_a_port_that_is_taken_or_none_is_named(serve):
    for port in (serve().port, 70000):
        with pytest.raises(ConfigError, match="--port"):
            serve(port=port)


def test_what_is_no_json_is_refused(serve):
    client = serve()
    for body in (b"{", b"\xff", b"[" * 4000):
        assert client.send("POST", "/pause", body)[0] == 400


@pytest.mark.parametrize(("method", "place", "body", "status"), [
    ("GET", "/../lib/__init__.py", None, 404),
    ("POST", "/elsewhere", {}, 404),
    ("POST", "/pause", [1], 400),
    ("POST", "/save", {"number": "1"}, 409),
    ("POST", "/pause", {"paused": "x" * 5000}, 413),
    ("POST", "/pause", None, 413),
    ("DELETE", "/pause", None, 501),
])  # fmt: skip
def test_anything_else_is_refused(serve, method, place, body, status):
    connection = http.client.HTTPConnection("127.0.0.1", (client := serve()).port, timeout=10)
    connection.putrequest(method, place, skip_host=True)
    for key, value in client.own.items():
        connection.putheader(key, value)
    data = b"" if body is None else json.dumps(body).encode()
    if body is not None:
        connection.putheader("Content-Length", str(len(data)))
    connection.endheaders(data if body is not None else None)
    assert connection.getresponse().status == status


def test_the_page_allows_nothing_but_its_own(serve):
    connection = http.client.HTTPConnection("127.0.0.1", serve().port, timeout=10)
    connection.request("GET", "/")
    headers = connection.getresponse().headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")
