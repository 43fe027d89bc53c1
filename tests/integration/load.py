# SPDX-License-Identifier: MIT
"""A bounded, steady load of completions on a gateway, as a program of its own, so that a busy test does not slow it.

`load.py URL CA-FILE MODEL RATE SECONDS`, the key in LOAD_KEY, asks RATE times a second until its standard input ends or SECONDS
have passed, lets what is under way finish, and prints as JSON:
{"sent": number, "slowest": seconds, "failed": [{"kind", "at", "when": it began, "seconds": it took, "status", "error"}],
"closed": the same of kept connections that ended unanswered}.

It asks through several clients, each of one kind and with one request at a time:
    kept      over one connection that is kept, idle for some seconds between two requests
    new       over a new connection each time, answered after a second
    streamed  over a kept connection, word by word for some seconds

No request is repeated: what fails once has failed. There is one exception, which OpenAI's client and browsers make too: a kept
connection may be closed in the very moment in which the next request is sent on it. What ended so, without a byte of an answer, is
asked once more over a new connection, and listed as closed if that works.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any

import urllib3

LONGEST = 900.0  # seconds, whatever is asked for
IDLE = 5.0  # seconds between two requests of a client, about: when servers close idle connections by default
KINDS: dict[str, dict[str, Any]] = {
    "kept": {},
    "new": {"lab-delay": 1},
    "streamed": {"stream": True, "lab-chunk-delay": 0.4},
}


class Client:
    """One client and what befell it."""

    def __init__(self, kind: str, url: str, ca_file: str, model: str) -> None:
        self.kind, self._url = kind, f"{url}/v1/chat/completions"
        self._pool = urllib3.PoolManager(ca_certs=ca_file, retries=False, maxsize=1)
        message = {"role": "user", "content": "Tell me."}
        self._body = json.dumps({"model": model, "messages": [message], **KINDS[kind]})
        self._headers = {
            "Authorization": f"Bearer {os.environ['LOAD_KEY']}",
            "Content-Type": "application/json",
            **({"Connection": "close"} if kind == "new" else {}),
        }
        self.sent, self.slowest = 0, 0.0
        self.failed: list[dict[str, Any]] = []
        self.closed: list[dict[str, Any]] = []

    def ask(self) -> None:
        """One completion, to its end."""
        reused = self.kind != "new" and self.sent > 0
        self.sent += 1
        failure = self._try()
        if not failure:
            return
        if reused and not failure["status"] and "Connection aborted" in failure["error"]:
            again = self._try()
            (self.failed if again else self.closed).append(failure)
        else:
            self.failed.append(failure)

    def _try(self) -> dict[str, Any]:
        """How it failed; empty where it did not."""
        began, start = time.time(), time.monotonic()
        status, error = 0, ""
        try:
            answer = self._pool.request(
                "POST",
                self._url,
                body=self._body,
                headers=self._headers,
                timeout=120.0,
                preload_content=False,
            )
            status = answer.status
            text = answer.read().decode()
            answer.release_conn()
            wanted = "data: [DONE]" if self.kind == "streamed" else "You said: Tell me."
            if status != 200 or wanted not in text:
                error = text[-300:] or "an empty answer"
        except urllib3.exceptions.HTTPError as problem:
            error = repr(problem)
        took = time.monotonic() - start
        self.slowest = max(self.slowest, took)
        if not error:
            return {}
        when = f"{time.strftime('%H:%M:%S', time.gmtime(began))}.{int(began * 1000) % 1000:03}"
        fact = {"kind": self.kind, "at": began, "when": when, "seconds": round(took, 3)}
        return {**fact, "status": status, "error": error}

    def run(self, first: float, pause: float, end: float, stop: threading.Event) -> None:
        """Ask every *pause* seconds, for the first time after *first*; late when the last answer came late."""
        due = time.monotonic() + first
        while not stop.wait(max(0.0, due - time.monotonic())) and time.monotonic() < end:
            self.ask()
            due = max(due + pause, time.monotonic())


def main(url: str, ca_file: str, model: str, rate: str, seconds: str) -> None:
    end = time.monotonic() + min(float(seconds), LONGEST)
    number = max(len(KINDS), round(float(rate) * IDLE))
    clients = [Client([*KINDS][place % len(KINDS)], url, ca_file, model) for place in range(number)]
    stop = threading.Event()
    pause = number / float(rate)
    threads = [
        threading.Thread(target=client.run, args=(place / float(rate), pause, end, stop))
        for place, client in enumerate(clients)
    ]

    def wait_for_the_end() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report = {
        "sent": sum(client.sent for client in clients),
        "slowest": max(client.slowest for client in clients),
        "failed": [each for client in clients for each in client.failed],
        "closed": [each for client in clients for each in client.closed],
    }
    print(json.dumps(report), flush=True)
    # Not held up by the thread that still waits for the end of the input.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
