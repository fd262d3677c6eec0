"""A few long-lived worker processes that answer one request at a time, each within a time limit.

Drawing a PDF runs C libraries on whatever people typed: it may hang, crash or grow. In a process of its
own the worst it can do is to be killed and replaced. Workers are plain subprocesses talking over pipes, so
they share nothing with the service, start when first needed, and see their input end when the service dies.

Frames, both ways: four bytes of length (big-endian), then that many bytes. An answer's first byte says how
it went.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from typing import Literal

log = logging.getLogger(__name__)

DONE, REFUSED, FAILED = 0, 1, 2
"""Done; refused (the input is bad, the worker is fine); failed (the worker is not to be trusted any more)."""

LENGTH = struct.Struct(">I")
CLOSING_SECONDS = 3.0

Why = Literal["timeout", "died", "failed", "closed"]


class WorkerError(Exception):
    """A worker gave no answer. `why` is a stable code; the message is for the log."""

    def __init__(self, why: Why, message: str) -> None:
        super().__init__(message)
        self.why = why


class Refused(Exception):
    """The worker's reasoned no; `payload` says why."""

    def __init__(self, payload: bytes) -> None:
        super().__init__(payload.decode(errors="replace"))
        self.payload = payload


class _Worker:
    def __init__(self, process: Process) -> None:
        self.process = process
        self.answered = 0

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        stdin, stdout = self.process.stdin, self.process.stdout
        if stdin is None or stdout is None:
            raise BrokenPipeError("worker without pipes")
        stdin.write(LENGTH.pack(len(request)) + request)
        await stdin.drain()
        (size,) = LENGTH.unpack(await stdout.readexactly(LENGTH.size))
        answer = await stdout.readexactly(size)
        self.answered += 1
        return answer[0], answer[1:]

    async def end(self, patience: float = 0.0) -> None:
        """Close its input and wait; after `patience` seconds kill it. Always reaps it."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self.process.wait()
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
        await self.process.wait()


class WorkerPool:
    """At most `size` workers of one command, started when needed. For many tasks of one event loop."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], size: int, time_limit: float
    ) -> None:
        self.time_limit = time_limit
        self._command = tuple(command)
        self._environment = dict(environment)
        self._slots = asyncio.Semaphore(size)
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._closed = False

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers that are up."""
        return tuple(sorted(worker.process.pid for worker in self._all))

    async def call(self, request: bytes) -> bytes:
        """The worker's answer.

        Raises:
            Refused: with the worker's reason; the worker stays.
            WorkerError: no answer in time, or the worker broke. It is killed, and the next call gets another.
        """
        async with self._slots:
            while True:
                worker = await self._take()
                used = worker.answered > 0
                try:
                    status, payload = await self._ask(worker, request)
                except WorkerError as error:
                    # One that was killed while idle (by the kernel, by an operator) costs nobody a document.
                    if error.why == "died" and used and not self._closed:
                        continue
                    raise
                return await self._settle(worker, status, payload)

    async def close(self) -> None:
        """End every worker and reap it; calls under way get a WorkerError."""
        self._closed = True
        workers, idle = list(self._all), set(self._idle)
        self._idle.clear()
        self._all.clear()
        await asyncio.gather(*(worker.end(CLOSING_SECONDS if worker in idle else 0) for worker in workers))

    async def _take(self) -> _Worker:
        if self._closed:
            raise WorkerError("closed", "the worker pool is closed")
        if self._idle:
            return self._idle.pop()
        process = await asyncio.create_subprocess_exec(
            *self._command, stdin=PIPE, stdout=PIPE, env=self._environment
        )
        worker = _Worker(process)
        self._all.add(worker)
        return worker

    async def _ask(self, worker: _Worker, request: bytes) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(self.time_limit):
                return await worker.ask(request)
        except TimeoutError:
            await self._drop(worker)
            raise WorkerError("timeout", f"no answer within {self.time_limit:g} s") from None
        except (OSError, asyncio.IncompleteReadError):
            await self._drop(worker)
            why: Why = "closed" if self._closed else "died"
            raise WorkerError(why, f"worker ended with {worker.process.returncode}") from None
        except BaseException:
            # A cancelled call leaves an answer in the pipe that the next caller would take for its own.
            await self._drop(worker)
            raise

    async def _settle(self, worker: _Worker, status: int, payload: bytes) -> bytes:
        if status == FAILED:
            await self._drop(worker)
            raise WorkerError("failed", payload.decode(errors="replace"))
        if self._closed:
            await self._drop(worker)
        else:
            self._idle.append(worker)
        if status == REFUSED:
            raise Refused(payload)
        return payload

    async def _drop(self, worker: _Worker) -> None:
        self._all.discard(worker)
        await worker.end()
        log.warning("drawing worker %s ended", worker.process.pid)
