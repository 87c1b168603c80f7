"""The pages under load beside the bare page, the statements that each runs, and the memory of the processes."""

from collections import defaultdict
from dataclasses import dataclass

from incident_tracker.config import from_environment
from tests.bench import servers
from tests.bench.bare import cookie
from tests.bench.ground import Ground
from tests.bench.load import Load, Page, fetch, put_under_load
from tests.bench.servers import Running, Weight
from tests.bench.tables import doing, median, note, table, title

CONNECTIONS = (1, 8)
RUNS = 3
SECONDS = 1.2
PROCESSES = 2
#: aims: our list against the bare one, statements a page
TIMES_BARE, STATEMENTS = 3.0, 8


@dataclass(frozen=True)
class Run:
    """One page under load for a moment, and the processor time of the server for each request, in milliseconds."""

    load: Load
    cpu: float


def show_queries(kind: str, few: dict[str, int], many: dict[str, int], counts: tuple[int, int]) -> None:
    """Statements a page, with few and with many incidents."""
    title(f"Statements a page, {kind}")
    rows = [
        (name, few[name], many[name], "ok" if few[name] == many[name] <= STATEMENTS else "MISSED")
        for name in few
    ]
    table(("page", *(f"{count:,} incidents" for count in counts), f"aim: the same, {STATEMENTS} at most"), rows)


def measure(ground: Ground, incidents: int) -> None:
    """Serve the tracker and the bare page, two processes each, and ask them in turn."""
    options = ("--processes", str(PROCESSES), "--no-worker")
    bare_cookie = cookie(from_environment({}, instance=ground.instance, database_url=ground.url), 1)
    with servers.tracker(ground.instance, ground.url, *options) as tracker, servers.bare(ground.instance, ground.url) as bare:
        pages = [Page("bare", bare.port, "/incidents", bare_cookie, "<td>"), *_pages(ground, tracker)]
        weights = {"idle, before the first page": tracker.weigh()}
        for page in pages * 4:
            fetch(page)
        weights["idle, after each page once"] = tracker.weigh()
        runs = _rounds(ground, pages, {"bare": bare}, tracker)
        weights["after the load"] = tracker.weigh()
        answered = tracker.seconds_to_answer
    _print(ground.kind, incidents, runs)
    _print_weights(ground.kind, weights, answered)


def _pages(ground: Ground, tracker: Running) -> list[Page]:
    expected = {"list": "Next deadline", "incident": "Key facts", "search": "Next deadline", "board": "Overdue"}
    return [Page(name, tracker.port, path, ground.cookie, expected[name]) for name, path in ground.paths().items()]


def _rounds(ground: Ground, pages: list[Page], special: dict[str, Running], tracker: Running) -> dict[tuple[str, int], list[Run]]:
    found: dict[tuple[str, int], list[Run]] = defaultdict(list)
    for number in range(RUNS):
        doing(f"{ground.kind}: pages under load, round {number + 1} of {RUNS}")
        for connections in CONNECTIONS:
            for page in pages:
                server = special.get(page.name, tracker)
                before = server.cpu_seconds()
                load = put_under_load(page, connections, SECONDS)
                found[page.name, connections].append(Run(load, 1000 * (server.cpu_seconds() - before) / load.requests))
    return found


def _print(kind: str, incidents: int, runs: dict[tuple[str, int], list[Run]]) -> None:
    title(f"Pages with {incidents:,} incidents, {kind}, {PROCESSES} processes, medians of {RUNS}")
    rows = []
    for (name, connections), found in sorted(runs.items(), key=lambda item: item[0][1]):
        rate, cpu = median(run.load.rate for run in found), median(run.cpu for run in found)
        # of each round its own ratio: what else the machine does changes from one to the next
        slower = median(one.load.rate / run.load.rate for one, run in zip(runs["bare", connections], found, strict=True))
        dearer = median(run.cpu / one.cpu for one, run in zip(runs["bare", connections], found, strict=True))
        rows.append((
            name, connections, f"{rate:.0f}", f"{median(run.load.p50 for run in found):.1f}", f"{median(run.load.p95 for run in found):.1f}",
            f"{cpu:.1f}", f"{slower:.2f}", f"{dearer:.2f}",
        ))
    table(("page", "connections", "requests/s", "p50 ms", "p95 ms", "CPU ms", "× bare, time", "× bare, CPU"), rows)
    reached = max(float(row[6]) for row in rows if row[0] == "list")
    note(f"aim: the list costs at most {TIMES_BARE:.0f} times the bare page: {'ok' if reached <= TIMES_BARE else 'MISSED'}, {reached:.2f} at worst")


def _print_weights(kind: str, weights: dict[str, Weight], answered: float) -> None:
    title(f"Memory of the tracker, {kind}, {PROCESSES} processes without worker")
    table(("when", "processes", "RSS MB", "PSS MB"), [(when, one.processes, f"{one.rss:.0f}", f"{one.pss:.0f}") for when, one in weights.items()])
    note(f"first answer {answered:.1f} s after the start")
