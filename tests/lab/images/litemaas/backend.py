#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Stands in for LiteMaaS' backend, whose image cannot be had in the lab: the same address, environment and weak spots.

    GET  /api/v1/health/live, /api/v1/health/ready, /api/v1/config
    POST /api/auth/login                  where OpenShift's login is
    GET  /api/auth/callback?code=&state=  back from it
    GET  /api/lab/users                   who has logged in: the lab's own

Its environment is checked to the letter, because the real one takes defaults for what is missing and shows it to
users later. As the real one it migrates before it listens, goes on when that fails, and goes on without a database.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import secrets
import signal
import ssl
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

HTTPS_HOST = r"https://[a-z0-9.-]+(:[0-9]+)?"
DATABASE = r"postgresql://[^:@/]+:[^:@/]+@[^:@/]+:5432/[a-z_]+\?sslmode=disable"
# What each variable must look like.
ENVIRONMENT = {
    "DATABASE_URL": DATABASE,
    "HOST": r"0\.0\.0\.0",
    "PORT": r"8080",
    "NODE_ENV": r"production",
    "LOG_LEVEL": r"info",
    "CORS_ORIGIN": HTTPS_HOST,
    "JWT_SECRET": r".{32,}",
    "JWT_EXPIRES_IN": r"[0-9]+[hmd]",
    "OAUTH_CLIENT_ID": r"system:serviceaccount:[a-z0-9-]+:[a-z0-9-]+",
    "OAUTH_CLIENT_SECRET": r"[\w-]+\.[\w-]+\.[\w-]+",
    "OAUTH_ISSUER": HTTPS_HOST,
    "OAUTH_CALLBACK_URL": HTTPS_HOST + r"/api/auth/callback",
    "OPENSHIFT_API_URL": HTTPS_HOST,
    "ADMIN_API_KEYS": r".{16,}",
    "LITELLM_API_URL": HTTPS_HOST,
    "LITELLM_API_KEY": r"sk-.{13,}",
    "LITELLM_MASTER_KEY": r"sk-.{13,}",
    "LITELLM_DATABASE_URL": DATABASE,
    "DB_MAX_CONNECTIONS": r"[0-9]+",
    "RATE_LIMIT_MAX": r"[0-9]+",
    "RATE_LIMIT_TIME_WINDOW": r"[0-9]+[smh]",
    "DEFAULT_USER_MAX_BUDGET": r"[0-9]+",
    "DEFAULT_USER_TPM_LIMIT": r"[0-9]+",
    "DEFAULT_USER_RPM_LIMIT": r"[0-9]+",
    "NODE_EXTRA_CA_CERTS": r"/.+",
}
FORBIDDEN = ("NODE_TLS_REJECT_UNAUTHORIZED", "K8S_API_SKIP_TLS_VERIFY", "OAUTH_MOCK_ENABLED")
# In the order in which the real backend makes them, with an index on each as it has them.
TABLES = {
    "users": "username",
    "teams": "name",
    "team_members": "team_id",
    "models": "provider",
    "subscriptions": "status",
    "api_keys": "key_hash",
    "audit_logs": "action",
    "refresh_tokens": "token",
    "oauth_sessions": "state",
}


def faults(environment: Mapping[str, str]) -> list[str]:
    """What is wrong with the environment, values that may be secret left out."""
    found = []
    for name, pattern in ENVIRONMENT.items():
        value = environment.get(name)
        if value is None:
            found.append(f"{name} is not set")
        elif not re.fullmatch(pattern, value):
            found.append(f"{name} does not look like {pattern}")
    found += [f"{name} must not be set" for name in FORBIDDEN if name in environment]
    if not found and environment["OAUTH_CALLBACK_URL"] != (
        f"{environment['CORS_ORIGIN']}/api/auth/callback"
    ):
        found.append("OAUTH_CALLBACK_URL is not below CORS_ORIGIN")
    return found


def database(url: str) -> dict[str, Any]:
    """The parts of a connection URL, decoded as node-postgres does."""
    parts = urlsplit(url)
    return {
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "host": parts.hostname,
        "port": parts.port,
        "database": unquote(parts.path.removeprefix("/")),
    }


def connect(url: str) -> Any:
    import pg8000.native

    return pg8000.native.Connection(**database(url), timeout=10)


def log(level: str, message: str) -> None:
    print(json.dumps({"level": level, "msg": message}), flush=True)


class Backend:
    """What the process knows."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.states: dict[str, str] = {}
        self.mock = False
        self._lock = threading.Lock()
        self._connection: Any = None
        # As Node does it: these beside the authorities that the system trusts.
        self._trust = ssl.create_default_context()
        self._trust.load_verify_locations(cafile=environment["NODE_EXTRA_CA_CERTS"])

    def query(self, text: str, **values: Any) -> list[list[Any]]:
        import pg8000.exceptions

        with self._lock:
            try:
                return list(self._connection.run(text, **values) or ())
            except pg8000.exceptions.DatabaseError:
                raise
            except (pg8000.exceptions.InterfaceError, OSError):  # the database was restarted
                self._connection = connect(self.environment["DATABASE_URL"])
                return list(self._connection.run(text, **values) or ())

    def start(self) -> None:
        """Connect and migrate: neither is allowed to stop it, as in the real one."""
        try:
            self._connection = connect(self.environment["DATABASE_URL"])
            self.query("SELECT 1")
        except Exception as error:
            log("warn", f"PostgreSQL not available, using mock data for development: {error}")
            self.mock = True
            return
        try:
            for table, column in TABLES.items():
                self.query(
                    f"CREATE TABLE IF NOT EXISTS {table} "
                    f"(id serial PRIMARY KEY, {column} text, created_at timestamptz DEFAULT now())"
                )
                self.query(f"CREATE INDEX IF NOT EXISTS idx_{table} ON {table} ({column})")
            log("info", "Database migrations applied successfully")
        except Exception as error:
            log("error", f"Failed to apply database migrations: {error}")

    def check_surroundings(self) -> None:
        """What the real one only logs, or notices when somebody needs it. Raises for anything wrong."""
        key = self.environment["LITELLM_API_KEY"]
        models = self.fetch(
            f"{self.environment['LITELLM_API_URL']}/v1/models", {"Authorization": f"Bearer {key}"}
        )
        log("info", f"LiteLLM lists {len(models['data'])} models")
        gateway = connect(self.environment["LITELLM_DATABASE_URL"])
        try:
            gateway.run('SELECT count(*) FROM "LiteLLM_ProxyModelTable"')
            for write in (
                'DELETE FROM "LiteLLM_ProxyModelTable"',
                "CREATE TABLE of_the_backend (x int)",
            ):
                try:
                    gateway.run(write)
                except Exception as error:
                    log("info", f"as it should be: {error}")
                else:
                    raise RuntimeError(f"may write into LiteLLM's database: {write}")
        finally:
            gateway.close()
        for name in ("OAUTH_ISSUER", "OPENSHIFT_API_URL"):
            # An answer of any kind will do: it came from behind a certificate that is trusted.
            with contextlib.suppress(urllib.error.HTTPError, ValueError):
                self.fetch(self.environment[name])
        if os.path.exists("/var/run/secrets/kubernetes.io/serviceaccount"):
            raise RuntimeError("a token of the cluster is mounted, which nothing here needs")

    def fetch(
        self, url: str, headers: Mapping[str, str] | None = None, data: bytes | None = None
    ) -> Any:
        """The JSON at *url*, verified."""
        request = urllib.request.Request(url, data=data, headers=dict(headers or {}))
        with urllib.request.urlopen(request, timeout=15, context=self._trust) as answer:
            return json.loads(answer.read())

    def login(self) -> dict[str, str]:
        state = secrets.token_hex(12)
        self.states[state] = self.environment["OAUTH_CALLBACK_URL"]
        query = {
            "response_type": "code",
            "client_id": self.environment["OAUTH_CLIENT_ID"],
            "redirect_uri": self.environment["OAUTH_CALLBACK_URL"],
            "scope": "user:info user:check-access",
            "state": state,
        }
        return {"authUrl": f"{self.environment['OAUTH_ISSUER']}/oauth/authorize?{urlencode(query)}"}

    def callback(self, code: str, state: str) -> str:
        """Where to send somebody who comes back. Raises KeyError for a login that nobody began."""
        redirect = self.states.pop(state)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": self.environment["OAUTH_CLIENT_ID"],
            "client_secret": self.environment["OAUTH_CLIENT_SECRET"],
            "redirect_uri": redirect,
        }
        token = self.fetch(
            f"{self.environment['OAUTH_ISSUER']}/oauth/token", data=urlencode(form).encode()
        )
        user = self.whoami(token["access_token"])
        if not self.query("SELECT 1 FROM users WHERE username = :name", name=user):
            self.query("INSERT INTO users (username) VALUES (:name)", name=user)
        return f"/auth/callback#token={quote(token['access_token'])}"

    def whoami(self, token: str) -> str:
        """The name that goes with a token. The lab's API server knows no users and says 404: then it is the token itself."""
        url = f"{self.environment['OPENSHIFT_API_URL']}/apis/user.openshift.io/v1/users/~"
        try:
            return str(self.fetch(url, {"Authorization": f"Bearer {token}"})["metadata"]["name"])
        except urllib.error.HTTPError as error:
            if error.code not in (401, 403, 404):
                raise
            return token

    def ready(self) -> bool:
        if self.mock:
            return True
        try:
            self.query("SELECT 1")
        except Exception:
            return False
        return True


class Handler(BaseHTTPRequestHandler):
    backend: Backend
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        if where.path == "/api/v1/health/live":
            self.say(200, {"alive": True})
        elif where.path == "/api/v1/health/ready":
            ready = self.backend.ready()
            self.say(200 if ready else 503, {"ready": ready})
        elif where.path == "/api/v1/config":
            url = self.backend.environment["LITELLM_API_URL"]
            self.say(200, {"litellmApiUrl": url, "authMode": "oauth"})
        elif where.path == "/api/lab/users":
            names = self.backend.query("SELECT username FROM users ORDER BY id")
            self.say(200, [name for (name,) in names])
        elif where.path == "/api/auth/callback":
            given = {name: values[0] for name, values in parse_qs(where.query).items()}
            try:
                place = self.backend.callback(given["code"], given["state"])
            except (KeyError, OSError, http.client.HTTPException) as error:
                log("error", f"OAuth callback error: {error!r}")
                self.say(400, {"error": {"code": "OAUTH", "message": "Authentication failed"}})
            else:
                self.say(302, {}, Location=place)
        else:
            self.say(404, {"error": {"code": "NOT_FOUND", "message": where.path}})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/api/auth/login":
            self.say(200, self.backend.login())
        else:
            self.say(404, {"error": {"code": "NOT_FOUND", "message": self.path}})

    def say(self, status: int, body: Any, **headers: str) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Access-Control-Allow-Origin", self.backend.environment["CORS_ORIGIN"])
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *values: object) -> None:
        pass


def main() -> int:
    wrong = faults(os.environ)
    if wrong:
        print(f"ERROR: {'; '.join(wrong)}", file=sys.stderr)
        return 1
    backend = Backend(os.environ)
    backend.start()
    try:
        backend.check_surroundings()
    except Exception as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    Handler.backend = backend
    server = ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler)
    server.daemon_threads = True
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    log("info", "Server listening")
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
