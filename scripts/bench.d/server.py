"""The program at work in a folder of its own, with its PostgreSQL, and the tools that measure it."""

import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = HERE.parent.parent / ".build/release/taoyuan"
CORES = len(os.sched_getaffinity(0))


class Failed(Exception):
    """What was to be measured did not work; the text says why."""


def run(command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if done.returncode:
        raise Failed(f"{' '.join(map(str, command[:4]))} …: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout


class Server:
    """`taoyuan serve` on a free port. Its data lies in /var/tmp, which is a disk where /tmp may be memory."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="taoyuan-bench.", dir="/var/tmp"))
        # The embedded PostgreSQL of root works as the user postgres.
        self.folder.chmod(0o711)
        self.data = self.folder / "data"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TAOYUAN_", "DATABASE_", "PG"))}
        self.environment = kept | {
            "TAOYUAN_DATA_DIR": str(self.data), "TAOYUAN_VERIFY_PER_MINUTE": "0",
            "TAOYUAN_BOOK_PER_MINUTE": "0", "TAOYUAN_VILLAGE": "韩村",
            "TAOYUAN_BRAND": "津小韩", "TAOYUAN_ORIGIN": "localhost:8080",
            "LANG": "C.UTF-8",
        }
        self.log = self.folder / "serve.log"
        self.process = None

    def start(self):
        self.taoyuan("migrate")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "serve", "--port", str(self.port)], env=self.environment, cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.request("GET", "/readyz")[0] == 200:
                    break
            except OSError:
                pass
            time.sleep(0.05)
        else:
            raise Failed(f"the server did not start: {self.log.read_text().strip()}")
        self.token = json.loads(self.taoyuan("token", "create", "--role", "administrator", "--json"))["token"]
        for setting in "fsync", "synchronous_commit", "full_page_writes":
            if self.sql(f"SHOW {setting}") != "on":
                raise Failed(f"{setting} is off: commits are not durable")

    def stop(self):
        """Ends the server, its PostgreSQL if that outlived it, and removes the folder."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
        try:
            postmaster = int((self.data / "postgres/postmaster.pid").read_text().split()[0])
            os.kill(postmaster, signal.SIGINT)
            while os.path.exists(f"/proc/{postmaster}"):
                time.sleep(0.1)
        except (OSError, ValueError):
            pass
        shutil.rmtree(self.folder, ignore_errors=True)

    def taoyuan(self, *words):
        return run([PROGRAM, *words], env=self.environment, cwd=self.folder)

    def request(self, method, path, body=None, token=None, host="localhost"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Host": host}
        if token or body:
            headers["Authorization"] = f"Bearer {token or self.token}"
        if body:
            headers["Content-Type"] = "application/json"
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    # The database, beside the program.

    def psql(self, *words, user="taoyuan_admin"):
        # The first village's numbers are taken by defaults that ask for which village it is.
        return run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.data / "run", "-U", user, "-d", "taoyuan",
                    *words], env=self.environment | {"PGOPTIONS": "-c taoyuan.village=1"})

    def sql(self, statement):
        return self.psql("-c", statement).strip()

    def pgbench(self, script, seconds, clients, **variables):
        defined = [word for name, value in variables.items() for word in ("-D", f"{name}={value}")]
        answer = run([shutil.which("pgbench"), "-n", "-M", "prepared", "-c", clients, "-j", min(CORES, 2),
                      "-T", seconds, "-h", self.data / "run", "-U", "taoyuan_service", *defined,
                      "-f", HERE / script, "taoyuan"], env=self.environment)
        if int(re.search(r"failed transactions: (\d+)", answer)[1]):
            raise Failed(f"pgbench: {answer}")
        found = re.search(r"tps = ([\d.]+)", answer)
        if not found:
            raise Failed(f"pgbench {script}: {answer}")
        return float(found[1])

    def wrk(self, seconds, clients, *words):
        """Requests a second, all of them answered well."""
        requests, microseconds, errors = self._wrk(seconds, clients, words)
        if errors or not requests:
            raise Failed(f"{errors} of {requests} requests failed: {' '.join(map(str, words[:2]))}")
        return requests * 1e6 / microseconds

    def wrk_answers(self, seconds, clients, *words):
        """How many requests were answered, well or with a refusal."""
        return self._wrk(seconds, clients, words)[0]

    def _wrk(self, seconds, clients, words):
        answer = run(["wrk", "-t", min(CORES, 2), "-c", clients, "-d", f"{seconds}s", "-s", HERE / "load.lua",
                      f"http://127.0.0.1:{self.port}", "--", *words])
        return list(map(int, re.search(r"RESULT (\d+) (\d+) (\d+)", answer).groups()))

    def peak_memory(self):
        return peak_memory(self.process.pid)


def peak_memory(process):
    """The most that a process has held in memory so far, in megabytes; None when it has ended."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{process}/status").read_text())
    except OSError:
        return None
    return int(found[1]) * 1024 / 1e6 if found else None


def openssl_speed(seconds):
    """Ed25519 signatures and verifications a second, on all cores."""
    answer = run(["openssl", "speed", "-seconds", seconds, "ed25519"])
    signs, verifies = re.search(r"Ed25519\)\s+\S+\s+\S+\s+([\d.]+)\s+([\d.]+)", answer).groups()
    return float(signs) * CORES, float(verifies) * CORES
