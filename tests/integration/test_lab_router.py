# SPDX-License-Identifier: MIT
"""The lab's router with the real HAProxy, on the loopback device: no cluster."""

from __future__ import annotations

import collections
import contextlib
import http.client
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lablib import prerequisites
from lablib.controllers.haproxy import Listen, files, render
from lablib.controllers.router import Router
from lablib.controllers.site import Server, Site

from ..pki import Authority

WEB = Path(__file__).with_name("web.py")
HOST = "a.apps.lab.test"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificate and key of *.apps.lab.test, its own authority."""
    prerequisites.ensure(
        {"haproxy": "haproxy", "openssl": "openssl"}, print, root=os.geteuid() == 0
    )
    folder = tmp_path_factory.mktemp("pki")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
    ]
    names = ["-subj", "/CN=*.apps.lab.test", "-addext", "subjectAltName=DNS:*.apps.lab.test"]
    files = ["-keyout", str(folder / "key"), "-out", str(folder / "crt")]
    subprocess.run([*command, *names, *files], check=True, capture_output=True)
    pem = folder / "router.pem"
    pem.write_text((folder / "crt").read_text() + (folder / "key").read_text())
    return pem


@pytest.fixture(scope="module")
def backend() -> Iterator[Server]:
    process = subprocess.Popen(
        [sys.executable, str(WEB), "serve", "127.0.0.1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin and process.stdout
    port = int(process.stdout.readline())
    yield Server(f"p:127.0.0.1:{port}", "127.0.0.1", port)
    process.stdin.close()
    process.wait(10)
    process.stdout.close()


class Play:
    """A router of this test's own."""

    def __init__(self, folder: Path, certificate: Path) -> None:
        self.certificate = certificate
        self.router = Router(folder)
        ports = free_port(), free_port()
        page, folder = self.router.error_page, self.router.certificates
        self.listen = Listen("127.0.0.1", *ports, certificate, page, "", folder)

    def serve(self, *sites: Site) -> bool:
        return self.router.serve(render(sites, self.listen), files(sites, self.listen))

    def get(
        self, path: str = "/", host: str = HOST, timeout: float = 20, ca: str = ""
    ) -> tuple[int, str]:
        trusted = {"cadata": ca} if ca else {"cafile": str(self.certificate)}
        context = ssl.create_default_context(**trusted)
        connection = http.client.HTTPConnection(host, timeout=timeout)
        plain = socket.create_connection(("127.0.0.1", self.listen.https_port), timeout)
        connection.sock = context.wrap_socket(plain, server_hostname=host)
        with contextlib.closing(connection):
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()


@pytest.fixture
def play(tmp_path: Path, certificate: Path) -> Iterator[Play]:
    playing = Play(tmp_path, certificate)
    yield playing
    playing.router.stop()


def site(server: Server, **changes: Any) -> Site:
    return Site(
        **{
            "name": "be:x:a",
            "host": HOST,
            "servers": (server,),
            "secure": True,
            "plain": "redirect",
            **changes,
        }
    )


def eventually(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if condition():
                return
        assert time.monotonic() < deadline
        time.sleep(0.05)


def processes(folder: Path) -> list[int]:
    """The HAProxy processes that read their configuration from this folder."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and f"{folder}/haproxy.cfg" in (entry / "cmdline").read_text():
                found.append(int(entry.name))
    return found


def test_haproxy_understands_everything_that_can_be_rendered(play: Play, backend: Server) -> None:
    sites = [
        site(
            backend,
            name=f"be:x:{number}",
            host=f"h{number}.apps.lab.test",
            path=path,
            exact=exact,
            secure=secure,
            plain=plain,
            timeout_server="600s",
            timeout_tunnel="2147483647ms",
            balance=balance,
            cookie=cookie,
            servers=servers,
        )
        for number, (path, exact, secure, plain, balance, cookie, servers) in enumerate(
            (path, exact, secure, plain, balance, cookie, servers)
            for path in ("", "/a", "/a.b~c!d$e&f(g)h*i+j,k;l=m:n@o%20p-q")
            for exact in (False, True)
            for secure, plain in ((True, "redirect"), (True, "refuse"), (False, "serve"))
            for balance in ("", "roundrobin", "leastconn", "source", "random")
            for cookie in ("", "c0ffee")
            for servers in ((), (backend,), (backend, Server("q:10.0.0.2:1", "10.0.0.2", 1, 0)))
        )
    ]
    assert len(sites) == 540
    assert play.serve(*sites)
    eventually(lambda: play.get(host="nobody.apps.lab.test")[0] == 503)


def test_under_load_reloads_lose_no_request(play: Play, backend: Server) -> None:
    play.serve(site(backend))
    eventually(lambda: play.get()[0] == 200)
    results: collections.Counter[Any] = collections.Counter()
    over = threading.Event()

    def load() -> None:
        while not over.is_set():
            try:
                results[play.get()[0]] += 1
            except (OSError, http.client.HTTPException) as error:
                results[repr(error)] += 1

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(4):
        assert play.serve(
            site(backend), site(backend, name="be:other", host=f"o{number}.apps.lab.test")
        )
        time.sleep(0.3)
    over.set()
    for thread in threads:
        thread.join()
    assert set(results) == {200}, results
    assert results[200] > 50


def test_what_had_begun_before_a_reload_is_finished(play: Play, backend: Server) -> None:
    play.serve(site(backend))
    eventually(lambda: play.get()[0] == 200)
    answers: list[tuple[int, str]] = []
    thread = threading.Thread(target=lambda: answers.append(play.get("/drip/10/0.2")))
    thread.start()
    time.sleep(0.5)
    assert play.serve()  # the site is gone altogether
    eventually(lambda: play.get()[0] == 503)
    thread.join()
    assert answers[0][1].count("data: ") == 10


@pytest.mark.parametrize("which", ["master", "worker"])
def test_it_comes_back_after_a_kill(play: Play, backend: Server, which: str) -> None:
    play.serve(site(backend))
    eventually(lambda: play.get()[0] == 200)
    child = play.router._child
    assert child
    master = child.pid
    (worker,) = set(processes(play.router.error_page.parent)) - {master}
    os.kill(master if which == "master" else worker, signal.SIGKILL)

    def back() -> bool:
        play.serve(site(backend))
        return play.get()[0] == 200 and not {master, worker} & set(
            processes(play.router.error_page.parent)
        )

    eventually(back)


def test_a_site_has_its_own_certificate_and_another_one_when_that_is_renewed(
    play: Play, backend: Server
) -> None:
    own = site(backend, name="be:own", host="own.example.test")
    for authority in (Authority("first"), Authority("second")):
        pair = authority.pair(own.host)
        assert play.serve(site(backend), replace(own, certificate=pair.certificate + pair.key))
        eventually(lambda ca=authority.pem: play.get(host=own.host, ca=ca)[0] == 200)
        assert play.get()[0] == 200, "the router's own for everything else"
        kept = [path for path in play.router.certificates.iterdir() if path.suffix == ".pem"]
        assert [path.stat().st_mode & 0o777 for path in kept] == [0o600]
    assert play.serve(site(backend))
    assert not list(play.router.certificates.glob("*.pem"))


KEEPER = """
import sys, time
from pathlib import Path
from lablib.controllers.haproxy import Listen, files, render
from lablib.controllers.router import Router
router = Router(Path(sys.argv[1]))
listen = Listen("127.0.0.1", int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[2]), router.error_page)
assert router.serve(render([], listen))
print("serving", flush=True)
time.sleep(600)
"""


def test_nothing_is_left_when_its_keeper_is_killed(tmp_path: Path, certificate: Path) -> None:
    lab = Path(__file__).resolve().parents[1] / "lab"
    arguments = [str(tmp_path), str(certificate), str(free_port()), str(free_port())]
    keeper = subprocess.Popen(
        [sys.executable, "-c", KEEPER, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(lab)},
    )
    assert keeper.stdout
    assert keeper.stdout.readline() == "serving\n"
    eventually(lambda: len(processes(tmp_path)) == 2)
    keeper.kill()
    keeper.wait()
    eventually(lambda: not processes(tmp_path))
    keeper.stdout.close()
