# SPDX-License-Identifier: MIT
"""HAProxy as a child of this process: kept running, reloaded without dropping a connection, never left behind."""

from __future__ import annotations

import logging
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lablib.controllers.haproxy import UNKNOWN_HOST

log = logging.getLogger("router")
FIRST_PAUSE, LAST_PAUSE = 0.5, 30.0  # seconds between two starts that fail
HEALTHY = 5.0  # seconds of life after which a start counts as good


class Router:
    """Call `serve` often, always from the thread that lives as long as the process.

    HAProxy runs in the foreground as master and worker. The kernel ends the master when our thread does (even by SIGKILL),
    and the workers end when their master does. At SIGUSR2 the master starts a worker with the new configuration, which takes
    over the listening sockets, and the old one serves what it had begun.
    """

    def __init__(
        self,
        folder: Path,
        command: Sequence[str] = ("setpriv", "--pdeathsig", "TERM", "haproxy"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._command = command
        self._config = folder / "haproxy.cfg"
        self._candidate = folder / "haproxy.cfg.new"
        self._clock = clock
        self._child: subprocess.Popen[bytes] | None = None
        self._serving = ""  # the configuration that HAProxy has
        self._refused = (
            "",
            0.0,
        )  # one it would not take, and when to try that again (a missing file may have come)
        self._started = self._next_start = 0.0
        self._pause = FIRST_PAUSE
        self.error_page = folder / "503.http"
        self.error_page.write_text(UNKNOWN_HOST, newline="")

    @property
    def certificates(self) -> Path:
        """The folder for the files that a configuration refers to."""
        return self._config.parent

    def serve(self, config: str, files: Mapping[Path, str] | None = None) -> bool:
        """Make HAProxy run with this configuration, unless it does, or unless it refuses it; whether something was done.

        `files` are those that it refers to; HAProxy has read them once it runs.
        """
        for path, text in (files or {}).items():
            if not path.exists():
                path.touch(mode=0o600)
                path.write_text(text)
        done = self._serve(config)
        if done:
            for path in self.certificates.iterdir():
                if path.suffix in (".pem", ".list") and path not in (files or {}):
                    path.unlink()
        return done

    def _serve(self, config: str) -> bool:
        if self._child is None or self._child.poll() is not None:
            return self._start(config)
        if config == self._serving or not self._accepted(config):
            return False
        self._child.send_signal(signal.SIGUSR2)
        self._serving = config
        log.info("reloaded")
        return True

    def stop(self) -> None:
        """End HAProxy; connections are cut."""
        if self._child is not None:
            self._child.terminate()
            try:
                self._child.wait(5)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()

    def _start(self, config: str) -> bool:
        now = self._clock()
        if self._child is not None:
            log.warning("HAProxy ended with status %s", self._child.returncode)
            self._child = None
            if now - self._started > HEALTHY:
                self._pause = FIRST_PAUSE
            self._next_start = now + self._pause
            self._pause = min(LAST_PAUSE, 2 * self._pause)
        if now < self._next_start or not self._accepted(config):
            return False
        self._child = subprocess.Popen(
            [*self._command, "-W", "-db", "-f", str(self._config)], stdin=subprocess.DEVNULL
        )
        self._serving, self._started = config, now
        log.info("started")
        return True

    def _accepted(self, config: str) -> bool:
        """Whether HAProxy understands it; if so, it lies where HAProxy reads it."""
        refused, again = self._refused
        if config == refused and self._clock() < again:
            return False
        self._candidate.write_text(config)
        check = subprocess.run(
            [*self._command, "-c", "-q", "-f", str(self._candidate)],
            capture_output=True,
            text=True,
            check=False,
        )
        if check.returncode:
            self._refused = config, self._clock() + LAST_PAUSE
            log.error(
                "HAProxy does not take the configuration %s: %s",
                self._candidate,
                check.stderr.strip(),
            )
            return False
        self._candidate.replace(self._config)
        return True
