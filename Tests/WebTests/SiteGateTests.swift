import Documents
import Foundation
import Kernel
import Postgres
import TestSupport
import Testing
import Tours

@testable import Web

/// A booking for today as the superuser put it there.
struct GroupBooking: Sendable {
    let number: Int64
    let reference: String
    let phone: String
}

extension ServedVillage {
    func groupBooking(
        unit: String = "区委党校", state: String = "confirmed", headcount: Int = 4, email: String? = nil
    ) async throws -> GroupBooking {
        let reference = try BookingReference.random().text
        let start = Date(timeIntervalSince1970: Double(today.daysSince1970) * 86_400 + 4 * 3600)
        let statements: [SQL] = [
            """
            INSERT INTO tour_site (village_id, name, kind) VALUES (\(backend.village.id), '红色教育基地', 'base')
            ON CONFLICT ON CONSTRAINT tour_site_name_once DO NOTHING
            """,
            """
            INSERT INTO tour_programme (village_id, name, minutes, price_fen)
            VALUES (\(backend.village.id), '红色研学', 120, 5000)
            ON CONFLICT ON CONSTRAINT tour_programme_name_once DO NOTHING
            """,
            """
            INSERT INTO tour_session (village_id, site_id, programme_id, day, starts_at, ends_at, capacity)
            SELECT t.village_id, t.id, p.id, \(today), \(start), \(start.addingTimeInterval(7200)), 10000
            FROM tour_site t JOIN tour_programme p ON p.village_id = t.village_id AND p.name = '红色研学'
            WHERE t.name = '红色教育基地' ON CONFLICT DO NOTHING
            """,
            """
            WITH booking AS (
                INSERT INTO tour_booking (village_id, reference, unit, unit_kind, headcount, leader, phone, email,
                    state, previous_state, fee_fen, actor)
                VALUES (\(backend.village.id), \(reference), \(unit), 'party_school', \(headcount), '王老师',
                    '13812345678', \(email), \(state), 'requested', \(Int64(headcount * 5000)), 'test')
                RETURNING village_id, id
            ), session AS (
                UPDATE tour_session SET booked = booked + \(state == "confirmed" ? headcount : 0)
                WHERE starts_at = \(start) RETURNING id, day
            )
            INSERT INTO tour_booking_session (village_id, booking_id, session_id, day, headcount, price_fen, amount_fen,
                minutes, hold_minutes, change_hours, free_cancel_hours, late_fee_percent, no_show_fee_percent)
            SELECT b.village_id, b.id, s.id, s.day, \(headcount), 5000, \(Int64(headcount * 5000)), 120, 2880, 24, 48,
                0, 0
            FROM booking b CROSS JOIN session s
            """,
        ]
        for statement in statements { _ = try await query(statement) }
        let number: Int64 = try #require(
            try await query("SELECT id FROM tour_booking WHERE reference = \(reference)").first
        ).decode("id")
        return GroupBooking(number: number, reference: reference, phone: "13812345678")
    }

    /// One check-in by the desk, and what became of it.
    func checkIn(
        _ code: String, _ headcount: Int64 = 4, nonce: String = fresh("nonce-"), at: String? = nil
    ) async throws -> JSON {
        let entry: JSON = [
            "code": .string(code), "headcount": .integer(headcount), "nonce": .string(nonce),
            "at": at.map(JSON.string) ?? .null,
        ]
        let reply = try await send("POST", "/api/v1/tours/check-ins", as: "desk", [entry])
        try #require(reply.status == 200, "\(reply.text)")
        return try #require(try reply.json["items"].array.first)
    }
}

extension SiteTests {
    /// Tickets and the gate.
    @Suite struct Gate {
        private func payload(_ booking: GroupBooking) async throws -> String {
            let target = "/api/v1/tours/bookings/\(booking.number)/ticket"
            return try await Served.village.get(target, as: "desk")["payload"].string
        }

        @Test func aPhoneThatScansATicketIsToldForWhen() async throws {
            let village = try Served.village
            let booking = try await village.groupBooking(unit: "保密单位")
            let payload = try await payload(booking)
            for (language, words) in [("zh", "研学凭证"), ("en", "Tour ticket")] {
                for spelling in [payload, payload.lowercased()] {
                    let reply = try await village.send("GET", "/\(spelling)?lang=\(language)")
                    #expect(reply.status == 200)
                    #expect(reply.text.contains(">\(words)</h1>") && reply.text.contains("answer good"))
                    #expect(reply.text.contains("datetime=\"\(village.today)\""))
                    #expect(reply.text.contains("<dd>\(booking.number)</dd>"))
                    for secret in ["保密单位", "王老师", booking.phone, booking.reference] {
                        #expect(!reply.text.contains(secret))
                    }
                }
            }
            let forged = String(payload.dropLast()) + (payload.last == "A" ? "B" : "A")
            let bad = try await village.send("GET", "/\(forged)?lang=zh")
            #expect(bad.status == 200 && bad.text.contains(">假凭证</h1>") && bad.text.contains("answer bad"))
            #expect(!bad.text.contains("<dd>"))
            let code = try await village.get("/api/v1/codes/\(payload)")
            #expect(code["answer"] == "malformed" && code["batch"] == .null)
            let scan = try await village.send("POST", "/api/v1/codes/\(payload)/scans", [:])
            #expect(scan.status == 404)
        }

        @Test func aTicketIsPrinted() async throws {
            let village = try Served.village
            let booking = try await village.groupBooking(unit: "<b>甲&乙</b>")
            let base = "/api/v1/tours/bookings/\(booking.number)/ticket"
            let page = try await village.send("GET", base + ".html?lang=zh", as: "desk")
            #expect(page.status == 200 && page.text.contains("&lt;b&gt;甲&amp;乙&lt;/b&gt;"))
            #expect(!page.text.contains("<b>") && !page.text.contains("<script"))
            #expect(page.text.contains("<svg ") && page.text.contains("12:00–14:00"))
            #expect(page.headers["content-security-policy"]?.contains("style-src 'unsafe-inline'") == true)
            let grouped = [0, 4, 8].map { booking.reference.dropFirst($0).prefix(4) }.joined(separator: "-")
            #expect(page.text.contains(grouped))
            let png = try await village.send("GET", base + ".png", as: "administrator")
            #expect(png.status == 200 && png.body.prefix(4).elementsEqual([0x89, 0x50, 0x4E, 0x47]))
            let svg = try await village.send("GET", base + ".svg", as: "desk")
            #expect(svg.status == 200 && svg.text.hasPrefix("<svg "))
            for person in ["clerk", "auditor", "committee"] {
                #expect(try await village.send("GET", base, as: person).status == 403)
            }
            #expect(try await village.send("GET", base).status == 401)
            #expect(try await village.send("GET", "/api/v1/tours/bookings/4000000000/ticket", as: "desk").status == 404)
            let cancelled = try await village.groupBooking(state: "cancelled")
            let none = try await village.send(
                "GET", "/api/v1/tours/bookings/\(cancelled.number)/ticket", as: "desk")
            #expect(none.status == 409)
            #expect(try none.problem()["type"] == "urn:taoyuan:problem:no-ticket")
        }

        @Test(
            .enabled("needs Chromium and pdfinfo") {
                let programs = (await has("chromium"), await has("pdfinfo"))
                return programs.0 && programs.1
            })
        func aTicketForThreeSessionsIsOnePageOfA5() async throws {
            let village = try Served.village
            let programme = "红色足迹：从支前小推车到乡村振兴的现场教学课与农耕研学体验" + fresh("p")
            let site = "天津市北辰区双街镇韩村红色教育与蟠桃采摘实践教学基地" + fresh("s")
            _ = try await village.post("/api/v1/tours/sites", as: "desk", ["name": .string(site), "kind": "base"])
            _ = try await village.post(
                "/api/v1/tours/programmes", as: "desk",
                ["name": .string(programme), "minutes": 120, "price": JSON(Money(fen: 6800))])
            var sessions: [JSON] = []
            for hour in ["09:00", "13:00", "15:00"] {
                let planned = try await village.post(
                    "/api/v1/tours/sessions", as: "desk",
                    [
                        "site": .string(site), "programme": .string(programme),
                        "day": JSON(village.today.adding(days: 9)), "time": .string(hour), "capacity": 60,
                    ])
                sessions.append(try planned["sessions"].array[0]["session"])
            }
            let booking = try await village.post(
                "/api/v1/tours/desk/bookings", as: "desk",
                [
                    "unit": "天津市北辰区委党校第三十二期中青年干部培训班暨乡村振兴带头人研修班联合教学团", "unitKind": "party_school",
                    "headcount": 28, "leader": "韩建国", "phone": .string(ServedVillage.phone),
                    "sessions": .array(sessions),
                ])
            for language in ["zh", "en"] {
                let target = "/api/v1/tours/bookings/\(try booking["booking"].int64)/ticket.html?lang=\(language)"
                let page = try await village.send("GET", target, as: "desk")
                let folder = FileManager.default.temporaryDirectory.appending(path: "ticket-\(UUID())").path
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
                defer { try? FileManager.default.removeItem(atPath: folder) }
                let onA5 = page.text.replacing("@page { ", with: "@page { size: A5; ")
                try Data(onA5.utf8).write(to: URL(filePath: folder + "/ticket.html"))
                let printed = await output(
                    "sh", "-c",
                    """
                    HOME=\(folder) timeout 60 chromium --headless=new --no-sandbox --disable-gpu \
                        --disable-dev-shm-usage --user-data-dir=\(folder)/chromium --no-pdf-header-footer \
                        --print-to-pdf=\(folder)/ticket.pdf file://\(folder)/ticket.html 2> /dev/null
                    pdfinfo \(folder)/ticket.pdf
                    """)
                let facts = try #require(printed)
                #expect(facts.contains("A5") && facts.contains(/Pages: +1\n/), "\(facts)")
            }
        }

        @Test func aGroupPrintsItsOwnTicket() async throws {
            let village = try Served.village
            let booking = try await village.groupBooking()
            func ask(_ reference: String, _ phone: String) async throws -> TestServer.Reply {
                try await village.send(
                    "POST", "/api/v1/tours/tickets", ["reference": .string(reference), "phone": .string(phone)])
            }
            let good = try await ask(booking.reference.lowercased(), "138 1234 5678")
            #expect(good.status == 200)
            #expect(try good.json["booking"] == .integer(booking.number))
            for (reference, phone) in [
                (booking.reference, "13812345679"), ("ABCDEFGHIJKL", booking.phone), ("x", "y"),
                (booking.reference, "5678"), ("' OR true --", booking.phone),
            ] {
                let reply = try await ask(reference, phone)
                #expect(reply.status == 404)
                #expect(try reply.problem()["type"] == "urn:taoyuan:problem:unknown-booking")
            }
            func form(_ text: String) async throws -> TestServer.Reply {
                try await village.send(
                    "POST", "/tours/ticket?lang=zh", bytes: Data(text.utf8), type: "application/x-www-form-urlencoded",
                    headers: ["Accept": "text/html"])
            }
            let page = try await form("reference=\(booking.reference)&phone=\(booking.phone)")
            #expect(page.status == 200 && page.text.contains("<svg ") && page.text.contains("区委党校"))
            for text in ["", "reference=\(booking.reference)", "phone=1&reference=%3Cscript%3E", "reference=%"] {
                let reply = try await form(text)
                #expect(reply.status == (text.hasSuffix("%") ? 400 : 404))
                #expect(!reply.text.contains("<script"))
                #expect(reply.headers["content-type"]?.hasPrefix("text/html") == true)
            }
        }

        @Test func theDeskLetsGroupsIn() async throws {
            let village = try Served.village
            let booking = try await village.groupBooking()
            let payload = try await payload(booking)
            let nonce = "the-nonce-\(booking.number)"
            let first = try await village.checkIn("https://LOCALHOST:8080/\(payload)", nonce: nonce)
            #expect(first["result"] == "counted" && first["checkIn"]["booking"] == .integer(booking.number))
            let again = try await village.checkIn(payload, nonce: nonce)
            #expect(again["result"] == "repeated")
            for name in ["checkIn", "booking", "session", "headcount", "arrived", "at"] {
                #expect(again["checkIn"][name] == first["checkIn"][name], "\(name)")
            }
            let second = try await village.checkIn(booking.reference, 3)
            #expect(second["result"] == "twice" && second["checkIn"]["earlier"]["headcount"] == 4)
            #expect(try second["checkIn"]["earlier"]["actor"].string.hasPrefix("token:"))
            let cancelled = try await village.groupBooking(state: "cancelled")
            let refused = try await village.checkIn(cancelled.reference)
            #expect(refused["result"] == "refused" && refused["reason"]["code"] == "booking-cancelled")
            let product = try await village.checkIn(village.payload)
            #expect(product["reason"]["code"] == "not-a-ticket")
            let offline = try await village.groupBooking()
            let journal = try await village.checkIn(offline.reference, at: "\(village.today)T04:00:00Z")
            let isAhead = village.backend.clock.now() < (try Date("\(village.today)T03:00:00Z", strategy: .iso8601))
            #expect(journal["result"] == (isAhead ? "conflict" : "counted"))
            for person in ["clerk", "auditor", "committee"] {
                let reply = try await village.send("POST", "/api/v1/tours/check-ins", as: person, [["code": "x"]])
                #expect(reply.status == 403)
            }
        }

        @Test func badCheckInsAreSaidToBe() async throws {
            let village = try Served.village
            let good: [(String, JSON)] = [("code", "ABCDEFGHIJKL"), ("headcount", 1), ("nonce", "12345678")]
            func post(_ name: String, _ value: JSON) async throws -> TestServer.Reply {
                let members = good.filter { $0.0 != name } + [(name, value)]
                let entry = JSON.object(members.map { JSON.Member($0.0, $0.1) })
                return try await village.send("POST", "/api/v1/tours/check-ins", as: "desk", [entry])
            }
            for (name, value) in [
                ("headcount", 0), ("headcount", -1), ("headcount", 10_001), ("headcount", "4"), ("nonce", "1234567"),
                ("code", ""), ("code", .string(String(repeating: "A", count: 10_000))), ("at", "yesterday"),
                ("session", 0), ("extra", 1),
            ] as [(String, JSON)] {
                let reply = try await post(name, value)
                #expect(reply.status == 200, "\(name)")
                let item = try #require(try reply.json["items"].array.first)
                #expect(item["result"] == "refused" && item["reason"]["field"] == .string(name), "\(name)")
            }
            #expect(try await village.send("POST", "/api/v1/tours/check-ins", as: "desk", []).status == 422)
            #expect(try await village.send("POST", "/api/v1/tours/check-ins", as: "desk", [:]).status == 422)
        }

        @Test func oneBadItemCostsTheOthersNothing() async throws {
            let village = try Served.village
            let bookings = [try await village.groupBooking(), try await village.groupBooking()]
            func item(_ booking: GroupBooking?, _ more: [(String, JSON)]) -> JSON {
                let all: [(String, JSON)] =
                    [
                        ("code", .string(booking?.reference ?? "x")), ("headcount", 4),
                        ("nonce", .string(fresh("nonce-"))),
                    ]
                    .filter { one in !more.contains { $0.0 == one.0 } } + more
                return .object(all.map { JSON.Member($0.0, $0.1) })
            }
            let (day, time) = ("\(village.today)", "T16:00:03")
            let reply = try await village.send(
                "POST", "/api/v1/tours/check-ins", as: "desk",
                [
                    item(bookings[0], [("at", .string("\(day)\(time).123+08:00"))]), item(nil, [("at", "yesterday")]),
                    item(bookings[1], [("headcount", 0)]), item(nil, [("nonce", 7)]), 17, item(bookings[1], []),
                ])
            #expect(reply.status == 200)
            let items = try reply.json["items"].array
            let words = try items.map { try $0["result"].string }
            #expect(["counted", "conflict"].contains(words[0]), "a time of an hour ahead is kept for the desk")
            #expect(words.dropFirst() == ["refused", "refused", "refused", "refused", "counted"])
            #expect(items[1]["reason"]["field"] == "at" && items[1]["reason"]["code"] == "not-an-instant")
            #expect(items[2]["reason"]["field"] == "headcount" && items[3]["reason"]["field"] == "nonce")
        }

        @Test func theDeskTakesBackAndSettles() async throws {
            let village = try Served.village
            let booking = try await village.groupBooking()
            let first = try await village.checkIn(booking.reference, 3)
            let second = try await village.checkIn(booking.reference, 2)
            #expect(second["result"] == "twice" && second["checkIn"]["conflict"] != .null)
            let base = "/api/v1/tours/bookings/\(booking.number)"
            let undone = try await village.post(
                base + "/undos", as: "desk", ["checkIn": first["checkIn"]["checkIn"], "reason": "typed 3 for 2"])
            #expect(undone["state"] == "confirmed" && undone["arrived"] == .null)
            let conflict = try second["checkIn"]["conflict"].int64
            let open = try await village.get(
                "/api/v1/tours/gate-conflicts?day=\(village.today)&limit=500", as: "auditor")
            let kept = try #require(
                try open["items"].array.first { $0["conflict"] == .integer(conflict) })
            #expect(kept["why"] == "twice" && kept["settlement"] == .null && kept["headcount"] == 2)
            let settled = try await village.post(
                "/api/v1/tours/gate-conflicts/\(conflict)/settlements", as: "desk",
                ["accept": true, "reason": "they were two"])
            #expect(settled["state"] == "arrived" && settled["settlement"]["accepted"] == true)
            let history = try await village.get(base, as: "committee")
            #expect(history["booking"]["arrived"] == 2)
            #expect(try history["checkIns"].array.map { $0["counts"] } == [false, true])
            #expect(try history["conflicts"].array.count == 1)
            let last = try #require(try history["events"].array.last)
            #expect(last["what"] == "gate_settled" && last["figures"]["people"] == 2)
            let again = try await village.send(
                "POST", "/api/v1/tours/gate-conflicts/\(conflict)/settlements", as: "desk",
                ["accept": false, "reason": "no"])
            #expect(again.status == 409)
            #expect(try again.problem()["type"] == "urn:taoyuan:problem:settled-already")
            for person in ["clerk", "auditor", "committee"] {
                let reply = try await village.send(
                    "POST", "/api/v1/tours/gate-conflicts/\(conflict)/settlements", as: person,
                    ["accept": true, "reason": "x"])
                #expect(reply.status == 403)
            }
        }

        @Test func theDaysListAndSheet() async throws {
            let village = try Served.village
            let booking = try await village.groupBooking(unit: "=1+1<i>")
            let list = try await village.get("/api/v1/tours/gate-list?day=\(village.today)", as: "desk")
            let entry = try #require(
                try list["bookings"].array.first { $0["booking"] == .integer(booking.number) })
            #expect(entry["reference"] == .string(booking.reference) && entry["state"] == "confirmed")
            #expect(try !list["jwks"]["keys"].array.isEmpty)
            let target = "/api/v1/tours/day-sheet?day=\(village.today)&lang=zh"
            let page = try await village.send("GET", target, as: "desk")
            #expect(page.status == 200 && page.text.contains("=1+1&lt;i&gt;") && page.text.contains("13812345678"))
            let table = try await village.send("GET", target + "&format=csv", as: "administrator")
            #expect(table.headers["content-type"] == "text/csv; charset=utf-8")
            #expect(table.text.contains(",'=1+1<i>,"))
            #expect(table.headers["content-disposition"]?.contains("tours-\(village.today).csv") == true)
            for path in ["gate-list", "day-sheet"] {
                let base = "/api/v1/tours/\(path)"
                #expect(try await village.send("GET", base, as: "desk").status == 422)
                #expect(try await village.send("GET", base + "?day=2025-02-30", as: "desk").status == 422)
                #expect(try await village.send("GET", base + "?day=\(village.today)", as: "clerk").status == 403)
            }
            let empty = try await village.send("GET", "/api/v1/tours/day-sheet?day=2020-01-01&lang=en", as: "desk")
            #expect(empty.text.contains("There are no sessions on this day."))
        }

        @Test func theOutboxIsListed() async throws {
            let village = try Served.village
            let booking = try await village.groupBooking()
            for key in ["a", "b", "c"] {
                _ = try await village.query(
                    """
                    INSERT INTO message (village_id, key, kind, about, name, language, content)
                    VALUES (\(village.backend.village.id), \("\(key):\(booking.number)"), 'confirmed',
                        \("booking:\(booking.number)"), '王老师', 'zh', '{}')
                    """)
            }
            let base = "/api/v1/messages?booking=\(booking.number)&limit=2"
            let page = try await village.get(base, as: "desk")
            let keys = try page["items"].array.map { try $0["key"].string }
            #expect(keys == ["c:\(booking.number)", "b:\(booking.number)"])
            let rest = try await village.get(base + "&cursor=\(try page["next"].string)", as: "desk")
            #expect(try rest["items"].array.count == 1)
            #expect(try page["items"].array.allSatisfy { $0["state"] == "waiting" && $0["attempts"] == 0 })
            let sent = try await village.get(base + "&state=sent", as: "administrator")
            #expect(try sent["items"].array.isEmpty)
            #expect(try await village.send("GET", "/api/v1/messages", as: "clerk").status == 403)
        }

        @Test func theDeskRetriesALostMessage() async throws {
            let village = try Served.village
            let lost = try await village.lostMessage()
            let target = "/api/v1/messages/\(lost)/retry"
            for person in ["clerk", "committee", "auditor"] {
                #expect(try await village.send("POST", target, as: person, [:]).status == 403)
            }
            #expect(try await village.send("POST", target, [:]).status == 401)
            let retried = try await village.post(target, as: "desk", [:])
            #expect(retried["message"] == .integer(lost) && retried["state"] == "waiting" && retried["attempts"] == 0)
            let again = try await village.send("POST", target, as: "administrator", [:])
            #expect(again.status == 409)
            #expect(try again.problem()["type"] == "urn:taoyuan:problem:message-not-given-up")
            let unknown = try await village.send("POST", "/api/v1/messages/4000000000/retry", as: "desk", [:])
            #expect(unknown.status == 404)
            let audited = try await village.count(
                "SELECT count(*) AS count FROM event WHERE kind = 'message.retry' AND subject = \("\(lost)")")
            #expect(audited == 1)
        }
    }
}

@Suite struct TicketLimitTests {
    @Test func guessersAreSlowedDown() async throws {
        try await withVillage(environment: ["TAOYUAN_LOOK_UP_PER_MINUTE": "3"]) { village in
            var statuses: [Int] = []
            for _ in 0..<4 {
                let body: JSON = ["reference": "ABCDEFGHIJKL", "phone": "13812345678"]
                statuses.append(try await village.send("POST", "/api/v1/tours/tickets", body).status)
            }
            #expect(statuses == [404, 404, 404, 429])
        }
    }
}
