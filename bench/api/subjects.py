"""What is measured: this service, two comparable ones, and SQL without a service as the ceiling."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from machine import PEERS, Postgres, free_port, run

# All services have the same number of connections to the database.
CONNECTIONS = 12
WORKERS = 2


@dataclass
class Subject:
    name: str
    command: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    port: int = 0

    def can(self, scenario) -> bool:
        return True

    def start(self) -> subprocess.Popen:
        environment = {**os.environ, **self.environment}
        output = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        process = subprocess.Popen(self.command, env=environment, cwd=PEERS, **output)
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/todos/1", timeout=1).read()
                return process
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                if process.poll() is not None:
                    sys.exit(f"{self.name} exited: {process.stderr.read().decode()}")
                time.sleep(0.05)
        sys.exit(f"{self.name} does not respond on port {self.port}")


@dataclass
class Ceiling(Subject):
    """pgbench: the same SQL without HTTP and JSON."""

    def can(self, scenario) -> bool:
        return scenario.pgbench is not None


def all_of(binary: Path, python: Path, postgres: Postgres) -> list[Subject]:
    run(binary, "migrate", env={"DATABASE_URL": postgres.url})
    api_port = free_port()
    api = Subject(
        "todostack-api",
        [str(binary), "serve"],
        {
            "DATABASE_URL": postgres.url,
            "TODOSTACK_LISTEN": f"127.0.0.1:{api_port}",
            "TODOSTACK_OPERATIONS_LISTEN": f"127.0.0.1:{free_port()}",
            "TODOSTACK_DRAIN_DELAY": "0",
            "TODOSTACK_DATABASE_MAX_CONNECTIONS": str(CONNECTIONS),
            # Enabled, as every feature is, but never reached.
            "TODOSTACK_RATE_LIMIT_RPS": "10000000",
        },
        api_port,
    )
    return [
        api,
        _peer("FastAPI + asyncpg", "asyncpg_app", python, postgres),
        _peer("FastAPI + SQLAlchemy", "sqlalchemy_app", python, postgres),
        Ceiling("pgbench -M prepared"),
    ]


def _peer(name: str, module: str, python: Path, postgres: Postgres) -> Subject:
    port = free_port()
    command = [str(python), "-m", "uvicorn", f"{module}:app", "--port", str(port), "--workers", str(WORKERS),
               "--no-access-log", "--log-level", "warning"]
    environment = {"DATABASE_URL": postgres.url, "POOL_SIZE": str(CONNECTIONS // WORKERS)}
    return Subject(f"{name}, {WORKERS} workers", command, environment, port)
