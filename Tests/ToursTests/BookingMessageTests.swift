import Foundation
import Kernel
import Postgres
import Signing
import TestSupport
import Testing

@testable import Database
@testable import Messages
@testable import Tours

/// What a group is told, and when it is no longer worth telling.
@Suite struct BookingMessageTests {
    private let day = CivilDay(daysSince2020: 2206)

    private func source(_ village: TestVillage) -> BookingMessages {
        BookingMessages(
            village.database, village: village.village.id, brand: "津小韩", origin: village.keys.origin)
    }

    /// The messages as the outbox has them, without their way out.
    private func messages(_ village: TestVillage) async throws -> [OutgoingMessage] {
        try await village.owner.query(
            """
            SELECT id, key, kind, about, name, phone, email, language, content::text AS content, created_at, until
            FROM message ORDER BY id
            """
        ).map { row in
            OutgoingMessage(
                id: try row.decode("id"), key: try row.decode("key"), kind: try row.decode("kind"),
                about: try row.decode("about"),
                to: .init(
                    name: try row.decode("name"), phone: try row.decode("phone"), email: try row.decode("email"),
                    language: try row.decode("language")), content: try row.decode("content"),
                createdAt: try row.decode("created_at"), until: try row.decode("until"))
        }
    }

    private func texts(_ village: TestVillage) async throws -> [String: String] {
        var texts: [String: String] = [:]
        for message in try await messages(village) {
            texts[message.kind] = try source(village).text(message, today: village.today).body
        }
        return texts
    }

    private func text(
        _ kind: MessageKind, state: String = "confirmed", language: Language = .chinese, unit: String = "区委党校",
        kept: Int64 = 0, paid: Int64 = 0, refundDue: Int64 = 0, today: CivilDay? = nil
    ) throws -> MessageText {
        let booking = try BookingMessage(
            """
            {"booking":17,"reference":"ABCD-EFGH-IJKL","unit":\(String(
                decoding: JSONEncoder().encode(unit), as: UTF8.self)),"headcount":40,"leader":"王老师",
            "state":"\(state)","holdUntil":"2026-01-01T00:00:00Z","paid":{"fen":\(paid)},"kept":{"fen":\(kept)},
            "refundDue":{"fen":\(refundDue)},"refunded":{"fen":0},"sessions":[{"day":"\(day.adding(days: 1))",
            "startsAt":"\(day.adding(days: 1))T01:00:00Z","endsAt":"\(day.adding(days: 1))T03:30:00Z",
            "site":"红色教育基地","programme":"红色研学"}]}
            """)
        return BookingMessageText(
            kind, booking, language: language, brand: "津小韩", origin: try Origin("trace.example.cn"), today: today ?? day
        ).text
    }

    @Test(arguments: Language.allCases, MessageKind.allCases)
    func `every kind has its words and the booking's address in both languages`(
        language: Language, kind: MessageKind
    ) throws {
        let state = kind.states.first?.rawValue ?? ""
        let text = try text(kind, state: state, language: language)
        #expect(text.subject.hasPrefix(language == .chinese ? "津小韩研学：" : "津小韩 tours: "))
        #expect(text.body.contains("\(day.adding(days: 1)) 09:00–11:30 红色教育基地 · 红色研学"))
        #expect(text.body.contains(language == .chinese ? "40 人" : "40 people"))
        let lines = text.body.components(separatedBy: "\n")
        let page = "https://trace.example.cn/tours/booking?reference=ABCD-EFGH-IJKL"
        #expect(lines.contains { $0.hasPrefix(page) } && text.links["booking"]?.hasPrefix(page) == true)
        let ticket = lines.contains { $0.hasPrefix("https://trace.example.cn/tours/ticket?reference=ABCD-EFGH-IJKL") }
        #expect(ticket == (state == "confirmed"), "\(kind)")
        #expect(text.body.utf8.count < 1200)
        if kind == .requested || kind == .held { #expect(text.body.contains("2026-01-01 08:00")) }
    }

    @Test func `a change tells where the booking stands`() throws {
        #expect(try text(.changed).body.contains("已确认"))
        #expect(try text(.changed, state: "held").body.contains("名额保留到 2026-01-01 08:00"))
        #expect(try text(.changed, state: "waitlisted").body.contains("仍在候补"))
    }

    @Test(arguments: [MessageKind.cancelled, .noShow]) func `who does not come is told of the money`(kind: MessageKind)
        throws
    {
        let some = try text(kind, kept: 50_000, paid: 200_000, refundDue: 150_000).body
        #expect(some.contains("按规定收取 500.00 元。应退 1500.00 元。"))
        let none = try text(kind, kept: 50_000, paid: 30_000).body
        #expect(none.contains("按规定收取 500.00 元。已付的 300.00 元抵作这笔费用，不再退款。"))
        #expect(try !text(kind).body.contains("元"))
    }

    @Test func `a reminder says today on the day itself`() throws {
        #expect(try text(.reminder).body.contains("您明天来"))
        #expect(try text(.reminder, today: day.adding(days: 1)).body.contains("您今天来"))
    }

    @Test func `a name begins no line of its own`() throws {
        let text = try text(.confirmed, unit: "甲\r\n.\r\nRCPT TO:<x@y>\n\u{2028}预约号 ZZZZ")
        let lines = text.body.split(whereSeparator: \.isNewline)
        #expect(lines.filter { $0.hasPrefix("预约号") }.count == 1)
        #expect(!lines.contains(".") && !lines.contains { $0.hasPrefix("RCPT") })
    }

    @Test func `the program and the database tell the same`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme()
            let later = try await village.tourSession(programme, hour: 13)
            let session = try await village.tourSession(programme, capacity: 10)
            let booking = try await village.book(village.group(later, session), as: .confirmed)
            let waiting = try await village.book(village.group(session, headcount: 3, waitlist: true))
            for booking in [booking, waiting] {
                let told = try #require(
                    try await messages(village).first { $0.about == BookingMessage.about(booking.id.value) })
                let row = try #require(
                    try await village.owner.query(
                        """
                        SELECT booking_message_content(village_id, id)::text AS content,
                            booking_message_until(village_id, id) AS until
                        FROM tour_booking WHERE id = \(booking.id.value)
                        """
                    ).first)
                let content: String = try row.decode("content")
                #expect(try BookingMessage(content) == BookingMessage(told.content))
                let keys = try [content, told.content].map {
                    try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? NSDictionary)
                }
                #expect(keys[0] == keys[1])
                #expect(try row.decode("until", as: Date?.self) == told.until)
            }
            try await village.change(BookingStore.cancel(.number(booking.id.value), now: village.clock.now))
            let promoted = try #require(try await messages(village).first { $0.kind == "held" })
            let now = try await village.booking(waiting)
            #expect(try BookingMessage(promoted.content) == BookingMessage(now))
            #expect(promoted.key == "booking:\(waiting.id):v\(now.version):held")
        }
    }

    @Test func `what was told stays what was true then`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme())
            let booking = try await village.book(village.group(session), as: .confirmed)
            try await village.audited([
                "UPDATE tour_site SET name = '新基地'", "UPDATE tour_booking SET unit = '另一家', email = 'x@example.cn'",
            ])
            let told = try #require(try await messages(village).first)
            #expect(told.email == nil)
            let text = try source(village).text(told, today: village.today)
            #expect(text.body.contains("实践教学基地") && text.body.contains("区委党校"))
            #expect(text.body.contains(booking.reference.description))
        }
    }

    @Test func `a group that only waited is told that no seats became free`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme(), capacity: 10)
            let first = try await village.book(village.group(session), as: .confirmed)
            let waiting = try await village.book(village.group(session, headcount: 3, waitlist: true))
            let held = try await village.book(
                village.group(try await village.tourSession(try await village.tourProgramme("红色研学二"), hour: 13)))
            village.clock.set(village.today.adding(days: 7), hour: 9)
            try await village.sweep()
            let (waited, lapsed) = (try await village.booking(waiting), try await village.booking(held))
            #expect(waited.state == .expired && waited.waitedInVain)
            #expect(lapsed.state == .expired && !lapsed.waitedInVain)
            let kinds = try await messages(village).filter { ["expired", "no_seats"].contains($0.kind) }
            #expect(kinds.first { $0.kind == "no_seats" }?.about == BookingMessage.about(waiting.id.value))
            #expect(kinds.first { $0.kind == "expired" }?.about == BookingMessage.about(held.id.value))
            let texts = try await texts(village)
            #expect(texts["no_seats"]?.contains("没有空出名额") == true)
            #expect(texts["no_seats"]?.contains("保留期") == false)
            #expect(texts["expired"]?.contains("保留期已过") == true)
            #expect(try await village.booking(first).state == .confirmed)
        }
    }

    @Test func `a no-show is told what is kept`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme())
            let key = BookingKey.number(try await village.book(village.group(session), as: .confirmed).id.value)
            village.clock.set(village.today.adding(days: 7), hour: 18)
            try await village.change(BookingStore.noShow(key, now: village.clock.now))
            let told = try #require(try await messages(village).last)
            #expect(told.kind == "no_show" && told.until == nil)
            #expect(try await texts(village)["no_show"]?.contains("按规定收取 400.00 元") == true)
        }
    }

    @Test(arguments: MessageKind.allCases) func `a message that its booking has overtaken is pointless`(
        kind: MessageKind
    ) async throws {
        try await withVillage { village in
            let session = try await village.addSession(on: village.today.adding(days: 1), capacity: 1000)
            for state in BookingState.allCases {
                let booking = try await village.addBooking([session], state: state)
                _ = try await village.owner.query(
                    "SELECT tell_booking(\(village.village.id), \(booking.number), \(kind.rawValue))")
                let message = try #require(try await messages(village).last)
                #expect(
                    try await source(village).isOvertaken(message) != kind.states.contains(state), "\(kind) \(state)")
            }
        }
    }

    @Test func `the day before, whoever is confirmed is reminded once`() async throws {
        try await withVillage { village in
            village.clock.set(village.today.adding(days: 10), hour: 7)
            let tomorrow = village.today.adding(days: 1)
            let session = try await village.addSession(on: tomorrow, capacity: 200)
            let later = try await village.addSession(on: village.today.adding(days: 2))
            let booking = try await village.addBooking([session, later], language: "en")
            _ = try await village.addBooking([session], state: .held)
            _ = try await village.addBooking([session], state: .cancelled)
            let leaving = try await village.addBooking([session])
            let source = source(village)
            _ = try await source.putDue(now: village.clock.now, today: village.today)
            #expect(try await messages(village).isEmpty, "nobody is reminded at seven")
            village.clock.advance(seconds: 7200)
            for _ in 0..<2 { _ = try await source.putDue(now: village.clock.now, today: village.today) }
            let reminders = try await messages(village)
            #expect(
                reminders.map(\.key) == [
                    "reminder:\(booking.number):\(tomorrow)", "reminder:\(leaving.number):\(tomorrow)",
                ])
            #expect(try source.text(reminders[0], today: village.today).body.contains("your visit is tomorrow"))
            try await village.cancel(leaving)
            #expect(try await !source.isOvertaken(reminders[0]))
            #expect(try await source.isOvertaken(reminders[1]))
            // A booking that was moved is reminded of its new day.
            try await village.audited([
                "UPDATE tour_session SET held = 0, booked = 0 WHERE id = \(session)",
                "DELETE FROM tour_booking_session WHERE session_id = \(session)",
                "UPDATE tour_booking SET fee_fen = 200000 WHERE id = \(booking.number)",
                "DELETE FROM tour_booking b WHERE NOT EXISTS (SELECT FROM tour_booking_session l WHERE l.booking_id = b.id)",
            ])
            #expect(try await source.isOvertaken(reminders[0]))
            village.clock.advance(seconds: 86_400)
            _ = try await source.putDue(now: village.clock.now, today: village.today)
            #expect(
                try await messages(village).map(\.key).last == "reminder:\(booking.number):\(tomorrow.adding(days: 1))")
            let rows = try await village.number("SELECT count(*) FROM message WHERE NOT supersedes")
            #expect(rows == 3)
        }
    }

    @Test func `messages of before that wait are told as they would have been`() async throws {
        let template = try await Template.shared.value
        let name = "village_before_messages"
        try await template.createEmpty(name)
        let settings = template.server.settings(database: name)
        let all = try Migrator.ofThisProgram()
        let before = all.migrations.filter { $0.number <= 14 }
        _ = try await Migrator(roles: all.roles, migrations: before).migrate(using: settings)
        let owner = Pool(settings, size: 1)
        for statement in Self.before { _ = try await owner.query(statement) }
        _ = try await all.migrate(using: settings)
        let rows = try await owner.query(
            """
            SELECT kind, about, supersedes, name, content::text AS content, until FROM message ORDER BY id
            """)
        let kinds = try rows.map { try $0.decode("kind", as: String.self) }
        #expect(kinds == ["confirmed", "requested", "reminder", "no_seats"])
        #expect(
            try rows.map { try $0.decode("about", as: String.self) } == [
                "booking:1", "booking:1", "booking:1", "booking:2",
            ])
        let contents = try rows.map { try $0.decode("content", as: String.self) }
        #expect(try BookingMessage(contents[0]).sessions.map(\.site) == ["基地"])
        #expect(contents[1] == "{}", "what was sent is not known any more")
        #expect(try BookingMessage(contents[2]).day == "2026-01-16")
        #expect(try rows.map { try $0.decode("supersedes", as: Bool.self) } == [true, true, false, true])
        await owner.close()
        try await template.drop(name)
    }

    private static let before: [SQL] = [
        "INSERT INTO village (id, name, brand, origin) OVERRIDING SYSTEM VALUE VALUES (1, '村', '品', 'o.example.cn')",
        "INSERT INTO tour_site (village_id, name, kind) VALUES (1, '基地', 'base')",
        "INSERT INTO tour_programme (village_id, name, minutes, price_fen) VALUES (1, '课', 120, 0)",
        """
        INSERT INTO tour_session (village_id, site_id, programme_id, day, starts_at, ends_at, capacity, booked)
        SELECT 1, s.id, p.id, '2026-01-16', '2026-01-16 09:00+08', '2026-01-16 11:00+08', 40, 2
        FROM tour_site s, tour_programme p
        """,
        """
        INSERT INTO tour_booking (village_id, id, reference, unit, unit_kind, headcount, leader, phone, state,
            previous_state, waiting_since, fee_fen, actor)
        VALUES (1, 1, 'AAAAAAAAAAAA', '校', 'school', 2, '周', '13900000000', 'confirmed', 'requested', NULL, 0, 't'),
            (1, 2, 'BBBBBBBBBBBB', '校', 'school', 2, '周', '13900000000', 'expired', 'waitlisted', now(), 0, 't')
        """,
        """
        INSERT INTO tour_booking_session (village_id, booking_id, session_id, day, headcount, price_fen, amount_fen)
        SELECT 1, b.id, s.id, s.day, 2, 0, 0 FROM tour_booking b, tour_session s
        """,
        """
        INSERT INTO message (village_id, key, kind, booking_id, sent_at) VALUES
            (1, 'booking:1:v2:confirmed', 'confirmed', 1, NULL), (1, 'booking:1:v1:requested', 'requested', 1, now()),
            (1, 'reminder:1:2026-01-16', 'reminder', 1, NULL), (1, 'booking:2:v2:expired', 'expired', 2, NULL)
        """,
    ]
}
