"""One measurement: a subject, a scenario, a duration. Which are measured, and in which order, is in run.py."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from machine import HERE, Postgres, run
from subjects import Ceiling, Subject

WARM_UP_SECONDS = 2


@dataclass(frozen=True)
class Scenario:
    name: str
    script: str
    connections: int
    pgbench: str | None = None


SCENARIOS = [
    *(Scenario(f"GET by id, {c}", "get.lua", c, "get.sql") for c in (1, 32, 128)),
    *(Scenario(f"POST, {c}", "post.lua", c, "post.sql") for c in (1, 32, 128)),
    *(Scenario(f"list of 50, {c}", "list.lua", c, "list.sql") for c in (32, 128)),
    *(Scenario(f"mixed 80/20, {c}", "mixed.lua", c) for c in (32, 128)),
]


@dataclass(frozen=True)
class Result:
    subject: str
    scenario: str
    per_second: float
    p50_ms: float
    p99_ms: float | None
    rss_mib: float | None
    errors: int


def measure(subject: Subject, scenario: Scenario, seconds: int, postgres: Postgres) -> Result:
    postgres.seed()
    if isinstance(subject, Ceiling):
        return _pgbench(subject, scenario, seconds, postgres)
    process = subject.start()
    try:
        _wrk(subject, scenario, WARM_UP_SECONDS)
        output = _wrk(subject, scenario, seconds)
        rss = _rss_mib(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=30)
    return Result(
        subject.name,
        scenario.name,
        float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1]),
        _milliseconds(re.search(r"(?m)^ +50% +(\S+)", output)[1]),
        _milliseconds(re.search(r"(?m)^ +99% +(\S+)", output)[1]),
        rss,
        _errors(output),
    )


def _wrk(subject: Subject, scenario: Scenario, seconds: int) -> str:
    threads = min(2, scenario.connections)
    return run(
        "wrk", f"-t{threads}", f"-c{scenario.connections}", f"-d{seconds}s", "--latency",
        "-s", HERE / "wrk" / scenario.script, f"http://127.0.0.1:{subject.port}",
    )


def _errors(output: str) -> int:
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    return int(failed[1] if failed else 0) + sum(map(int, broken.groups() if broken else ()))


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def _pgbench(subject: Subject, scenario: Scenario, seconds: int, postgres: Postgres) -> Result:
    script = HERE / "pgbench" / scenario.pgbench
    arguments = ["--no-vacuum", "--protocol=prepared", f"--client={scenario.connections}", "--file", script]
    arguments += [f"--jobs={min(2, scenario.connections)}", postgres.url]
    run(postgres.programs / "pgbench", f"--time={WARM_UP_SECONDS}", *arguments)
    output = run(postgres.programs / "pgbench", f"--time={seconds}", *arguments)
    rate = re.search(r"tps = ([\d.]+)", output)
    if not rate:
        sys.exit(f"pgbench finished no transaction in {seconds} s, use more --seconds:\n{output}")
    per_second = float(rate[1])
    average = float(re.search(r"latency average = ([\d.]+) ms", output)[1])
    failed = re.search(r"number of failed transactions: (\d+)", output)
    errors = int(failed[1]) if failed else 0
    return Result(subject.name, scenario.name, per_second, average, None, None, errors)


def _rss_mib(pid: int) -> float:
    """Of the process and all its workers."""
    children = subprocess.run(["pgrep", "--parent", str(pid)], capture_output=True, text=True).stdout.split()
    total = 0
    for process in [str(pid), *children]:
        status = Path(f"/proc/{process}/status").read_text()
        total += int(re.search(r"VmRSS:\s+(\d+)", status)[1])
    return total / 1024
