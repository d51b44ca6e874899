"""A worker beside the servers: a process of its own, so that writing letters keeps no buyer waiting."""

import logging
import os
import signal
import subprocess
import sys
import threading
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import TracebackType

from settings import Settings

log = logging.getLogger("rowlock.worker")

WORKER = (sys.executable, str(Path(__file__).parent.parent / "cli.py"), "worker", "--beside")
NICE = 10
"""How far it comes after the servers, where processors are scarce."""

PAUSE_SECONDS_MIN = 1.0
PAUSE_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 10.0


def jobs_beside(settings: Settings) -> AbstractContextManager[None]:
    """Have the jobs done by a worker beside the servers, if they are to be done here."""
    if not settings.jobs_in_server:
        return nullcontext()
    worker = WorkerBeside()
    os.environ["JOBS_IN_SERVER"] = "false"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # when the servers have ended, the worker is to end
    return worker


class WorkerBeside:
    """Has a worker run while the block lasts, and another one when it dies.

    The worker ends when its standard input does: also when whoever started it is killed.
    """

    def __init__(self) -> None:
        self._is_over = threading.Event()
        self._process = self._started()
        self._keeper = threading.Thread(target=self._keep, name="keep a worker", daemon=True)

    def __enter__(self) -> None:
        self._keeper.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._let_end()
        self._keeper.join(STOP_SECONDS_MAX)
        if self._keeper.is_alive():
            self._process.kill()
            self._keeper.join()

    def _started(self) -> "subprocess.Popen[bytes]":
        """A terminal's Ctrl-C does not reach it: it ends after the servers, which may still commit."""
        return subprocess.Popen(WORKER, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603

    def _let_end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()

    def _keep(self) -> None:
        pause_seconds = PAUSE_SECONDS_MIN
        while True:
            status = self._process.wait()
            if self._is_over.wait(pause_seconds):
                return
            log.error("the worker ended with status %d: another one begins", status)
            pause_seconds = min(2 * pause_seconds, PAUSE_SECONDS_MAX)
            self._process = self._started()
            if self._is_over.is_set():
                self._let_end()
