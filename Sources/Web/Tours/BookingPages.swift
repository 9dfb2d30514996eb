import Database
import Documents
import Foundation
import HTTPTypes
import Kernel
import Signing
import Tours

/// The pages on which a group books without an account and without script.
extension Site {
    var bookingPages: [Endpoint] {
        let session = Endpoint.Parameter("session", .integer(1...Int64.max), "The session to be booked")
        let form = Endpoint.Body.bytes(["application/x-www-form-urlencoded"], limit: 32_768)
        return [
            Endpoint(
                .get, "/tours", "The sessions that can be booked", access: .anyone, query: [session],
                isDocumented: false
            ) { call in
                try verifications?.check(call.client)
                guard let number = try call.query["session"].orNil?.int64 else {
                    return try toursPage("tours", try await sessionList(call.language), call)
                }
                return try requestPage(try await offer(number), [:], nil, call)
            },
            Endpoint(
                .post, "/tours", "The form of a session: ask for a booking", access: .anyone, query: [session],
                body: form, isDocumented: false, takesIdempotencyKey: false, handle: sendRequest),
            Endpoint(
                .get, "/tours/booking", "Where a booking is looked up", access: .anyone, query: [Self.reference],
                isDocumented: false
            ) { call in
                try toursPage("tours-booking", BookingText(call.language).lookup(try Self.linked(call), nil), call)
            },
            Endpoint(
                .post, "/tours/booking", "Look up a booking, change it or cancel it", access: .anyone, body: form,
                isDocumented: false, takesIdempotencyKey: false, handle: lookUp),
        ]
    }

    /// As the links in messages have it. It opens nothing without the phone.
    static let reference = Endpoint.Parameter("reference", .string(0...40), "The booking's reference")

    /// What a link fills into the form to which it leads.
    static func linked(_ call: Call) throws -> [String: String] {
        guard let reference = try call.query["reference"].orNil?.string else { return [:] }
        return ["reference": reference]
    }

    /// A page that a form may be sent from.
    func toursPage(
        _ template: String, _ values: [String: Any], _ call: Call, status: HTTPResponse.Status = .ok,
        query: String = ""
    ) throws -> Answer {
        var values = values
        values["query"] = query
        let title = values["title"] as? String ?? BookingText(call.language).tours
        var answer = Answer.html(
            try pages.render(template, title: title, values, village: backend.village, call.language), status: status)
        // With the pages' usual policy a browser would hide from us where a form came from.
        answer.headers[.referrerPolicy] = "same-origin"
        answer.headers[.cacheControl] = "no-store"
        return answer
    }

    private func sessionList(_ language: Language) async throws -> [String: Any] {
        let today = backend.clock.today
        let offers = try await BookingOffer.all(
            backend.database, village: backend.village.id, until: today.adding(days: 60), now: backend.clock.now())
        return BookingText(language).list(offers)
    }

    private func offer(_ session: Int64) async throws -> BookingOffer {
        let found = try await BookingOffer.all(
            backend.database, village: backend.village.id, until: backend.clock.today.adding(days: 3660),
            session: session, now: backend.clock.now()
        ).first
        guard let found else {
            throw Refusal(
                .notFound, "unknown-session", zh: "这个场次已不能预约", en: "this session can't be booked any more")
        }
        return found
    }

    /// - Parameters:
    ///   - typed: what the form held when it was sent.
    ///   - refusal: why it was not accepted.
    private func requestPage(_ offer: BookingOffer, _ typed: [String: String], _ refusal: Refusal?, _ call: Call)
        throws -> Answer
    {
        var values = BookingText(call.language).request(offer, typed, refusal)
        values["key"] = Base64URL.encode(try RandomBytes.secret(16))
        let status = refusal.map { Problem.status(of: $0) } ?? .ok
        return try toursPage("tours-request", values, call, status: status, query: "session=\(offer.session)&")
    }

    private func sendRequest(_ call: Call) async throws -> Answer {
        try bookings?.check(call.client)
        try checkOwnForm(call)
        let typed = try Self.fields(call)
        guard let number = try call.query["session"].orNil?.int64 else { throw Refusal.noSuchPage }
        let phone = BookingForm.phone(typed)
        let retry = Self.strangersRetry(
            key: typed["key"] ?? "", phone: phone, fingerprint: Digest.sha256(call.fingerprint))
        do {
            let new = try BookingForm.booking(typed, try await offer(number))
            let answer = try await intake.book(
                new, byStranger: true, now: backend.clock.now(), strangers, once: retry,
                render: { Shapes.ownBooking.json($0).text })
            return try await bookedPage(answer, phone: phone, call)
        } catch let refusal as Refusal where refusal.kind != .unavailable {
            do {
                return try requestPage(try await offer(number), typed, refusal, call)
            } catch let gone as Refusal where gone.kind == .notFound {
                // The session takes no more bookings, but this form may have made one before.
                guard let answer = try await madeBefore(retry) else { throw gone }
                return try await bookedPage(answer, phone: phone, call)
            }
        }
    }

    /// The answer to a form that was carried out before, nil also for another one under its key.
    private func madeBefore(_ retry: Retry) async throws -> String? {
        do {
            return try await backend.database.storedAnswer(to: retry, strangers)
        } catch let refusal as Refusal where refusal.code == Retry.keyReused {
            return nil
        }
    }

    /// The booking that a form has made, as it stands now.
    private func bookedPage(_ answer: String, phone: String, _ call: Call) async throws -> Answer {
        let reference = try BookingReference(entered: JSON(parsing: Array(answer.utf8))["reference"].string)
        let booking = try await BookingStore(backend.database).find(.stranger(reference, phone: phone), strangers)
        return try await ownPage(call, booking)
    }

    /// - Parameters:
    ///   - typed: what the form held that was refused, or that asks once more.
    ///   - refusal: why it was refused.
    private func ownPage(
        _ call: Call, _ booking: Booking, _ typed: [String: String] = [:], _ refusal: Refusal? = nil
    ) async throws -> Answer {
        let now = backend.clock.now()
        var others: [BookingOffer] = []
        if booking.lines.count == 1, let line = booking.lines.first, BookingRules.mayChange(booking, now: now) {
            others = try await BookingOffer.all(
                backend.database, village: backend.village.id, until: backend.clock.today.adding(days: 60), now: now
            ).filter { $0.programme == line.programme && $0.session != line.session && $0.free > 0 }
        }
        let status = refusal.map { Problem.status(of: $0) } ?? .ok
        return try toursPage(
            "tours-booking", BookingText(call.language).booking(booking, typed, refusal, others: others, now: now),
            call, status: status)
    }

    private func lookUp(_ call: Call) async throws -> Answer {
        try checkOwnForm(call)
        let typed = try Self.fields(call)
        let text = BookingText(call.language)
        do {
            let key = BookingKey.stranger(try wanted(typed["reference"] ?? "", call), phone: typed["phone"] ?? "")
            let booking = try await BookingStore(backend.database).find(key, strangers)
            do {
                guard let plan = try wanted(typed, of: booking, key, now: backend.clock.now()) else {
                    return try await ownPage(call, booking, typed["act"] == BookingForm.askToCancel ? typed : [:])
                }
                return try await ownPage(call, try await backend.database.change(strangers, plan))
            } catch let refusal as Refusal where [.conflict, .invalid, .notFound].contains(refusal.kind) {
                return try await ownPage(call, booking, typed, refusal)
            }
        } catch let refusal as Refusal where refusal.kind == .notFound {
            return try toursPage("tours-booking", text.lookup(typed, refusal), call, status: .notFound)
        }
    }

    /// What a group asks for on its booking's page, nil to see it as it is.
    private func wanted(
        _ typed: [String: String], of booking: Booking, _ key: BookingKey, now: Date
    ) throws -> Plan<Booking>? {
        let seen = typed["version"].flatMap { Int($0) } ?? 0
        switch typed["act"] {
        case BookingForm.cancel: return BookingStore.cancel(key, seen: seen, now: now)
        case "change":
            return try BookingForm.change(typed, booking).map {
                BookingStore.change(key, $0, seen: seen, limits: backend.configuration.bookingLimits, now: now)
            }
        default: return nil
        }
    }

    /// The form's fields by name; of a name that comes twice the first.
    static func fields(_ call: Call) throws -> [String: String] {
        let fields = try call.form
        guard !fields.contains(where: { $0.value.utf8.contains(0) }) else {
            throw Refusal(.invalid, "malformed-form", zh: "表单编码有误", en: "the form is badly encoded")
        }
        return Dictionary(fields.map { ($0.name, $0.value) }) { first, _ in first }
    }

    /// Refuses what another site's page sends: browsers say where a form comes from, in `Sec-Fetch-Site` or `Origin`.
    private func checkOwnForm(_ call: Call) throws {
        if let site = call.headers[.secFetchSite] {
            guard site != "same-origin", site != "none" else { return }
        } else if let origin = call.headers[.origin] {
            let host = origin.firstRange(of: "://").map { String(origin[$0.upperBound...]) }
            guard host == nil || host != call.authority && host != backend.village.origin else { return }
        } else {
            return
        }
        throw Refusal(
            .forbidden, "form-of-another-site", zh: "请从本站的页面提交", en: "send this from a page of this site")
    }
}

extension HTTPField.Name {
    static let secFetchSite = Self("Sec-Fetch-Site") ?? .via
}

/// What a visitor typed into the form of a session.
enum BookingForm {
    /// What the button of one's own booking asks for: to be asked once more, and then to cancel it.
    static let (askToCancel, cancel) = ("ask-cancel", "cancel")

    static func phone(_ typed: [String: String]) -> String { typed["phone"]?.trimmed ?? "" }

    static func extraName(_ id: Int) -> String { "extra-\(id)" }

    static func booking(_ typed: [String: String], _ offer: BookingOffer) throws -> NewBooking {
        func text(_ name: String) -> String { typed[name]?.trimmed ?? "" }
        func optional(_ name: String) -> String? { text(name).isEmpty ? nil : text(name) }
        let extras = try offer.extras.compactMap { extra -> WantedExtra? in
            guard let quantity = optional(extraName(extra.id)) else { return nil }
            let number = try Self.number(quantity, field: extraName(extra.id))
            return number == 0 ? nil : WantedExtra(extra: extra.id, quantity: number, session: offer.session)
        }
        return NewBooking(
            unit: text("unit"), unitKind: try unitKind(text("unitKind")),
            headcount: try number(text("headcount"), field: "headcount"), leader: text("leader"),
            phone: phone(typed), email: optional("email"), language: optional("language"), note: optional("note"),
            sessions: [offer.session], extras: extras, waitlist: typed["waitlist"] != nil,
            again: typed["again"] != nil)
    }

    /// How many come, and to which session; nil when both stay as they are.
    static func change(_ typed: [String: String], _ booking: Booking) throws -> BookingChange? {
        var change = BookingChange()
        let headcount = try number(typed["headcount"]?.trimmed ?? "", field: "headcount")
        if headcount != booking.headcount { change.headcount = headcount }
        if let session = typed["session"], booking.lines.map({ "\($0.session)" }) != [session] {
            guard let id = Int64(session) else {
                throw Refusal(
                    .invalid, "unknown-session", field: "session", zh: "请从列出的场次中选择", en: "choose one of the sessions")
            }
            change.sessions = [id]
            change.again = typed["again"] != nil
        }
        return change.headcount == nil && change.sessions == nil ? nil : change
    }

    private static func unitKind(_ text: String) throws -> UnitKind {
        guard !text.isEmpty else {
            throw Refusal(
                .invalid, "unknown-unit-kind", field: "unitKind", zh: "请选择单位类别", en: "choose the kind of unit")
        }
        return try UnitKind(named: text)
    }

    private static func number(_ text: String, field: String) throws -> Int {
        guard let number = FixedDecimal(text)?.scaled(by: 1), (-1_000_000...1_000_000).contains(number) else {
            throw Refusal(
                .invalid, "not-a-number", field: field, zh: "请填写整数", en: "give a whole number")
        }
        return Int(number)
    }

    /// The field of a change that a refusal is about, nil for the change as a whole.
    static func changeField(of refusal: Refusal) -> String? {
        switch refusal.field {
        case "headcount": "headcount"
        case let field? where field.hasPrefix("session"): "session"
        default: nil
        }
    }

    /// The name of the field that a refusal is about, as the form has it; nil is the form as a whole.
    static func field(of refusal: Refusal, _ typed: [String: String], _ offer: BookingOffer) -> String? {
        guard let field = refusal.field, field.hasPrefix("extras[") else { return refusal.field }
        let index = Int(field.dropFirst(7).prefix { $0 != "]" }) ?? 0
        let filled = offer.extras.map { extraName($0.id) }.filter { !["", "0"].contains(typed[$0]?.trimmed ?? "") }
        return filled.indices.contains(index) ? filled[index] : nil
    }
}
