"""A village with so many sales that sums over them can be measured, and the same asked of the tables themselves."""

import subprocess
import time

import village
from server import PROGRAM, Failed, peak_memory

FIRST = village.TODAY.replace(year=village.TODAY.year - 1, month=1, day=1)
LAST = village.TODAY

# What the program asks, without names, policies, corrections and the other sources.
BARE_SUMMARY = (
    "SELECT to_char(s.sold_on, 'YYYY-MM'), b.household_id, sum(l.amount_fen) FROM sale_line l"
    " JOIN sale s ON s.village_id = l.village_id AND s.id = l.sale_id"
    " JOIN batch b ON b.village_id = l.village_id AND b.number = l.batch_number"
    f" WHERE l.village_id = 1 AND s.sold_on BETWEEN '{FIRST}' AND '{LAST}' GROUP BY 1, 2")
BARE_ROWS = (
    "SELECT s.sold_on, s.id, l.line, p.name, c.name, s.channel, h.number, h.head, l.amount_fen FROM sale_line l"
    " JOIN sale s ON s.village_id = l.village_id AND s.id = l.sale_id"
    " JOIN batch b ON b.village_id = l.village_id AND b.number = l.batch_number"
    " JOIN product p ON p.village_id = b.village_id AND p.id = b.product_id"
    " JOIN cooperative c ON c.village_id = s.village_id AND c.id = s.cooperative_id"
    " LEFT JOIN household h ON h.village_id = b.village_id AND h.id = b.household_id"
    f" WHERE l.village_id = 1 AND s.sold_on BETWEEN '{FIRST}' AND '{LAST}' ORDER BY s.sold_on, s.id, l.line")


class Income:
    def __init__(self, server, rows):
        self.server, self.rows = server, rows
        village.found(server)
        village.import_harvest(server, village.harvest_register(server, "Q", 20_000))
        first, last = village.numbers(server, "Q")
        # As a hundred imports would have left them, but in seconds.
        server.psql(
            "-1", "-c",
            "INSERT INTO sale (village_id, id, cooperative_id, sold_on, channel, buyer, actor)"
            f" SELECT 1, 1000 + n, b.cooperative_id, DATE '{FIRST}' + (n % {(LAST - FIRST).days + 1}),"
            " (ARRAY['批发', '零售', '团购'])[n % 3 + 1], '买方' || n % 500, 'bench'"
            f" FROM generate_series(1, {rows}) n JOIN batch b ON b.village_id = 1"
            f" AND b.number = {first} + n % {last - first + 1}",
            "-c",
            "INSERT INTO sale_line (village_id, sale_id, line, cooperative_id, batch_number, grams, price_fen,"
            " price_basis, basis_g, amount_fen)"
            f" SELECT 1, 1000 + n, 1, b.cooperative_id, b.number, 500, 850, 'jin', 500, 850"
            f" FROM generate_series(1, {rows}) n JOIN batch b ON b.village_id = 1"
            f" AND b.number = {first} + n % {last - first + 1}")
        server.sql("VACUUM ANALYZE")

    def summary(self, _):
        start = time.monotonic()
        status, text = self.server.request(
            "GET", f"/api/v1/income/summary?from={FIRST}&to={LAST}&by=month,household", token=self.server.token)
        if status != 200 or f'"total":{{"fen":{self.rows * 850}}}' not in text.replace(" ", ""):
            raise Failed(f"no summary: {status} {text[-200:]}")
        return 1 / (time.monotonic() - start)

    def bare_summary(self, _):
        start = time.monotonic()
        self.server.sql(BARE_SUMMARY)
        return 1 / (time.monotonic() - start)

    def lines(self, _):
        """Rows a second; `memory` is the most that it took."""
        path = self.server.folder / "lines.csv"
        start = time.monotonic()
        with open(path, "wb") as file:
            process = subprocess.Popen(
                [PROGRAM, "income", "lines", "--from", str(FIRST), "--to", str(LAST), "--format", "csv"],
                env=self.server.environment, cwd=self.server.folder, stdin=subprocess.DEVNULL, stdout=file)
            self.memory = 0
            while process.poll() is None:
                self.memory = max(self.memory, peak_memory(process.pid) or 0)
                time.sleep(0.02)
        seconds = time.monotonic() - start
        with open(path, "rb") as file:
            count = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
        if process.returncode or count != self.rows + 1:
            raise Failed(f"income lines: status {process.returncode}, {count} lines")
        path.unlink()
        return self.rows / seconds

    def bare_lines(self, _):
        path = self.server.folder / "bare.csv"
        start = time.monotonic()
        self.server.psql("-c", f"\\copy ({BARE_ROWS}) TO '{path}' CSV")
        seconds = time.monotonic() - start
        path.unlink()
        return self.rows / seconds
