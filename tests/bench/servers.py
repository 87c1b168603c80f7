"""Starting the servers that are measured, stopping them, weighing their processes."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 90
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Weight:
    """Memory of a server's processes together, in megabytes: resident, and with what they share counted once."""

    processes: int
    rss: float
    pss: float


@dataclass
class Running:
    """A server that was started. `seconds_to_answer` from the start of its process to its first answer."""

    process: subprocess.Popen[bytes]
    port: int
    seconds_to_answer: float = 0.0

    def cpu_seconds(self) -> float:
        """Processor time that its processes have used so far."""
        return spent(self.process.pid)

    def weigh(self) -> Weight:
        return weigh(self.process.pid)


def spent(root: int) -> float:
    """Processor seconds that a process and those it started have used so far."""
    return sum(sum(int(part) for part in _stat(number)[11:13]) for number in _tree(root)) / _TICKS


def weigh(root: int) -> Weight:
    """The memory of a process and those it started."""
    found = [_memory(number) for number in _tree(root)]
    return Weight(len(found), sum(rss for rss, _ in found) / 1024, sum(pss for _, pss in found) / 1024)


@contextmanager
def tracker(instance: Path, url: str, *options: str, more: Mapping[str, str] | None = None) -> Iterator[Running]:
    """`incident-tracker serve` on this database, until the block ends."""
    port = free_port()
    settings = {"INSTANCE": str(instance), "DATABASE_URL": url, "LOG_LEVEL": "ERROR", **(more or {})}
    program = Path(sys.executable).with_name("incident-tracker")
    with _started([str(program), "serve", "--port", str(port), *options], port, settings) as running:
        yield running


@contextmanager
def bare(instance: Path, url: str) -> Iterator[Running]:
    """The bare page under the same server with the same number of processes and threads."""
    port = free_port()
    with _started([sys.executable, "-m", "tests.bench.bare", str(port)], port, {"INSTANCE": str(instance), "DATABASE_URL": url}) as running:
        yield running


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def _started(command: Sequence[str], port: int, settings: Mapping[str, str]) -> Iterator[Running]:
    around = {name: value for name, value in os.environ.items() if not name.startswith("INCIDENT_TRACKER_")}
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=around | {f"INCIDENT_TRACKER_{name}": value for name, value in settings.items()}, stdout=subprocess.DEVNULL, start_new_session=True,
    )
    running = Running(process, port)
    try:
        _wait(running)
        running.seconds_to_answer = time.perf_counter() - began
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(running: Running) -> None:
    until = time.perf_counter() + PATIENCE
    while True:
        try:
            with socket.create_connection(("127.0.0.1", running.port), timeout=10) as one:
                one.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                if one.recv(100).startswith(b"HTTP/1.1 "):
                    return
        except OSError:
            if running.process.poll() is not None or time.perf_counter() > until:
                raise RuntimeError("the server did not start") from None
        time.sleep(0.02)


def _tree(root: int) -> list[int]:
    """A process and those that it started, and they."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (stat := _stat(int(entry))):
            children.setdefault(int(stat[1]), []).append(int(entry))
    found, left = [], [root]
    while left:
        one = left.pop()
        found.append(one)
        left += children.get(one, [])
    return found


def _stat(number: int) -> list[str]:
    """What /proc says of a process, from its state on; nothing if it has ended."""
    try:
        return Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return ["0"] * 20


def _memory(number: int) -> tuple[int, int]:
    try:
        text = Path(f"/proc/{number}/smaps_rollup").read_text(encoding="utf-8")
    except OSError:
        return 0, 0
    return tuple(int(found[1]) if (found := re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)) else 0 for name in ("Rss", "Pss"))  # type: ignore[return-value]
