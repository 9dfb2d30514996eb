import Database
import Foundation
import Kernel

/// By what the desk finds all that one person has asked for.
public struct BookingContact: Sendable {
    let phone: String?
    let email: String?

    /// - Throws: a `Refusal` unless it is one of the two.
    public init(phone: String?, email: String?) throws {
        guard (phone == nil) != (email == nil) else {
            throw Refusal(
                .invalid, "no-contact", field: "phone", zh: "请给出电话或电子邮箱之一", en: "give a phone or an e-mail address")
        }
        self.phone = try phone.map(BookingRules.phone)
        self.email = try email.map { try BookingRules.email($0).lowercased() }
    }
}

extension BookingStore {
    /// Cancels all that one phone or e-mail address has asked for, and the desk has not confirmed and nobody has paid.
    /// One that is confirmed or paid meanwhile stays.
    /// - Returns: those that were cancelled.
    public func cancelUnconfirmed(
        of contact: BookingContact, reason: String, now: Date, _ scope: Scope
    ) async throws -> [Booking] {
        var cancelled: [Booking] = []
        var before = Int64.max
        while true {
            let found = try await list(
                scope, Search(contact: contact, isUnconfirmed: true), before: before, limit: 100)
            for booking in found {
                let plan = Self.cancel(.number(booking.id.value), reason: reason, seen: booking.version, now: now)
                do {
                    cancelled.append(try await database.change(scope, plan))
                } catch let refusal as Refusal where refusal.code == BookingRules.stale.code {
                    continue
                }
            }
            guard let last = found.last else { return cancelled }
            before = last.id.value
        }
    }
}
