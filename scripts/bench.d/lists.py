"""Lists in a village in which others record very much, and in one in which they record little."""

import json
import statistics

import village
from server import Failed

FEW = 1_000
# Batches and sales of the small cooperative, older than those of the others.
OWN = 100
PAGE = 50
# Connections by which a list is asked for: with but one, both sides would be waiting for each other.
ASKING = 2


class Lists:
    """What a clerk of the small cooperative and the committee ask for. That cooperative harvested before the others."""

    def __init__(self, server):
        self.server = server
        self.own, _ = village.numbers(server, "S")
        self.others, _ = village.numbers(server, "B")
        self.clerk = json.loads(server.taoyuan(
            "token", "create", "--role", "clerk", "--cooperative", village.SMALL, "--json"))["token"]

    def batches(self):
        return [("/api/v1/batches", self.clerk), ("/api/v1/batches?inStock=true", self.clerk)]

    def sales(self):
        return [
            (f"/api/v1/sales?batch={self.others}", self.server.token),
            (f"/api/v1/sales?batch={self.own}", self.server.token),
            (f"/api/v1/sales?batch={self.own}", self.clerk),
            ("/api/v1/sales", self.clerk),
        ]

    def add_sales(self, count):
        """A few sales of the small cooperative's, then so many out of one batch of another one's; as many imports would
        have left them, but in seconds."""
        statements = ["SET session_replication_role = replica"]
        for first, last, batch in (1, OWN, self.own), (OWN + 1, OWN + count, self.others):
            rows = f"generate_series({first}, {last}) n JOIN batch b ON b.village_id = 1 AND b.number = {batch}"
            statements += [
                "INSERT INTO sale (village_id, id, cooperative_id, sold_on, channel, buyer, actor)"
                f" SELECT 1, n, b.cooperative_id, '{village.TODAY}', '批发', '买方' || n % 500, 'bench' FROM {rows}",
                "INSERT INTO sale_line (village_id, sale_id, line, cooperative_id, batch_number, grams, price_fen,"
                " price_basis, basis_g, amount_fen)"
                f" SELECT 1, n, 1, b.cooperative_id, b.number, 500, 850, 'jin', 500, 850 FROM {rows}"]
        self.server.psql(*(word for statement in statements for word in ("-c", statement)))
        self.server.sql("VACUUM ANALYZE sale, sale_line")
        self.server.sql("CHECKPOINT")

    def measures(self, lists):
        """Milliseconds for a page of each."""
        return [self.measure(place, path, token) for place, (path, token) in enumerate(lists)]

    def measure(self, place, path, token):
        status, text = self.server.request("GET", path, token=token)
        if status != 200 or len(json.loads(text)["items"]) != PAGE:
            raise Failed(f"GET {path}: {status} {text[:200]}")
        file = self.server.folder / f"list{place}"
        file.write_text(f"localhost {path} {token}\n")
        return lambda seconds: 1000 * ASKING / self.server.wrk(seconds, ASKING, "get", file)


def slowed_most(rounds_of, many, few):
    """Of lists asked for in turn in both villages, the times of the one that takes longest compared with the other."""
    taken = [rounds_of(*pair) for pair in zip(many, few)]
    return max(taken, key=lambda times: statistics.median(times[0]) / statistics.median(times[1]))
