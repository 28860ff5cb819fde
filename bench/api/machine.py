"""Programs, release builds, the database: what a measurement needs. What is measured is in subjects.py."""

import os
import platform
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
PEERS = ROOT / "bench" / "peers"
TARGET = f"{platform.machine()}-unknown-linux-gnu"


def log(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def run(*command, **options) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"`{' '.join(map(str, command))}` failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def require_programs() -> None:
    pgbench = [*Path("/usr/lib/postgresql").glob("*/bin/pgbench"), shutil.which("pgbench")]
    venv = subprocess.run([sys.executable, "-m", "ensurepip", "--version"], capture_output=True)
    missing = [package for package, present in {
        "postgresql": any(pgbench),
        "wrk": shutil.which("wrk") is not None,
        "python3-venv": venv.returncode == 0,
    }.items() if not present]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        sys.exit(f"install {', '.join(missing)} first")
    log(f"installing {', '.join(missing)} by apt")
    options = ["--yes", "--no-install-recommends"]
    run("apt-get", "install", *options, *missing, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def cargo(*arguments, **environment) -> list[str]:
    """Runs cargo with the flags of the image's build; returns the lines of its output."""
    command = ["cargo", *arguments, "--locked", "--target", TARGET]
    environment = {**os.environ, "RUSTFLAGS": "-C target-feature=+crt-static", **environment}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.splitlines()


def build() -> Path:
    """The folder with todostack-api, as the image has it, and todostack-dev-postgres."""
    log("building the release API (5 to 8 minutes at first)")
    for name in ["todostack-api", "todostack-dev-postgres"]:
        cargo("build", "--release", "--package", name, "--bin", name)
    single_request("--no-run")
    return ROOT / "target" / TARGET / "release"


def single_request(*options, **environment) -> list[str]:
    """What batching costs a single request, without any HTTP."""
    bench = ["--package", "todostack-store-postgres", "--bench", "single_request"]
    return cargo("bench", "--quiet", *bench, *options, **environment)


def peers_python() -> Path:
    """A Python with the peers' pinned packages."""
    folder = ROOT / "target" / "bench" / "venv"
    python = folder / "bin" / "python"
    if not python.exists():
        run(sys.executable, "-m", "venv", folder)
    log("installing the peers' packages (half a minute at first)")
    options = ["--quiet", "--disable-pip-version-check", "--requirement", PEERS / "requirements.txt"]
    run(python, "-m", "pip", "install", *options)
    return python


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Postgres:
    """A temporary server with the defaults of Postgres, except for the number of connections."""

    def __init__(self, starter: Path) -> None:
        self.starter = starter

    def __enter__(self) -> "Postgres":
        self.load_before = os.getloadavg()[0]
        # A session of its own, which Ctrl-C does not reach: it removes the server when its input ends.
        self.process = subprocess.Popen(
            [self.starter, "max_connections=200"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )
        self.url = self.process.stdout.readline().strip()
        self.programs = Path(self.process.stdout.readline().strip())
        if not self.url:
            sys.exit("failed to start Postgres")
        return self

    def __exit__(self, *_) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=60)

    def seed(self) -> None:
        """Inserts the 10,000 rows that each measurement starts with."""
        self.psql("--file", HERE / "seed.sql")
        self.psql("--command", "vacuum analyze todos", "--command", "checkpoint")

    def psql(self, *arguments) -> str:
        return run(self.programs / "psql", self.url, "--quiet", "--no-align", "--tuples-only", *arguments)


def describe_machine(postgres: Postgres) -> list[str]:
    cpu = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // 1024 // 1024
    version = postgres.psql("--command", "show server_version").strip()
    return [
        f"{os.cpu_count()} × {cpu}, {memory} GiB, Linux {platform.release()}",
        f"PostgreSQL {version}, its defaults (fsync and synchronous_commit on)",
        f"load average before: {postgres.load_before:.1f}",
    ]
