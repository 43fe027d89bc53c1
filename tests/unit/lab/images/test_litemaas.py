# SPDX-License-Identifier: MIT
"""The stand-ins for LiteMaaS' images: what they refuse, and what the frontend hands on."""

from __future__ import annotations

import importlib.util
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any

import pytest
from lablib.images.builder import SOURCES

from .... import loopback


def load(name: str) -> ModuleType:
    """A program of the images, as a module."""
    path = SOURCES / "litemaas" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"litemaas_{name}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


BACKEND = load("backend")
FRONTEND = load("frontend")
URL = "postgresql://litemaas:p%40ss@postgres:5432/litemaas_db?sslmode=disable"
GOOD = {
    "DATABASE_URL": URL,
    "HOST": "0.0.0.0",
    "PORT": "8080",
    "NODE_ENV": "production",
    "LOG_LEVEL": "info",
    "CORS_ORIGIN": "https://litemaas.apps.x.y",
    "JWT_SECRET": "s" * 32,
    "JWT_EXPIRES_IN": "24h",
    "OAUTH_CLIENT_ID": "system:serviceaccount:litemaas:backend",
    "OAUTH_CLIENT_SECRET": "a.b-c.d_e",
    "OAUTH_ISSUER": "https://oauth-openshift.apps.x.y",
    "OAUTH_CALLBACK_URL": "https://litemaas.apps.x.y/api/auth/callback",
    "OPENSHIFT_API_URL": "https://kubernetes.default.svc",
    "ADMIN_API_KEYS": "k" * 16,
    "LITELLM_API_URL": "https://litellm.apps.x.y",
    "LITELLM_API_KEY": "sk-0123456789abc",
    "LITELLM_MASTER_KEY": "sk-0123456789abc",
    "LITELLM_DATABASE_URL": URL.replace("litemaas_db", "litellm"),
    "DB_MAX_CONNECTIONS": "10",
    "RATE_LIMIT_MAX": "1000",
    "RATE_LIMIT_TIME_WINDOW": "5m",
    "DEFAULT_USER_MAX_BUDGET": "100",
    "DEFAULT_USER_TPM_LIMIT": "100000",
    "DEFAULT_USER_RPM_LIMIT": "120",
    "NODE_EXTRA_CA_CERTS": "/etc/litemaas-ca/ca.crt",
}


def test_an_environment_that_is_whole() -> None:
    assert BACKEND.faults({**GOOD, "PATH": "/bin"}) == []


@pytest.mark.parametrize("name", sorted(GOOD))
def test_each_variable_is_missed(name: str) -> None:
    assert BACKEND.faults({k: v for k, v in GOOD.items() if k != name}) == [f"{name} is not set"]


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("NODE_ENV", "development", "NODE_ENV does not look like production"),
        ("DATABASE_URL", "postgresql://a:p@ss@postgres:5432/x", "DATABASE_URL does not look"),
        ("DATABASE_URL", URL.partition("?")[0], "DATABASE_URL does not look"),
        ("OAUTH_ISSUER", "http://oauth", "OAUTH_ISSUER does not look"),
        ("OAUTH_CALLBACK_URL", "https://other.x.y/api/auth/callback", "not below CORS_ORIGIN"),
        ("NODE_TLS_REJECT_UNAUTHORIZED", "0", "NODE_TLS_REJECT_UNAUTHORIZED must not be set"),
        ("OAUTH_MOCK_ENABLED", "true", "OAUTH_MOCK_ENABLED must not be set"),
    ],
)
def test_each_wrong_value_is_named(name: str, value: str, fault: str) -> None:
    (found,) = BACKEND.faults({**GOOD, name: value})
    assert fault in found and value not in found.partition(" ")[0]


def test_a_url_is_decoded_as_the_real_one_does() -> None:
    found = BACKEND.database(URL)
    assert (found["user"], found["password"], found["database"]) == (
        "litemaas",
        "p@ss",
        "litemaas_db",
    )


class Api(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("X-Of-The-Backend", "yes")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(name="front")
def _front() -> Iterator[tuple[str, type[Any]]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), FRONTEND.Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", FRONTEND.Handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_frontend_serves_pages_and_hands_the_api_on(front: tuple[str, type[Any]]) -> None:
    url, handler = front
    with loopback.serving(Api) as api:
        host, _colon, port = api.removeprefix("http://").partition(":")
        handler.backend = host, int(port)
        page = urllib.request.urlopen(f"{url}/models", timeout=5).read()
        assert b"LiteMaaS" in page
        answer = urllib.request.urlopen(f"{url}/api/v1/x", data=b"hello", timeout=5)
        assert (answer.status, answer.read()) == (201, b"hello")
        assert answer.headers["X-Of-The-Backend"] == "yes"
    with pytest.raises(urllib.error.HTTPError, match="502"):
        urllib.request.urlopen(f"{url}/api/v1/x", timeout=5)
