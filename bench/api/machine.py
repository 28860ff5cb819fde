"""Programs, the database and the build: what the measurements stand on."""

import os
import platform
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
PEERS = ROOT / "bench" / "peers"


def say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def run(*command, **options) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"`{' '.join(map(str, command))}` failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def postgres_program(name: str) -> Path | None:
    """The newest server's, as Debian keeps them outside of PATH; else the one in PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    in_path = shutil.which(name)
    return found[-1] if found else Path(in_path) if in_path else None


def require_programs() -> None:
    missing = [package for package, there in {
        "postgresql": all(map(postgres_program, ["initdb", "pg_ctl", "psql", "pgbench"])),
        "wrk": shutil.which("wrk") is not None,
        "python3-venv": subprocess.run([sys.executable, "-m", "ensurepip", "--version"], capture_output=True).returncode == 0,
    }.items() if not there]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        sys.exit(f"install {', '.join(missing)} first")
    say(f"installing {', '.join(missing)} by apt")
    run("apt-get", "install", "--yes", "--no-install-recommends", *missing, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def build() -> Path:
    """The folder with todostack-api, as the image has it, and examples/alone."""
    target = f"{platform.machine()}-unknown-linux-gnu"
    say("building the release API (5 to 8 minutes at first)")
    flags = {**os.environ, "RUSTFLAGS": "-C target-feature=+crt-static"}
    subprocess.run(
        ["cargo", "build", "--release", "--locked", "--target", target, "--package", "todostack-api", "--bin", "todostack-api",
         "--package", "todostack-store-postgres", "--example", "alone"],
        cwd=ROOT, env=flags, check=True,
    )
    return ROOT / "target" / target / "release"


def peers_python() -> Path:
    """A Python with the peers' pinned packages."""
    folder = ROOT / "target" / "bench" / "venv"
    python = folder / "bin" / "python"
    if not python.exists():
        run(sys.executable, "-m", "venv", folder)
    say("installing the peers' packages (half a minute at first)")
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", PEERS / "requirements.txt")
    return python


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Postgres:
    """A server of this run alone, with its defaults but for the number of connections."""

    def __enter__(self) -> "Postgres":
        self.load_before = os.getloadavg()[0]
        self.folder = Path(tempfile.mkdtemp(prefix="todostack-bench-"))
        self.port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        self.user = None
        if os.geteuid() == 0:
            # Postgres refuses to run as root.
            self.user = "postgres"
            os.chown(self.folder, pwd.getpwnam("postgres").pw_uid, pwd.getpwnam("postgres").pw_gid)
        data = self.folder / "data"
        self._run("initdb", "--auth=trust", "--username=postgres", "--pgdata", data)
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c max_connections=200"
        self._run("pg_ctl", "start", "--wait", "--silent", "--pgdata", data, "--log", self.folder / "log", "--options", options)
        return self

    def __exit__(self, *_) -> None:
        self._run("pg_ctl", "stop", "--mode=fast", "--silent", "--pgdata", self.folder / "data")
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments) -> None:
        run(postgres_program(program), *arguments, user=self.user, cwd=self.folder)

    def seed(self) -> None:
        """10,000 rows, as every measurement finds them."""
        self.psql("--file", HERE / "seed.sql")
        self.psql("--command", "vacuum analyze todos", "--command", "checkpoint")

    def psql(self, *arguments) -> str:
        return run(postgres_program("psql"), self.url, "--quiet", "--no-align", "--tuples-only", *arguments)


def describe_machine(postgres: Postgres) -> list[str]:
    cpu = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // 1024 // 1024
    return [
        f"{os.cpu_count()} × {cpu}, {memory} GiB, Linux {platform.release()}",
        f"PostgreSQL {postgres.psql('--command', 'show server_version').strip()}, its defaults (fsync and synchronous_commit on)",
        f"load average before: {postgres.load_before:.1f}",
    ]
