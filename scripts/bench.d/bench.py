"""Measures everything side by side in one run; prints a line a figure and writes them as JSON."""

import argparse
import datetime
import json
import os
import pathlib
import platform
import signal
import sys

from figures import Bench
from server import CORES, Failed, run

# In the order in which they are measured: the memory of serving is that under the loads before it.
MEASURES = {
    "verify": ("verify-distinct", "verify-one"), "scans": ("verify-label",), "register": ("register",),
    "sales": ("sales-spread", "sales-one-batch"),
    "bookings": ("bookings-hot", "bookings-spread"), "bookings_past": ("bookings-past",), "imports": ("import",),
    "memory_serving": ("memory-serving",), "memory_importing": ("memory-importing",),
    "backups": ("backup", "restore", "backup-memory"), "verify_villages": ("verify-villages",),
    "lists": ("list-batches", "list-sales"), "income": ("income-summary", "income-lines", "income-lines-memory"),
    "livelihood": ("livelihood", "livelihood-memory"),
}
NAMES = [name for names in MEASURES.values() for name in names]


def machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    return {
        "cores": CORES, "cpu": cpu, "kernel": platform.release(), "load": os.getloadavg()[0],
        "postgres": run(["psql", "--version"]).strip(), "openssl": run(["openssl", "version"]).strip(),
    }


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a second a figure: does it work at all?")
    parser.add_argument("--only", action="append", choices=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path(".build/bench.json"))
    options = parser.parse_args()
    wanted = options.only or NAMES
    size = dict(seconds=1, rounds=1, rows=20_000, many_rows=50_000) if options.quick else dict(
        seconds=5, rounds=5, rows=100_000, many_rows=1_000_000)

    def say(text):
        if sys.stderr.isatty():
            print(f"\r\033[K{text} …" if text else "\r\033[K", end="", file=sys.stderr, flush=True)

    def stopped(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stopped)
    facts = machine()
    figures = []
    bench = Bench(say=say, **size)
    try:
        bench.prepare()
        print(f"{'':20}{'ours':>11}{'beside':>11}  {'':12}{'ratio':>6}{'reach':>7}")
        for measure, names in MEASURES.items():
            if not set(names) & set(wanted):
                continue
            say(", ".join(names))
            for figure in getattr(bench, measure)():
                say("")
                if figure.name not in wanted:
                    continue
                figures.append(figure)
                ours, beside = (f"{n:,.0f}" if n >= 10 else f"{n:.2f}" for n in (figure.ours, figure.beside))
                print(f"{figure.name:20}{ours:>11}{beside:>11}  {figure.unit:12}"
                      f"{figure.ratio:6.2f}{figure.reach:7}  {figure.verdict}", flush=True)
        bench.check()
    except Failed as failure:
        say("")
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        bench.close()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps({
        "at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "quick": options.quick,
        "machine": facts, "size": size, "figures": [vars(figure) for figure in figures],
    }, indent=1, ensure_ascii=False) + "\n")
    print(f"written to {options.output}", file=sys.stderr)
    return 0


sys.exit(main())
