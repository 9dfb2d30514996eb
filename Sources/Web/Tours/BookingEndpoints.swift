import Database
import Hummingbird
import Documents
import Kernel
import Signing
import Tours

/// What anyone may do: ask for a booking, and with its reference and phone look at it, change it and cancel it.
extension Site {
    var bookingEndpoints: [Endpoint] {
        let shown = [
            Field("reference", .string(1...40)), Field("phone", .string(1...40), "The phone it was booked with"),
        ]
        let version = Field.optional("version", .integer(1...Int64(Int32.max)), "Refused when it is no longer this one")
        return [
            Endpoint(
                .post, "/api/v1/tours/bookings", "Ask for a booking", access: .anyone,
                body: .json(.object(Shapes.newBooking)), outcomes: [.init(201, "Asked for", Shapes.ownBooking)]
            ) { call in
                try bookings?.check(call.client)
                let answer = try await intake.book(
                    try Shapes.newBooking(call.body), byStranger: true, now: backend.clock.now(), strangers,
                    once: try Self.strangersRetry(call), render: { Shapes.ownBooking.json($0).text })
                return .bytes(answer.utf8, "application/json", status: .created)
            },
            Endpoint(
                .post, "/api/v1/tours/booking-lookups", "Look at one's own booking", access: .anyone,
                body: .json(.object(shown)), outcomes: [.init(200, "The booking", Shapes.ownBooking)],
                takesIdempotencyKey: false
            ) { call in
                let found = try await BookingStore(backend.database).find(try ownKey(call), strangers)
                return .json(Shapes.ownBooking.json(found)).tagged(EntityTag(version: Int64(found.version)), for: call)
            },
            Endpoint(
                .post, "/api/v1/tours/booking-changes", "Change one's own booking", access: .anyone,
                body: .json(.object(shown + [version] + Shapes.bookingChange(phone: "newPhone"))),
                outcomes: [.init(201, "Changed", Shapes.ownBooking)]
            ) { call in
                let plan = BookingStore.change(
                    try ownKey(call), try Shapes.bookingChange(call.body, phone: "newPhone"),
                    seen: try call.seenVersion, limits: backend.configuration.bookingLimits, now: backend.clock.now())
                return try await carryOutForStranger(call, plan)
            },
            Endpoint(
                .post, "/api/v1/tours/booking-cancellations", "Cancel one's own booking", access: .anyone,
                body: .json(.object(shown + [version])), outcomes: [.init(201, "Cancelled", Shapes.ownBooking)]
            ) { call in
                let plan = BookingStore.cancel(
                    try ownKey(call), seen: try call.seenVersion, now: backend.clock.now())
                return try await carryOutForStranger(call, plan)
            },
        ]
    }

    /// As whom strangers act.
    var strangers: Scope { Scope(village: backend.village.id, cooperative: nil, actor: "public") }

    private func ownKey(_ call: Call) throws -> BookingKey {
        .stranger(try wanted(call.body["reference"].string, call), phone: try call.body["phone"].string)
    }

    /// The booking that a stranger asks for. How often is limited by who asks and by what is asked for, so that many who
    /// guess at one booking get no further than one.
    func wanted(_ reference: String, _ call: Call) throws -> BookingReference {
        try lookUps?.check(call.client)
        let reference = try BookingReference(entered: reference)
        try lookUpsOfOne?.check(reference)
        return reference
    }

    /// Carries out a stranger's plan. Keys of strangers are told apart by the phone in the body, so that two who choose
    /// the same key do not meet; and an answer is given only to whoever sends the same body again, phone and all.
    private func carryOutForStranger(_ call: Call, _ plan: @escaping Plan<Booking>) async throws -> Answer {
        guard let retry = try Self.strangersRetry(call) else {
            let booking = try await backend.database.change(strangers, plan)
            return .json(Shapes.ownBooking.json(booking), status: .created)
        }
        let answer = try await backend.database.change(
            strangers, once: retry, render: { Shapes.ownBooking.json($0).text }, plan)
        return .bytes(answer.utf8, "application/json", status: .created)
    }

    private static func strangersRetry(_ call: Call) throws -> Retry? {
        guard let key = call.idempotencyKey else { return nil }
        return strangersRetry(
            key: key, phone: try call.body["phone"].string, fingerprint: Digest.sha256(call.fingerprint))
    }

    static func strangersRetry(key: String, phone: String, fingerprint: [UInt8]) -> Retry {
        let digest = Digest.sha256(Array("\(phone)\n\(key)".utf8))
        return Retry(key: Base64URL.encode(digest), fingerprint: fingerprint)
    }
}

extension Call {
    /// The version that the caller has seen: `version` in the body, or the tag in `If-Match`; nil when neither is given.
    var seenVersion: Int? {
        get throws {
            if let version = try body["version"].orNil?.int { return version }
            guard let tag = headers[.ifMatch]?.trimmed, tag != "*" else { return nil }
            // What is no tag of ours matches no version.
            return tag.hasPrefix("\"v") && tag.hasSuffix("\"") ? Int(tag.dropFirst(2).dropLast()) ?? 0 : 0
        }
    }
}
