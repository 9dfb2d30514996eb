import Access
import Documents
import Foundation
import Kernel
import Postgres
import Testing
import Tours

@testable import Database
@testable import Web

extension Endpoint {
    var isForPeople: Bool { !roles.isEmpty }

    /// Who may call it; nobody where everybody may.
    var roles: [Role] {
        if case .anyone = access { return [] }
        return Role.allCases.filter(access.admits)
    }
}

extension ServedVillage {
    static let phone = "13812345678"

    /// The group that books, as JSON.
    static func group(_ session: Int64, headcount: Int = 2, more: [JSON.Member] = []) -> JSON {
        .object(
            [
                .init("unit", .string(fresh("u"))), .init("unitKind", "school"), .init("headcount", JSON(headcount)),
                .init("leader", "韩老师"), .init("phone", .string(phone)), .init("sessions", [.integer(session)]),
                .init("again", true),
            ] + more)
    }

    /// Adds a session of a programme of its own, of which anything can be picked.
    /// - Parameter days: from today.
    func tourSession(capacity: Int = 1000, days: Int = 30, hour: Int = 9) async throws -> Int64 {
        let name = fresh("p")
        let day = today.adding(days: days)
        let start = Date(timeIntervalSince1970: Double(day.daysSince1970) * 86_400 + Double(hour - 8) * 3600)
        let village = backend.village.id
        _ = try await query(
            """
            WITH site AS (
                INSERT INTO tour_site (village_id, name, kind) VALUES (\(village), \(name), 'base') RETURNING id
            ), programme AS (
                INSERT INTO tour_programme (village_id, name, minutes, price_fen, languages, min_group, max_group,
                    late_fee_percent, no_show_fee_percent)
                VALUES (\(village), \(name), 120, 8000, 'zh,en', 1, 100, 30, 50) RETURNING id
            ), extra AS (
                INSERT INTO tour_extra (village_id, programme_id, kind, name, price_fen)
                SELECT \(village), id, kind, kind, 1000
                FROM programme, unnest(ARRAY['meal', 'picking']) AS kind
            )
            INSERT INTO tour_session (village_id, site_id, programme_id, day, starts_at, ends_at, capacity)
            SELECT \(village), site.id, programme.id, \(day), \(start), \(start.addingTimeInterval(7200)), \(capacity)
            FROM site, programme
            """)
        return Int64(
            try await count(
                """
                SELECT s.id AS count FROM tour_session s JOIN tour_programme p ON p.id = s.programme_id
                WHERE p.name = \(name)
                """))
    }

    /// Books by the desk, confirmed unless told otherwise.
    func booked(days: Int = 30, hour: Int = 9, state: String = "confirmed") async throws -> JSON {
        let session = try await tourSession(days: days, hour: hour)
        return try await post(
            "/api/v1/tours/desk/bookings", as: "desk", Self.group(session, more: [.init("state", .string(state))]))
    }

    /// The example of an endpoint of bookings, nil for others.
    func bookingExample(of endpoint: Endpoint) async throws -> Example? {
        switch endpoint.name {
        case "POST /api/v1/tours/bookings":
            return Example(endpoint.path, as: nil, Self.group(try await tourSession()))
        case "POST /api/v1/tours/desk/bookings":
            return Example(endpoint.path, as: "desk", Self.group(try await tourSession()))
        case "POST /api/v1/tours/booking-lookups", "POST /api/v1/tours/booking-changes",
            "POST /api/v1/tours/booking-cancellations":
            let reference = try await booked()["reference"]
            return Example(endpoint.path, as: nil, ["reference": reference, "phone": .string(Self.phone)])
        case "GET /api/v1/tours/bookings/{id}":
            let first = try #require(
                try await get("/api/v1/tours/bookings?limit=1", as: "auditor")["items"].array.first)
            return Example("/api/v1/tours/bookings/\(try first["booking"].int64)", as: "auditor")
        case "GET /api/v1/tours/gate-conflicts":
            return Example("\(endpoint.path)?all=true&limit=500", as: "auditor")
        case "POST /api/v1/tours/gate-conflicts/{conflict}/settlements":
            let path = "/api/v1/tours/gate-conflicts/\(try await gateConflict())/settlements"
            return Example(path, as: "desk", ["accept": true, "reason": "test"])
        case "GET /api/v1/tours/todo":
            return Example("\(endpoint.path)?limit=500", as: "committee")
        case "GET /api/v1/tours/payments", "GET /api/v1/tours/payments/sums":
            return Example("\(endpoint.path)?from=\(today)&to=\(today)&how=微信", as: "committee")
        case "POST /api/v1/tours/sessions/{session}/cancellations":
            let session = try await tourSession()
            return Example("/api/v1/tours/sessions/\(session)/cancellations", as: "desk", ["reason": "台风"])
        case "POST /api/v1/tours/sessions/{session}/moves":
            return Example(
                "/api/v1/tours/sessions/\(try await tourSession())/moves", as: "desk",
                ["day": JSON(today.adding(days: 31)), "time": "10:00", "reason": "台风"])
        case "GET /api/v1/tours/bookings": return Example("\(endpoint.path)?state=confirmed&limit=500", as: "committee")
        case "POST /tours":
            var example = Example("/tours?session=\(try await tourSession())")
            let form = "unit=a&unitKind=school&headcount=2&leader=b&phone=\(Self.phone)&language=zh&key=\(fresh("k"))"
            (example.bytes, example.type) = (Data(form.utf8), "application/x-www-form-urlencoded")
            return example
        case "POST /tours/booking":
            var example = Example("/tours/booking")
            let form = "reference=\(try await booked()["reference"].string)&phone=\(Self.phone)"
            (example.bytes, example.type) = (Data(form.utf8), "application/x-www-form-urlencoded")
            return example
        case let name where name.hasPrefix("POST /api/v1/tours/bookings/{id}/"):
            return try await stepExample(String(name.dropFirst("POST /api/v1/tours/bookings/{id}/".count)))
        default: return nil
        }
    }

    private func stepExample(_ step: String) async throws -> Example? {
        let amount = JSON(Money(fen: 100))
        let body: JSON
        let booking: JSON
        switch step {
        case "confirmations", "holds": (booking, body) = (try await booked(state: "requested"), [:])
        case "changes": (booking, body) = (try await booked(), ["headcount": 3])
        case "cancellations": (booking, body) = (try await booked(), ["reason": "test"])
        case "no-shows": (booking, body) = (try await booked(days: 0, hour: 0), [:])
        case "undos": (booking, body) = (try await cancelled(), ["reason": "by mistake"])
        case "completions": (booking, body) = (try await booked(days: 0, hour: 23), ["arrived": 2])
        case "payments": (booking, body) = (try await booked(), ["amount": amount, "paidHow": "微信"])
        case "adjustments": (booking, body) = (try await booked(), ["amount": JSON(Money(fen: -100)), "reason": "优惠"])
        case "payment-reversals":
            booking = try await paid()
            let history = try await get("/api/v1/tours/bookings/\(booking["booking"].int64)", as: "desk")
            body = ["payment": try history["payments"].array[0]["payment"], "reason": "重复登记"]
        case "refund-decisions": (booking, body) = (try await paid(), ["amount": amount])
        case "refunds":
            booking = try await paid()
            _ = try await post(
                "/api/v1/tours/bookings/\(booking["booking"].int64)/refund-decisions", as: "desk", ["amount": amount])
            body = ["paidHow": "微信"]
        case "pickings":
            booking = try await booked(days: 0, hour: 23)
            let batch = JSON.integer(try await register().batch)
            body = ["lines": [["batch": batch, "weight": JSON(Weight(grams: 500))]]]
        default: return nil
        }
        return Example("/api/v1/tours/bookings/\(try booking["booking"].int64)/\(step)", as: "desk", body)
    }

    private func cancelled() async throws -> JSON {
        let booking = try await booked()
        return try await post(
            "/api/v1/tours/bookings/\(booking["booking"].int64)/cancellations", as: "desk", ["reason": "test"])
    }

    /// A group that was let in twice by two gates that did not know of each other.
    func gateConflict() async throws -> Int64 {
        let booking = try await booked(days: 0, hour: 23)
        func told(_ nonce: String) -> JSON {
            ["code": booking["reference"], "headcount": 2, "nonce": .string(fresh(nonce))]
        }
        let reply = try await send(
            "POST", "/api/v1/tours/check-ins", as: "desk", [told("first-scan-"), told("second-scan-")])
        return try #require(try reply.json["items"].array.last)["checkIn"]["conflict"].int64
    }

    private func paid() async throws -> JSON {
        let booking = try await booked()
        return try await post(
            "/api/v1/tours/bookings/\(booking["booking"].int64)/payments", as: "desk",
            ["amount": JSON(Money(fen: 100)), "paidHow": "微信"])
    }
}
