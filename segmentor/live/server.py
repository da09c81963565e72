"""The web server of a live view: a page, the newest result for it, and what its buttons ask for.

Who may ask: without a token the server is for this machine alone, and the danger is pages of other sites in this
machine's browser. They can't read answers (same origin policy), can't post (their origin is another), and can't pass
for this page by pointing a name of their own to this address (DNS rebinding), as ``Host`` must be an address or a name
of this machine. Where other machines can reach the server, frames and buttons take a token.
"""

import hmac
import ipaddress
import json
import logging
import socket
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np

from lib.utils.errors import ConfigError, OutputError
from lib.vis.report.gallery import class_legend
from lib.vis.report.page import stylesheet
from segmentor.live.saving import SavedFrames
from segmentor.live.session import LiveSession

logger = logging.getLogger("samcl")

LOCAL = ("127.0.0.1", "localhost", "::1")
"""Hosts that other machines can't reach."""
WAIT_SECONDS = 1.0
"""That a page waits for a newer result before it is told that there is none."""
MOST_BYTES = 4096
"""Of what a button sends."""
SOCKET_SECONDS = 30
PAGE = Path(__file__).parent / "page"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".json": "application/json"}


class LiveServer(ThreadingHTTPServer):
    """Listens until it is shut down (:meth:`serve_forever`).

    Args:
        session: what is shown.
        saved: gets the frames that a person saves.
        names: of the classes.
        palette: (C, 3) uint8.
        host: address or name to listen at.
        port: 0 for any that is free.
        token: that every request for content must have; needed for hosts but those of :data:`LOCAL`.

    Raises:
        ConfigError: a host that other machines can reach without a token, or an address that can't be had.
    """

    daemon_threads = True

    def __init__(
        self,
        session: LiveSession,
        saved: SavedFrames,
        names: list[str],
        palette: np.ndarray,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str = "",
    ) -> None:
        if host not in LOCAL and not token:
            raise ConfigError(f"--host {host}: other machines could see the frames; a token is needed for that")
        self.session, self.saved, self.token = session, saved, token
        self.names = {name.lower() for name in (host, "localhost", socket.gethostname())}
        legend = class_legend(names, palette)
        self.files = {
            "/": (PAGE / "live.html").read_text(encoding="utf-8").replace("<!-- legend -->", legend),
            "/live.js": (PAGE / "live.js").read_text(encoding="utf-8"),
            "/live.css": stylesheet() + (PAGE / "live.css").read_text(encoding="utf-8"),
        }
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            raise ConfigError(
                f"can't listen at {host}, port {port} ({error}); choose others with --host, --port"
            ) from error

    @property
    def url(self) -> str:
        """Of the page, with the token if there is one; browsers keep what follows ``#`` to themselves."""
        host, port = str(self.server_address[0]), self.server_address[1]
        if ipaddress.ip_address(host).is_unspecified:  # all addresses of this machine
            host = socket.gethostname()
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{port}/" + (f"#token={self.token}" if self.token else "")

    def knows(self, host: str) -> bool:
        """Whether a ``Host`` header is an address, or a name of this machine."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self.names or _is_address(name)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away in the middle of an answer is no error."""
        logger.debug("request of %s failed", client_address, exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: LiveServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "live", ""
    timeout = SOCKET_SECONDS

    def do_GET(self) -> None:
        """The page's files, and ``/state?after=NUMBER``: how things stand, and the newest result after that one."""
        place = urlsplit(self.path)
        if not self._is_known_host():
            return
        if place.path in self.server.files:
            suffix = Path(place.path).suffix or ".html"
            self._answer(HTTPStatus.OK, self.server.files[place.path], suffix)
        elif place.path != "/state":
            self._refuse(HTTPStatus.NOT_FOUND, "there is nothing here")
        elif self._has_token():
            after = parse_qs(place.query).get("after", ["0"])[0]
            shown = self.server.session.newest(int(after) if after.isdecimal() else 0, WAIT_SECONDS)
            self._answer_state(self.server.session.result(shown) if shown else None)

    def do_POST(self) -> None:
        """``/pause`` with ``{"paused": true or false}``, and ``/save`` with ``{"number": of a result}``."""
        body = self._body()
        if body is None or not (self._is_known_host() and self._is_own_page() and self._has_token()):
            return
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            self._refuse(HTTPStatus.BAD_REQUEST, "expected an object in JSON")
        elif self.path == "/pause":
            self.server.session.pause(bool(content.get("paused")))
            self._answer_state(None)
        elif self.path == "/save":
            self._save(content.get("number"))
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "there is nothing here")

    def _save(self, number: Any) -> None:
        shown = self.server.session.recent(number)
        if shown is None:
            self._refuse(HTTPStatus.CONFLICT, "the frame has gone; pause, then save")
            return
        try:
            path = self.server.saved.save(shown.source.name, shown.source.frame, shown.label)
        except OutputError as error:
            self._refuse(HTTPStatus.CONFLICT, str(error))
            return
        self._answer(HTTPStatus.OK, json.dumps({"saved": str(path)}), ".json")

    def _body(self) -> bytes | None:
        """What was sent, read before all else, as the connection goes on after it; None where it is refused."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            self.close_connection = True
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"expected at most {MOST_BYTES} bytes")
            return None
        return self.rfile.read(int(length))

    def _is_known_host(self) -> bool:
        hosts = self.headers.get_all("Host", [])
        known = len(hosts) == 1 and self.server.knows(hosts[0])
        if not known:
            self._refuse(HTTPStatus.FORBIDDEN, "this machine has no such name; use its address")
        return known

    def _is_own_page(self) -> bool:
        """Whether a page of this server sent the request: browsers say whose page it was."""
        own = self.headers.get("Origin") == f"http://{self.headers['Host']}"
        if not own:
            self._refuse(HTTPStatus.FORBIDDEN, "only the page of this server may ask for that")
        return own

    def _has_token(self) -> bool:
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        # As long for a wrong token as for a right one.
        right = not self.server.token or hmac.compare_digest(given.encode(), self.server.token.encode())
        if not right:
            self._refuse(HTTPStatus.UNAUTHORIZED, "the token is missing or wrong")
        return right

    def _answer_state(self, result: dict[str, Any] | None) -> None:
        content = {"state": self.server.session.state(), "result": result}
        self._answer(HTTPStatus.OK, json.dumps(content, allow_nan=False), ".json")

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        self._answer(status, json.dumps({"error": reason}), ".json")

    def _answer(self, status: HTTPStatus, content: str, suffix: str) -> None:
        data = content.encode()
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{TYPES[suffix]}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Every frame is a request; nobody wants a line of each."""
        logger.debug(format, *args)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
