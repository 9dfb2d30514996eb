"""Scans of labels that are counted, each of a visitor who has not scanned before."""

from server import Failed

LABELS = 2_000


class Scans:
    """Scans of one label, and of many in turn.

    As many are sent as are answered: what is measured is the most that is counted, not how long 2,000 a second take.
    Who counts more than 2,000 of one label keeps up with them.
    """

    def __init__(self, server, codes, clients):
        self.server, self.clients = server, clients
        for name, paths in ("label", codes[:1]), ("labels", codes[:LABELS]):
            (server.folder / name).write_text("".join(f"localhost {path}/scans\n" for path in paths))
        self.answered = 0

    def measure(self, name):
        def measured(seconds):
            rate = self.server.wrk(seconds, self.clients, "scan", self.server.folder / name)
            self.answered += rate * seconds
            return rate

        return measured

    def check(self):
        """Every scan that was answered is there, and those are as many as are told."""
        kept, told = map(int, self.server.sql(
            "SELECT (SELECT count(*) FROM scan), (SELECT sum(visitors) FROM scan_count)").split("|"))
        if kept != told or kept < 0.99 * self.answered:
            raise Failed(f"of {self.answered:.0f} scans {kept} were kept and {told} are told")
