"""What is measured, each figure beside what it is judged by."""

import functools
import json
import statistics
import time

import backups
import county
import income
import lists
import scans
import tours
import village
from server import Failed, Server, openssl_speed

CLIENTS = 16
# Readers keep more connections open than clerks do.
READERS = 64


class Figure:
    """`ours` and `beside` in the same unit; more is better, but for a limit and for a ratio of times."""

    def __init__(self, name, unit, reach, ours, beside, limit=False, at_most=False):
        self.name, self.unit, self.reach, self.limit = name, unit, reach, limit
        self.samples = {"ours": ours, "beside": beside}
        self.ours, self.beside = statistics.median(ours), statistics.median(beside)
        self.ratio = self.ours / self.beside
        reached = self.ours <= reach if limit else self.ratio <= reach if at_most else self.ratio >= reach
        self.verdict = "ok" if reached else "above" if limit or at_most else "below"


class Bench:
    def __init__(self, seconds, rounds, rows, many_rows, say):
        self.say = say
        self.seconds, self.rounds, self.rows, self.many_rows = seconds, rounds, rows, many_rows
        self.has_load = False
        self.servers = []
        self.many = None

    def prepare(self):
        self.say("preparing a village")
        self.server = self.started()
        village.found(self.server)
        village.import_harvest(self.server, village.harvest_register(self.server, "B", self.rows))
        village.import_harvest(self.server, village.harvest_register(self.server, "HUGE", 1, village.HUGE))
        self.batches = village.numbers(self.server, "B")
        self.huge = village.numbers(self.server, "HUGE")[0]
        codes = [f"/api/v1/codes/{payload}" for payload in village.payloads(self.server, "B")]
        for name, paths in ("codes", codes), ("one", codes[:1]), ("plain", ["/healthz"]):
            (self.server.folder / name).write_text("".join(f"localhost {path}\n" for path in paths))
        for path in codes[:5]:
            self.check_genuine(self.server, path)
        self.codes = len(codes)

    def check_genuine(self, server, path, host="localhost"):
        status, text = server.request("GET", path, host=host)
        if status != 200 or json.loads(text)["answer"] != "genuine":
            raise Failed(f"a code is not genuine: {status} {text}")

    def started(self):
        """A server of its own, stopped at the end if not before."""
        server = Server()
        self.servers.append(server)
        server.start()
        return server

    def stop(self, server):
        self.servers.remove(server)
        server.stop()

    def close(self):
        for server in self.servers:
            server.stop()

    def rounds_of(self, *measures, seconds=None):
        """The samples of several measures, taken in turn."""
        for measure in measures:
            measure(1)
        taken = [[measure(seconds or self.seconds) for measure in measures] for _ in range(self.rounds)]
        return list(zip(*taken))

    def get(self, name):
        return lambda seconds: self.server.wrk(seconds, READERS, "get", self.server.folder / name)

    def verify(self):
        plain, distinct, one, speed = self.rounds_of(
            self.get("plain"), self.get("codes"), self.get("one"), lambda seconds: openssl_speed(1))
        self.has_load = True
        # What is remembered of a code is a second old at most.
        if self.codes < 1.5 * max(distinct):
            raise Failed(f"{self.codes} codes are too few: they come round again before they are forgotten")
        both = [1 / (1 / p + 1 / s[1]) for p, s in zip(plain, speed)]
        yield Figure("verify-distinct", "requests/s", 0.75, distinct, both)
        yield Figure("verify-one", "requests/s", 0.9, one, plain)

    def post_once(self, path, body):
        status, text = self.server.request("POST", path, body)
        if status != 201:
            raise Failed(f"POST {path}: {status} {text}")

    def register(self):
        day = str(village.HARVESTED)
        self.post_once("/api/v1/batches", {
            "plot": "1", "variety": village.VARIETY, "grade": village.GRADE, "harvestedOn": day,
            "weight": {"grams": 1000}})
        key = self.server.sql("SELECT max(key_id) FROM signing_key")
        ours, beside = self.rounds_of(
            lambda seconds: self.server.wrk(seconds, CLIENTS, "register", village.PLOTS, day, self.server.token),
            lambda seconds: self.server.pgbench(
                "register.sql", seconds, CLIENTS, village=1, plots=village.PLOTS, season=day[:4],
                sequence="numbers.batch_1", variety=village.VARIETY, grade=village.GRADE,
                ceiling=village.CEILING_GRAMS, day=day, actor="token:1", key=key, signature="\\x" + 64 * "5a"))
        self.has_load = True
        yield Figure("register", "batches/s", 0.85, ours, beside)

    def sales(self):
        day = str(village.TODAY)
        self.post_once("/api/v1/sales", {
            "soldOn": day, "channel": "批发", "buyer": "红旗农贸批发",
            "lines": [{"batch": self.huge, "weight": {"grams": 500}, "price": {"fen": 850, "per": "jin"}}]})

        def measures(first, last):
            return (
                lambda seconds: self.server.wrk(seconds, CLIENTS, "sale", first, last, day, self.server.token),
                lambda seconds: self.server.pgbench(
                    "sale.sql", seconds, CLIENTS, village=1, first=first, last=last, day=day, channel="批发",
                    buyer="红旗农贸批发", actor="token:1"))

        first, last = self.batches
        spread = min(last, first + 9999)
        yield Figure("sales-spread", "sales/s", 0.9, *self.rounds_of(*measures(first, spread)))
        yield Figure("sales-one-batch", "sales/s", 0.7, *self.rounds_of(*measures(self.huge, self.huge)))
        self.has_load = True

    def imports(self):
        """Bare tables: the columns and indexes of the real ones, without constraints, keys and policies."""
        tables = {"batch": "number", "stock_movement": "batch_number", "code": "batch_number"}
        bare = "; ".join(f"CREATE TABLE bare.{table} (LIKE {table} INCLUDING INDEXES)" for table in tables)
        self.server.sql(f"CREATE SCHEMA bare; {bare}")
        ours, beside = [], []
        for turn in range(self.rounds):
            prefix = f"I{turn}X"
            seconds, _ = village.import_harvest(
                self.server, village.harvest_register(self.server, prefix, self.rows))
            first, last = village.numbers(self.server, prefix)
            files = {table: self.server.folder / f"{table}.rows" for table in tables}
            for table, path in files.items():
                self.server.psql("-c", f"\\copy (SELECT * FROM {table} WHERE {tables[table]} BETWEEN {first}"
                                       f" AND {last} ORDER BY {tables[table]}) TO '{path}'")
            copies = [word for table, path in files.items() for word in ("-c", f"\\copy bare.{table} FROM '{path}'")]
            start = time.monotonic()
            self.server.psql("-1", *copies)
            copying = time.monotonic() - start
            signing = self.rows / openssl_speed(1)[0]
            ours.append(self.rows / seconds)
            beside.append(self.rows / (copying + signing))
        yield Figure("import", "rows/s", 0.6, ours, beside)

    def memory_serving(self):
        if not self.has_load:
            for measure in self.get("codes"), self.get("one"):
                measure(self.seconds)
        yield Figure("memory-serving", "MB", 100, [self.server.peak_memory()], [100], limit=True)

    def memory_importing(self):
        _, memory = village.import_harvest(
            self.server, village.harvest_register(self.server, "M", self.many_rows))
        yield Figure("memory-importing", "MB", 150, [memory], [150], limit=True)

    def livelihood(self):
        """The section of the samples' last year, from the request to the printed page, on a server of its own."""
        server = self.started()
        village.import_samples(server)
        times = []
        for _ in range(self.rounds + 1):
            start = time.monotonic()
            status, text = server.request("GET", "/api/v1/reports/livelihood?year=2025&format=html", token=server.token)
            times.append(1000 * (time.monotonic() - start))
            if status != 200 or "1,511,796.00" not in text:
                raise Failed(f"no livelihood section: {status} {text[:200]}")
        memory = server.peak_memory()
        self.stop(server)
        # The first finds nothing prepared and nothing in memory.
        yield Figure("livelihood", "ms", 1000, times[1:], [1000], limit=True)
        yield Figure("livelihood-memory", "MB", 100, [memory], [100], limit=True)

    def bookings(self):
        offer = tours.Tours(self.server)
        offer.book_once()
        offer.sell_out()
        yield Figure("bookings-hot", "bookings/s", 0.8, *self.rounds_of(*offer.measures(1)))
        yield Figure("bookings-spread", "bookings/s", 0.7, *self.rounds_of(*offer.measures(50)))
        offer.check()

    def bookings_past(self):
        """Two villages that differ in their past alone, each on a server of its own, booked in turn."""
        offers = []
        for has_past in True, False:
            server = self.started()
            village.found(server)
            offer = tours.Tours(server)
            offer.book_once()
            if has_past:
                offer.add_past()
            server.sql("CHECKPOINT")
            offers.append(offer)
        measures = [offer.measures(50)[0] for offer in offers]
        yield Figure("bookings-past", "bookings/s", 0.95, *self.rounds_of(*measures))
        for offer in offers:
            offer.check()
            self.stop(offer.server)

    def income(self):
        """Sums over many sales and the rows behind them, on a server of their own."""
        server = self.started()
        books = income.Income(server, self.many_rows)
        ours, beside = self.rounds_of(books.summary, books.bare_summary)
        yield Figure("income-summary", "1/s", 0.8, ours, beside)
        ours, beside = self.rounds_of(books.lines, books.bare_lines)
        yield Figure("income-lines", "rows/s", 0.3, ours, beside)
        yield Figure("income-lines-memory", "MB", 100, [books.memory], [100], limit=True)
        self.stop(server)

    def village_of_many(self):
        """A village of very many batches, and a few of the small cooperative's before them, on a server of its own."""
        if not self.many:
            self.many = self.started()
            self.harvest_after_small(self.many, self.many_rows)
        return self.many

    def harvest_after_small(self, server, rows):
        village.found(server)
        village.import_harvest(server, village.harvest_register(server, "S", lists.OWN, of_small=True))
        village.import_harvest(server, village.harvest_register(server, "B", rows))
        server.sql("VACUUM ANALYZE")
        server.sql("CHECKPOINT")

    def backups(self):
        server = self.village_of_many()
        taken = [backups.once(server, turn) for turn in range(self.rounds)]
        backup, dump, restore, pg_restore, memory = zip(*taken)
        yield Figure("backup", "1/s", 0.8, [1 / s for s in backup], [1 / s for s in dump])
        yield Figure("restore", "1/s", 0.8, [1 / s for s in restore], [1 / s for s in pg_restore])
        yield Figure("backup-memory", "MB", 150, [max(memory)], [150], limit=True)

    def verify_villages(self):
        """Codes of a county's villages at random, beside as many of one village that has as many batches in all."""
        one, many = self.village_of_many(), self.started()
        asked = {many: county.found(many, self.many_rows // county.BATCHES)}
        asked[one] = [f"localhost /api/v1/codes/{payload}" for payload in village.payloads(one, "B", len(asked[many]))]
        for server, lines in asked.items():
            (server.folder / "codes").write_text("\n".join(lines) + "\n")
            # One of each village, whose keys are then in memory.
            for host, path in dict(line.split() for line in lines).items():
                self.check_genuine(server, path, host)
        ours, beside = self.rounds_of(*(
            lambda seconds, server=server: server.wrk(seconds, READERS, "get", server.folder / "codes")
            for server in (many, one)))
        self.stop(many)
        yield Figure("verify-villages", "requests/s", 0.9, ours, beside)

    def lists(self):
        """Lists in the village of very many batches, and sales, beside one of few."""
        servers = self.village_of_many(), self.started()
        self.harvest_after_small(servers[1], lists.FEW)
        villages = [lists.Lists(server) for server in servers]
        rounds = functools.partial(self.rounds_of, seconds=min(self.seconds, 2))
        times = lists.slowed_most(rounds, *(v.measures(v.batches()) for v in villages))
        yield Figure("list-batches", "ms", 1.5, *times, at_most=True)
        for asked, count in zip(villages, (self.many_rows, lists.FEW)):
            asked.add_sales(count)
        times = lists.slowed_most(rounds, *(v.measures(v.sales()) for v in villages))
        yield Figure("list-sales", "ms", 1.5, *times, at_most=True)
        self.stop(servers[1])

    def scans(self):
        paths = [line.split()[1] for line in (self.server.folder / "codes").read_text().splitlines()]
        label = scans.Scans(self.server, paths, READERS)
        yield Figure("verify-label", "scans/s", 0.8, *self.rounds_of(label.measure("label"), label.measure("labels")))
        label.check()

    def check(self):
        """What program and pgbench have written adds up."""
        wrong = self.server.sql(
            "SELECT count(*) FROM (SELECT FROM batch b LEFT JOIN stock_movement m ON m.village_id = b.village_id"
            " AND m.batch_number = b.number GROUP BY b.village_id, b.number"
            " HAVING sum(m.grams) IS DISTINCT FROM b.in_g - b.out_g) differing")
        if wrong != "0":
            raise Failed(f"the stock of {wrong} batches differs from the sum of their movements")
