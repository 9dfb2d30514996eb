import Documents
import Foundation
import Kernel
import Testing

@testable import Web

extension SiteTests {
    /// What strangers and the desk do with bookings over HTTP.
    @Suite struct Bookings {
        private let path = "/api/v1/tours/bookings"

        @Test func aStrangerBooksLooksChangesAndCancels() async throws {
            let village = try Served.village
            let session = try await village.tourSession(capacity: 10)
            let booking = try await village.post(path, ServedVillage.group(session, headcount: 4))
            #expect(booking["state"] == "requested" && booking["booking"] == .null && booking["actor"] == .null)
            let reference = booking["reference"]
            func body(_ more: [JSON.Member] = [], phone: String = "138 1234 5678") -> JSON {
                .object([.init("reference", reference), .init("phone", .string(phone))] + more)
            }
            let found = try await village.send("POST", "/api/v1/tours/booking-lookups", body())
            #expect(found.status == 200 && found.headers["etag"] == "\"v1\"")
            #expect(try found.json == booking)
            for wrong in [
                body(phone: "13812345679"), ["reference": "ABCD-EFGH-IJKL", "phone": .string(ServedVillage.phone)],
                ["reference": "nonsense", "phone": .string(ServedVillage.phone)], body(phone: "x"),
            ] {
                for target in ["booking-lookups", "booking-changes", "booking-cancellations"] {
                    let reply = try await village.send("POST", "/api/v1/tours/\(target)", wrong)
                    #expect(reply.status == 404)
                    #expect(try reply.problem()["type"] == "urn:taoyuan:problem:unknown-booking")
                }
            }
            let changed = try await village.post(
                "/api/v1/tours/booking-changes", body([.init("headcount", 6), .init("version", 1)]))
            #expect(changed["headcount"] == 6 && changed["version"] == 2)
            let stale = try await village.send(
                "POST", "/api/v1/tours/booking-changes", body([.init("headcount", 5), .init("version", 1)]))
            #expect(stale.status == 409)
            let cancelled = try await village.post("/api/v1/tours/booking-cancellations", body())
            #expect(cancelled["state"] == "cancelled")
            let twice = try await village.send("POST", "/api/v1/tours/booking-cancellations", body())
            #expect(twice.status == 409)
        }

        @Test func soldOutIsToldAndWaitedFor() async throws {
            let village = try Served.village
            let session = try await village.tourSession(capacity: 5)
            _ = try await village.post(path, ServedVillage.group(session, headcount: 4))
            let full = try await village.send("POST", path, ServedVillage.group(session))
            #expect(full.status == 409)
            #expect(try full.problem()["type"] == "urn:taoyuan:problem:sold-out")
            let waiting = try await village.post(path, ServedVillage.group(session, more: [.init("waitlist", true)]))
            #expect(waiting["state"] == "waitlisted")
        }

        private static let bad: [(String, JSON)] = [
            ("headcount", .integer(0)), ("headcount", .integer(-1)), ("headcount", .integer(101)),
            ("headcount", .integer(10_001)), ("phone", .string("12345")),
            ("unit", .string(String(repeating: "桃", count: 10_000))), ("unitKind", .string("club")),
            ("sessions", .array([])), ("email", .string("nobody")), ("language", .string("fr")),
            ("leader", .string("\u{1}")),
        ]

        @Test(arguments: bad)
        func badInputNamesItsField(field: String, value: JSON) async throws {
            let village = try Served.village
            let session = try await village.tourSession()
            guard case .object(let members) = ServedVillage.group(session) else { return }
            let body = JSON.object(members.filter { $0.key != field } + [.init(field, value)])
            let reply = try await village.send("POST", path, body)
            #expect(reply.status == 422, "\(reply.text)")
            #expect(try reply.problem()["field"] == .string(field))
        }

        @Test func oneKeyIsOneBookingOverBrokenConnections() async throws {
            let village = try Served.village
            let session = try await village.tourSession(capacity: 2)
            let body = ServedVillage.group(session)
            let key = UUID().uuidString
            let head =
                "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nIdempotency-Key: \(key)\r\n"
                + "Content-Length: \(body.bytes.count)\r\n\r\n"
            for turn in 0..<10 {
                let socket = try SocketClient(port: village.server.port)
                await socket.write(Array(head.utf8) + body.bytes)
                if turn % 2 == 0 { try await Task.sleep(for: .milliseconds(turn * 3)) }
            }
            let first = try await village.send("POST", path, body, headers: ["Idempotency-Key": key])
            let again = try await village.send("POST", path, body, headers: ["Idempotency-Key": key])
            #expect(first.status == 201 && first.body == again.body, "\(first.text)")
            let bookings = try await village.count(
                "SELECT count(*) AS count FROM tour_booking_session WHERE session_id = \(session)")
            #expect(bookings == 1)
        }

        @Test func strangersWithOneKeyDoNotMeet() async throws {
            let village = try Served.village
            let session = try await village.tourSession()
            let key = ["Idempotency-Key": "1"]
            guard case .object(let members) = ServedVillage.group(session) else { return }
            let mine = try await village.send("POST", path, .object(members), headers: key)
            let others = members.map { $0.key == "phone" ? JSON.Member("phone", "13987654321") : $0 }
            let theirs = try await village.send("POST", path, .object(others), headers: key)
            #expect(mine.status == 201 && theirs.status == 201)
            #expect(try mine.json["reference"] != theirs.json["reference"])
            let changed = members.map { $0.key == "headcount" ? JSON.Member("headcount", 3) : $0 }
            let refused = try await village.send("POST", path, .object(changed), headers: key)
            #expect(refused.status == 422)
            #expect(try refused.problem()["type"] == "urn:taoyuan:problem:idempotency-key-reused")
            let stored = try await village.count(
                "SELECT count(*) AS count FROM idempotent_answer WHERE key LIKE '%13%45678%'")
            #expect(stored == 0)
        }

        @Test func theDeskStepsByVersion() async throws {
            let village = try Served.village
            let booking = try await village.booked(state: "held")
            let target = "\(path)/\(try booking["booking"].int64)"
            let shown = try await village.send("GET", target, as: "desk")
            let tag = try #require(shown.headers["etag"])
            let confirmed = try await village.send(
                "POST", "\(target)/confirmations", as: "desk", [:], headers: ["If-Match": tag])
            #expect(confirmed.status == 201)
            let empty = JSON.object([])
            let stales: [(JSON, [String: String])] = [
                (empty, ["If-Match": tag]), (["version": 1], [:]), (empty, ["If-Match": "nonsense"]),
            ]
            for (body, headers) in stales {
                let stale = try await village.send("POST", "\(target)/no-shows", as: "desk", body, headers: headers)
                #expect(stale.status == 409)
                #expect(try stale.problem()["type"] == "urn:taoyuan:problem:booking-changed")
            }
            let history = try await village.get(target, as: "committee")
            #expect(try history["events"].array.map { $0["what"] } == ["held", "confirmed"])
        }

        @Test func whatWasPickedOutOfTwoBatchesIsOneSale() async throws {
            let village = try Served.village
            let batches = [
                try await village.register(grams: 5000).batch, try await village.register(grams: 5000).batch,
            ]
            let target = "\(path)/\(try await village.booked(days: 0, hour: 23)["booking"].int64)/pickings"
            func picked(_ weights: Int64...) -> JSON {
                let lines = zip(batches, weights).map { batch, grams -> JSON in
                    ["batch": .integer(batch), "weight": JSON(Weight(grams: grams))]
                }
                return ["lines": .array(lines), "paidHow": "微信"]
            }
            let over = try await village.send("POST", target, as: "desk", picked(1000, 5001))
            #expect(over.status == 409)
            #expect(try over.problem()["field"] == "lines[1].weight")
            #expect(try await village.send("POST", target, as: "desk", ["lines": []]).status == 422)
            let booking = try await village.post(target, as: "desk", picked(1000, 5000))
            let sales = try booking["extras"].array.map { $0["sale"] }
            #expect(sales.count == 1)
            let lines = try await village.get("/api/v1/sales?batch=\(batches[1])", as: "administrator")["items"].array
            #expect(try lines.map { $0["sale"] } == sales && lines[0]["lines"].array.count == 2)
            #expect(try await village.stock(batches[0]) == 4000)
            #expect(try await village.stock(batches[1]) == 0)
        }

        @Test func onlyTheDeskActsAndClerksSeeNothing() async throws {
            let village = try Served.village
            let booking = try await village.booked()
            let target = "\(path)/\(try booking["booking"].int64)"
            for person in ["clerk", "committee", "auditor"] {
                let reply = try await village.send("POST", "\(target)/cancellations", as: person, [:])
                #expect(reply.status == 403)
            }
            for person in ["committee", "auditor", "desk", "administrator"] {
                #expect(try await village.send("GET", target, as: person).status == 200)
            }
            #expect(try await village.send("GET", target, as: "clerk").status == 403)
            #expect(try await village.send("GET", path, as: "clerk").status == 403)
            #expect(try await village.send("GET", path).status == 401)
        }
    }

    /// The pages on which a group books without script.
    @Suite struct BookingPages {
        private func post(
            _ target: String, _ form: String, accept: String = "zh", headers: [String: String] = [:]
        ) async throws -> TestServer.Reply {
            try await Served.village.send(
                "POST", target, bytes: Data(form.utf8), type: "application/x-www-form-urlencoded",
                headers: ["Accept": "text/html", "Accept-Language": accept].merging(headers) { $1 })
        }

        private func encoded(_ text: String) -> String {
            text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        }

        private func form(unit: String = "区委党校", headcount: String = "12", phone: String = "13812345678") -> String {
            "unit=\(encoded(unit))&unitKind=party_school&headcount=\(encoded(headcount))&leader=\(encoded("韩老师"))"
                + "&phone=\(encoded(phone))&email=&language=zh&note=&key=\(fresh("k"))"
        }

        @Test(arguments: [("zh", "研学预约", "余 12 个名额"), ("en", "Study tours", "12 seats left")])
        func sessionsAreListed(accept: String, heading: String, seats: String) async throws {
            let village = try Served.village
            let session = try await village.tourSession(capacity: 12)
            let reply = try await village.send(
                "GET", "/tours", headers: ["Accept": "text/html", "Accept-Language": accept])
            #expect(reply.status == 200 && reply.text.contains("<h1>\(heading)</h1>"))
            #expect(reply.text.contains(seats) && reply.text.contains("/tours?session=\(session)&amp;lang=\(accept)"))
            #expect(!reply.text.contains("<script") && reply.headers["referrer-policy"] == "same-origin")
        }

        @Test func aFormBooksOnceAndItsBookingIsCancelled() async throws {
            let village = try Served.village
            let session = try await village.tourSession()
            let page = try await village.send("GET", "/tours?session=\(session)", headers: ["Accept": "text/html"])
            #expect(
                page.status == 200 && page.text.contains("name=\"headcount\"") && page.text.contains("name=\"key\""))
            let sent = form() + "&extra-1=0"
            let done = try await post("/tours?session=\(session)", sent)
            let again = try await post("/tours?session=\(session)", sent)
            #expect(done.status == 200 && done.body == again.body, "\(done.text)")
            let reference = try #require(done.text.firstMatch(of: /[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}/)).output
            let bookings = try await village.count(
                "SELECT count(*) AS count FROM tour_booking_session WHERE session_id = \(session)")
            #expect(bookings == 1)
            let found = try await post("/tours/booking", "reference=\(reference)&phone=13812345678", accept: "en")
            #expect(found.status == 200 && found.text.contains("Requested") && found.text.contains("区委党校"))
            // Its language is changed where it is shown, and it stays.
            for page in [done, found] {
                let form =
                    /<form class="lang"[^>]*action="([^"]*)"><input[^>]*value="([^"]*)"><input[^>]*value="([^"]*)">/
                let link = try #require(page.text.firstMatch(of: form))
                #expect(link.2 == reference && link.3 == "13812345678")
                let other = try await post(String(link.1), "reference=\(link.2)&phone=\(link.3)")
                #expect(other.status == 200 && other.text.contains(page.body == done.body ? "Requested" : "待确认"))
            }
            // Its button asks once more.
            let own = "version=1&reference=\(reference)&phone=13812345678"
            let act = /name="act" value="(ask-cancel|cancel)"/
            #expect(found.text.firstMatch(of: act)?.1 == "ask-cancel")
            let asked = try await post("/tours/booking", "act=ask-cancel&" + own)
            #expect(asked.status == 200 && asked.text.contains("确定要取消吗？") && asked.text.contains("待确认"))
            #expect(asked.text.firstMatch(of: act)?.1 == "cancel")
            let wrong = try await post("/tours/booking", "reference=\(reference)&phone=13812345679")
            #expect(wrong.status == 404 && wrong.text.contains("请核对预约号和电话"))
            #expect(wrong.text.contains("value=\"\(reference)\"") && wrong.text.contains("value=\"13812345679\""))
            let cancelled = try await post(
                "/tours/booking", "act=cancel&version=1&reference=\(reference)&phone=13812345678")
            #expect(cancelled.status == 200 && cancelled.text.contains("已取消"))
            let twice = try await post(
                "/tours/booking", "act=cancel&version=1&reference=\(reference)&phone=13812345678")
            #expect(twice.status == 409 && twice.text.contains("刚刚被别人改过"))
        }

        @Test func aGroupIsToldHowMuchComesBack() async throws {
            let village = try Served.village
            let booking = try await village.booked()
            _ = try await village.post(
                "/api/v1/tours/bookings/\(booking["booking"].int64)/payments", as: "desk",
                ["amount": JSON(Money(fen: 10_000)), "paidHow": "微信"])
            let own = "reference=\(try booking["reference"].string)&phone=13812345678"
            let before = try await post("/tours/booking", own)
            #expect(before.text.contains("现在取消不收费用。已付的款将退还 100\u{A0}元"))
            let cancelled = try await post("/tours/booking", "act=cancel&version=2&" + own)
            #expect(cancelled.status == 200 && cancelled.text.contains("已付的款将退还 100\u{A0}元"))
            #expect(cancelled.text.contains("应退"))
            let english = try await post("/tours/booking", own, accept: "en")
            #expect(english.text.contains("100\u{A0}yuan of what you paid come back"))
        }

        @Test func aGroupSeesWhatTheVillageMovedAndWhatIsStillToPay() async throws {
            let village = try Served.village
            let booking = try await village.booked()
            let own = "reference=\(try booking["reference"].string)&phone=13812345678"
            let plain = try await post("/tours/booking", own)
            #expect(!plain.text.contains("还要付") && !plain.text.contains("我们改动了"))
            _ = try await village.post(
                "/api/v1/tours/bookings/\(booking["booking"].int64)/payments", as: "desk",
                ["amount": JSON(Money(fen: 10_000)), "paidHow": "微信"])
            let fee = Money(fen: try booking["fee"]["fen"].int64)
            let open = Money(fen: fee.fen - 10_000)
            let session = try booking["sessions"].array[0]["session"].int64
            _ = try await village.post(
                "/api/v1/tours/sessions/\(session)/moves", as: "desk", ["time": "13:00", "reason": "大雾"])
            let moved = try await post("/tours/booking", own)
            #expect(moved.text.contains("我们改动了您预约的场次") && moved.text.contains("13:00–15:00"))
            #expect(moved.text.contains("还要付") && moved.text.contains("\(open.fen / 100)\u{A0}元"))
            let cancelled = try await post("/tours/booking", "act=cancel&version=3&" + own)
            #expect(cancelled.status == 200 && cancelled.text.contains("不收费用"))
            #expect(!cancelled.text.contains("请记下这个预约号") && !cancelled.text.contains("我们改动了"))
        }

        @Test func aMoveToASessionThatThePhoneHasBookedIsAskedAbout() async throws {
            let village = try Served.village
            let session = try await village.tourSession()
            let other = Int64(
                try await village.count(
                    """
                    INSERT INTO tour_session (village_id, site_id, programme_id, day, starts_at, ends_at, capacity)
                    SELECT village_id, site_id, programme_id, day + 1, starts_at + interval '1 day',
                        ends_at + interval '1 day', 40
                    FROM tour_session WHERE id = \(session) RETURNING id AS count
                    """))
            let phone = "138\(Int.random(in: 10_000_000...99_999_999))"
            let first = try await post("/tours?session=\(session)", form(phone: phone))
            let reference = try #require(first.text.firstMatch(of: /[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}/)).output
            #expect(try await post("/tours?session=\(other)", form(phone: phone)).status == 200)
            let move = "act=change&version=1&reference=\(reference)&phone=\(phone)&headcount=12&session=\(other)"
            let asked = try await post("/tours/booking", move)
            #expect(asked.status == 409 && asked.text.contains("这个电话已经预约了这一场"), "\(asked.text)")
            #expect(
                asked.text.contains("name=\"again\"") && asked.text.contains("<option value=\"\(other)\" selected>"))
            let meant = try await post("/tours/booking", move + "&again=1")
            #expect(meant.status == 200 && meant.text.contains("<option value=\"\(other)\" selected>"))
        }

        @Test func aGroupChangesItsHeadsAndItsSession() async throws {
            let village = try Served.village
            let session = try await village.tourSession(capacity: 40)
            let other = try await village.count(
                """
                INSERT INTO tour_session (village_id, site_id, programme_id, day, starts_at, ends_at, capacity)
                SELECT village_id, site_id, programme_id, day + 1, starts_at + interval '1 day',
                    ends_at + interval '1 day', 20
                FROM tour_session WHERE id = \(session) RETURNING id AS count
                """)
            let done = try await post("/tours?session=\(session)", form())
            let reference = try #require(done.text.firstMatch(of: /[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}/)).output
            #expect(done.text.contains("value=\"change\"") && done.text.contains("<option value=\"\(other)\">"))
            func change(_ version: Int, headcount: String, to session: Int64) async throws -> TestServer.Reply {
                let own = "act=change&version=\(version)&reference=\(reference)&phone=13812345678"
                return try await post("/tours/booking", "\(own)&headcount=\(headcount)&session=\(session)")
            }
            let more = try await change(1, headcount: "15", to: session)
            #expect(more.status == 200 && more.text.contains("1200\u{A0}元"), "\(more.text)")
            let moved = try await change(2, headcount: "16", to: Int64(other))
            #expect(moved.status == 200 && moved.text.contains("<option value=\"\(other)\" selected>"))
            let seats = try await village.count(
                """
                SELECT held * 1000 + (SELECT held FROM tour_session WHERE id = \(session)) AS count
                FROM tour_session WHERE id = \(other)
                """)
            #expect(seats == 16_000)
            // What can't be stands beside its field with what was typed, and nothing has changed.
            for (headcount, status, words) in [("21", 422, "一共只有"), ("x", 422, "请填写整数"), ("0", 422, "人数须在")] {
                let refused = try await change(3, headcount: headcount, to: Int64(other))
                #expect(refused.status == status && refused.text.contains("id=\"headcount-error\""), "\(refused.text)")
                #expect(refused.text.contains(words) && refused.text.contains("value=\"\(headcount)\""))
            }
            for session in ["x", "-1", "9223372036854775807", ""] {
                let own = "act=change&version=3&reference=\(reference)&phone=13812345678&headcount=16"
                let refused = try await post("/tours/booking", "\(own)&session=\(session)")
                #expect(
                    [404, 422].contains(refused.status) && refused.text.contains("id=\"session-error\""), "\(session)")
            }
            _ = try await village.query(
                "UPDATE tour_session SET state = 'closed', closed_seats = held + booked WHERE id = \(session)")
            let gone = try await change(3, headcount: "16", to: session)
            #expect(gone.status == 409 && gone.text.contains("class=\"note\" role=\"alert\""), "\(gone.text)")
            // The same again changes nothing; a page that was left open is told.
            #expect(try await change(3, headcount: "16", to: Int64(other)).status == 200)
            let stale = try await change(1, headcount: "5", to: Int64(other))
            #expect(stale.status == 409 && stale.text.contains("刚刚被别人改过") && stale.text.contains("value=\"16\""))
            let version = try await village.count(
                """
                SELECT b.version AS count FROM tour_booking b JOIN tour_booking_session s ON s.booking_id = b.id
                WHERE s.session_id = \(other)
                """)
            #expect(version == 3)
        }

        @Test(arguments: [
            ("headcount", "0", "人数须在 1 到 10000 之间"), ("headcount", "-3", "人数须在"), ("headcount", "x", "请填写整数"),
            ("headcount", "101", "每团最多 100 人"), ("headcount", "", "请填写整数"), ("phone", "12345", "不是电话号码"),
            ("unit", "", "须有 1 到 200 个字"),
        ])
        func whatIsWrongStandsBesideItsField(field: String, value: String, message: String) async throws {
            let village = try Served.village
            let session = try await village.tourSession()
            let sent =
                switch field {
                case "headcount": form(headcount: value)
                case "phone": form(phone: value)
                default: form(unit: value)
                }
            let reply = try await post("/tours?session=\(session)", sent)
            #expect(reply.status == 422)
            let place = try #require(reply.text.firstRange(of: "id=\"\(field)-error\""))
            #expect(reply.text[place.upperBound...].prefix(200).contains(message), "\(message)")
            #expect(reply.text.contains("value=\"韩老师\"") && reply.text.contains("value=\"\(value)\""))
            #expect(reply.text.ranges(of: "class=\"error\"").count == 1)
            let kept = try await village.count("SELECT held::bigint AS count FROM tour_session WHERE id = \(session)")
            #expect(kept == 0)
        }

        @Test func whatIsTypedStaysText() async throws {
            let session = try await Served.village.tourSession()
            let hostile = "\"><script>alert(1)</script>{{key}}"
            let refused = try await post("/tours?session=\(session)", form(unit: hostile, phone: "x"))
            let done = try await post("/tours?session=\(session)", form(unit: hostile))
            for reply in [refused, done] {
                #expect(!reply.text.contains("<script") && reply.text.contains("{{key}}"), "\(reply.text)")
            }
        }

        private static let origins: [([String: String], Int)] = [
            (["Sec-Fetch-Site": "cross-site"], 403), (["Sec-Fetch-Site": "same-site"], 403),
            (["Origin": "https://evil.example"], 403), (["Origin": "null"], 403),
            (["Sec-Fetch-Site": "same-origin", "Origin": "null"], 200), (["Origin": "http://localhost:8080"], 200),
            ([:], 200),
        ]

        @Test(arguments: origins)
        func formsOfOtherSitesAreRefused(headers: [String: String], status: Int) async throws {
            let session = try await Served.village.tourSession()
            let reply = try await post("/tours?session=\(session)", form(), headers: headers)
            #expect(reply.status == status)
        }

        /// Sent again, a form shows the booking that it has made, whatever has become of the session.
        @Test(arguments: ["closed", "cancelled", "sold out", "begun"])
        func aRepeatedFormFindsItsBooking(fate: String) async throws {
            let village = try Served.village
            let session = try await village.tourSession(capacity: 12)
            let target = "/tours?session=\(session)"
            let sent = form()
            let done = try await post(target, sent)
            let reference = try #require(done.text.firstMatch(of: /[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}/)).output
            switch fate {
            case "closed", "cancelled":
                if fate == "cancelled" {
                    let own: JSON = ["reference": .string(String(reference)), "phone": .string(ServedVillage.phone)]
                    _ = try await village.post("/api/v1/tours/booking-cancellations", own)
                }
                let step: JSON = ["step": .string(fate == "closed" ? "close" : "cancel")]
                _ = try await village.post("/api/v1/tours/sessions/\(session)/steps", as: "desk", step)
            case "begun":
                _ = try await village.query(
                    """
                    UPDATE tour_session SET day = day - 60, starts_at = starts_at - interval '60 days',
                        ends_at = ends_at - interval '60 days' WHERE id = \(session)
                    """)
            default:
                let other = try await post(target, form(phone: "13812345679"))
                #expect(other.status == 409 && other.text.contains("名额已满") && other.text.contains("勾选下面的候补"))
                #expect(!other.text.contains(reference))
            }
            let again = try await post(target, sent)
            #expect(again.status == 200 && again.text.contains(reference), "\(fate): \(again.text)")
            #expect(again.text.contains(fate == "cancelled" ? "已取消" : "待确认"))
            let bookings = try await village.count(
                "SELECT count(*) AS count FROM tour_booking_session WHERE session_id = \(session)")
            #expect(bookings == 1)
            guard fate != "sold out" else { return }
            // Nobody else's form, nor another one under the same key.
            for other in [form(), sent.replacing("headcount=12", with: "headcount=11"), sent + "&note=x"] {
                let refused = try await post(target, other)
                #expect(refused.status == 404 && !refused.text.contains(reference))
                #expect(refused.text.contains("这个场次已不能预约"))
            }
        }

        @Test(arguments: [("zh", "保留 48 小时"), ("en", "kept for 48 hours")])
        func theFormTellsPriceAndTerms(language: String, kept: String) async throws {
            let village = try Served.village
            let session = try await village.tourSession()
            let page = try await village.send("GET", "/tours?session=\(session)&lang=\(language)")
            // A price stays on one line.
            #expect(page.text.contains(language == "zh" ? "每人 80\u{A0}元" : "80\u{A0}yuan a head"))
            #expect(page.text.contains(kept) && page.text.contains("30%"))
        }

        @Test func aKindOfUnitIsChosen() async throws {
            let session = try await Served.village.tourSession()
            let sent = form().replacing("unitKind=party_school", with: "unitKind=")
            let reply = try await post("/tours?session=\(session)", sent)
            #expect(reply.status == 422 && reply.text.contains("请选择单位类别"))
        }

        @Test func whoIsConfirmedComesFromTheBookingToTheTicket() async throws {
            let village = try Served.village
            let own = { (booking: JSON) in
                "reference=\(try booking["reference"].string)&phone=\(ServedVillage.phone)"
            }
            let booking = try await village.booked()
            let page = try await post("/tours/booking", own(booking))
            #expect(page.text.contains("action=\"/tours/ticket?lang=zh\""))
            let ticket = try await post("/tours/ticket?lang=zh", own(booking))
            #expect(ticket.status == 200 && ticket.text.contains("<svg "))
            let waiting = try await village.booked(state: "requested")
            let early = try await post("/tours/booking", own(waiting))
            #expect(early.status == 200 && !early.text.contains("/tours/ticket"))
            let refused = try await post("/tours/ticket?lang=zh", own(waiting))
            #expect(refused.status == 409 && refused.text.contains("确认后才有凭证"))
            #expect(refused.text.contains("value=\"\(ServedVillage.phone)\""))
        }

        @Test func ticketsAreAskedForWithAnExample() async throws {
            for (language, hint) in [("zh", "如 ABCD-EFGH-IJKL"), ("en", "Such as ABCD-EFGH-IJKL")] {
                let page = try await Served.village.send("GET", "/tours/ticket?lang=\(language)")
                #expect(page.status == 200 && page.text.contains(">\(hint)</p>"))
            }
        }

        @Test func whoBooksTwiceIsAskedAndMayMeanIt() async throws {
            let village = try Served.village
            let session = try await village.tourSession()
            let target = "/tours?session=\(session)"
            let phone = "138\(Int.random(in: 10_000_000...99_999_999))"
            let first = try await post(target, form(phone: phone))
            #expect(first.status == 200 && !first.text.contains("name=\"again\""))
            let reference = try #require(first.text.firstMatch(of: /[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}/)).output
            let asked = try await post(target, form(phone: phone))
            #expect(asked.status == 409 && asked.text.contains("这个电话已经预约了这一场"))
            #expect(asked.text.contains("name=\"again\"") && !asked.text.contains(reference))
            let meant = try await post(target, form(phone: phone) + "&again=1")
            #expect(meant.status == 200)
            let body: [JSON.Member] = [
                .init("unit", "某校"), .init("unitKind", "school"), .init("headcount", 2), .init("leader", "韩老师"),
                .init("phone", .string(phone)), .init("sessions", [.integer(session)]),
            ]
            let refused = try await village.send("POST", "/api/v1/tours/bookings", .object(body))
            #expect(try refused.status == 409 && refused.problem()["type"] == "urn:taoyuan:problem:booked-already")
            let again = try await village.send(
                "POST", "/api/v1/tours/bookings", .object(body + [.init("again", true)]))
            #expect(again.status == 201)
            let bookings = try await village.count(
                "SELECT count(*) AS count FROM tour_booking_session WHERE session_id = \(session)")
            #expect(bookings == 3)
        }

        @Test func aPhoneHasAFewOpenRequests() async throws {
            try await withVillage(environment: ["TAOYUAN_OPEN_BOOKINGS": "2", "TAOYUAN_OPEN_SEATS": "100"]) { village in
                var answers: [Int] = []
                for headcount in [30, 80, 50, 1] {
                    let session = try await village.tourSession()
                    let reply = try await village.send(
                        "POST", "/api/v1/tours/bookings", ServedVillage.group(session, headcount: headcount))
                    answers.append(reply.status)
                    guard reply.status == 409 else { continue }
                    #expect(try reply.problem()["type"] == "urn:taoyuan:problem:too-many-open")
                    #expect(reply.text.contains(headcount == 1 ? "2" : "30"))
                }
                #expect(answers == [201, 409, 201, 409])
            }
        }

        @Test(arguments: ["/tours/booking", "/tours/ticket"])
        func aLinkFillsInTheReferenceAndOpensNothing(page: String) async throws {
            let village = try Served.village
            let reference = try await village.booked()["reference"].string
            let reply = try await village.send(
                "GET", "\(page)?reference=\(reference)", headers: ["Accept": "text/html"])
            #expect(reply.status == 200 && reply.text.contains("value=\"\(reference)\""))
            #expect(reply.text.contains("name=\"phone\"") && !reply.text.contains(ServedVillage.phone))
            let hostile = try await village.send("GET", "\(page)?reference=%22%3E%3Cscript%3E")
            #expect(hostile.status == 200 && !hostile.text.contains("<script"))
        }

        @Test func aSessionThatIsGoneIsNotFound() async throws {
            let village = try Served.village
            for number in ["987654", "0", "x", "99999999999999999999"] {
                let reply = try await village.send(
                    "GET", "/tours?session=\(number)", headers: ["Accept": "text/html", "Accept-Language": "zh"])
                #expect([404, 422].contains(reply.status), "\(number)")
                #expect(try await post("/tours?session=\(number)", form()).status == reply.status)
            }
            #expect(try await post("/tours", form()).status == 404)
        }
    }
}
