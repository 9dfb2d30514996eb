"""Bookings of study tours, each figure beside what it is judged by."""

import json

from server import Failed

CLIENTS = 64
# As many seats as a session may have.
SEATS = 10_000
# More bookings a second than there will be: a round ends before its sessions are sold out.
MOST = 5_000
FEW_SEATS = 500
PAST_BOOKINGS = 200_000


class Tours:
    """Sessions of one programme, and groups of one head that book them."""

    def __init__(self, server):
        self.server = server
        self.offered = 0
        server.sql(
            "INSERT INTO tour_site (village_id, name, kind) VALUES (1, '蟠桃采摘园', 'orchard');"
            "INSERT INTO tour_programme (village_id, name, minutes, price_fen) VALUES (1, '蟠桃采摘与农耕研学', 120, 6800)")

    def sessions(self, count, seats=SEATS):
        """The first and the last of so many new sessions."""
        start = self.offered
        self.offered += count
        first, last = self.server.sql(
            "WITH made AS (INSERT INTO tour_session (village_id, site_id, programme_id, day, starts_at, ends_at, capacity)"
            " SELECT 1, t.id, p.id, (at AT TIME ZONE 'Asia/Shanghai')::date, at, at + interval '2 hours',"
            f" {seats} FROM tour_site t, tour_programme p, generate_series({start}, {start + count - 1}) n,"
            " LATERAL (SELECT date_trunc('hour', now()) + interval '20 days' + n * interval '3 hours' AS at) times"
            " RETURNING id) SELECT min(id), max(id) FROM made").split("|")
        return int(first), int(last)

    def book_once(self):
        """Says what is wrong, if anything is."""
        first, _ = self.sessions(1)
        status, text = self.server.request("POST", "/api/v1/tours/bookings", {
            "unit": "区委党校主体班", "unitKind": "party_school", "headcount": 1, "leader": "韩老师",
            "phone": "13900001111", "sessions": [first]})
        if status != 201 or json.loads(text)["state"] != "requested":
            raise Failed(f"a booking: {status} {text}")

    def measures(self, count):
        """Bookings a second of new sessions each time: ours, and pgbench's."""
        longest = count * SEATS // MOST

        def ours(seconds):
            return self.server.wrk(min(seconds, longest), CLIENTS, "book", *self.sessions(count))

        def beside(seconds):
            first, last = self.sessions(count)
            return self.server.pgbench(
                "booking.sql", min(seconds, longest), CLIENTS, village=1, first=first, last=last)

        return ours, beside

    def sell_out(self):
        """Sells a small session out and goes on asking: exactly its seats are taken."""
        first, _ = self.sessions(1, FEW_SEATS)
        answers = self.server.wrk_answers(3, CLIENTS, "book", first, first)
        taken = self.server.sql(
            f"SELECT held + booked FROM tour_session WHERE id = {first}"
            " UNION ALL SELECT coalesce(sum(l.headcount), 0) FROM tour_booking_session l"
            f" JOIN tour_booking b ON b.village_id = l.village_id AND b.id = l.booking_id"
            f" WHERE l.session_id = {first} AND b.state = 'requested'").split()
        if taken != [str(FEW_SEATS)] * 2 or answers <= FEW_SEATS:
            raise Failed(f"of {FEW_SEATS} seats {taken} were taken, after {answers} requests")

    def add_past(self):
        """Bookings of past years, as many as a village gets in centuries."""
        self.server.sql(
            "WITH s AS (INSERT INTO tour_session (village_id, site_id, programme_id, day, starts_at, ends_at, capacity,"
            " booked) SELECT 1, t.id, p.id, (at AT TIME ZONE 'Asia/Shanghai')::date, at, at + interval '2 hours',"
            f" {SEATS}, {SEATS} FROM tour_site t, tour_programme p, generate_series(1, {PAST_BOOKINGS // SEATS}) n,"
            " LATERAL (SELECT timestamptz '2024-01-01 09:00+08' + n * interval '1 day' AS at) times"
            " RETURNING id, day),"
            " b AS (INSERT INTO tour_booking (village_id, reference, unit, unit_kind, headcount, leader, phone, state,"
            " previous_state, arrived, fee_fen, actor) SELECT 1, translate(upper(substr(md5(n::text), 1, 12)), '0189',"
            " 'GHIJ'), '区委党校主体班', 'party_school', 1, '韩老师', '13900001111', 'completed', 'new', 1, 6800, 'local'"
            f" FROM generate_series(1, {PAST_BOOKINGS}) n RETURNING id),"
            " n AS (SELECT id, row_number() OVER () AS n FROM b), m AS (SELECT id, day, row_number() OVER () AS m FROM s)"
            " INSERT INTO tour_booking_session (village_id, booking_id, session_id, day, headcount, price_fen,"
            " amount_fen, arrived, minutes, hold_minutes, change_hours, free_cancel_hours, late_fee_percent,"
            " no_show_fee_percent) SELECT 1, n.id, m.id, m.day, 1, 6800, 6800, 1, 120, p.hold_minutes, p.change_hours,"
            " p.free_cancel_hours, p.late_fee_percent, p.no_show_fee_percent"
            f" FROM n JOIN m ON m.m = 1 + (n.n - 1) / {SEATS} CROSS JOIN tour_programme p")
        # What autovacuum would do in its time, for it not to come in the middle of a measurement. With tables that are as
        # good as empty it would do nothing, and told of them the planner would believe that they stay so.
        for table in "tour_session", "tour_booking", "tour_booking_session":
            self.server.sql(f"VACUUM ANALYZE {table}")

    def check(self):
        """Counters of sessions that the program alone has sold are the sums of their bookings."""
        wrong = self.server.sql(
            "SELECT count(*) FROM (SELECT s.id FROM tour_session s JOIN tour_booking_session l"
            " ON l.village_id = s.village_id AND l.session_id = s.id GROUP BY s.id, s.held, s.booked"
            " HAVING sum(l.headcount) <> s.held + s.booked) differing")
        if wrong != "0":
            raise Failed(f"the counters of {wrong} sessions differ from their bookings")
