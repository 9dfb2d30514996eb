import Foundation
import Kernel
import Testing

@testable import Tours

@Suite struct BookingRuleTests {
    @Test(arguments: [
        ("13812345678", "13812345678"), ("138 1234 5678", "13812345678"), ("138-1234-5678", "13812345678"),
        ("+86 13812345678", "13812345678"), ("0086-199 1234 5678", "19912345678"), ("１３８１２３４５６７８", "13812345678"),
        ("8613812345678", "13812345678"), ("022-86543210", "02286543210"), ("(022) 8654 3210", "02286543210"),
        ("+86 22 8654 3210", "02286543210"), ("010-62345678", "01062345678"), ("0316-2345678", "03162345678"),
        ("0512 62345678", "051262345678"), (" 13812345678 ", "13812345678"),
    ])
    func `a telephone number is read as its digits`(text: String, digits: String) throws {
        #expect(try BookingRules.phone(text) == digits)
    }

    @Test(arguments: [
        "", " ", "1381234567", "138123456789", "12812345678", "23812345678", "86543210", "022-8654321", "022-96543210",
        "0000-1234567", "011-62345678", "139****6211", "13812345678;DROP", "=13812345678", "abc", "一三八", "1381234567x",
        "13812345678 13812345678", "+1 212 555 0100", "1+3812345678", String(repeating: "1", count: 10_000),
        "\u{202E}13812345678",
    ])
    func `what is no telephone number is refused`(text: String) {
        let refusal = #expect(throws: Refusal.self) { try BookingRules.phone(text) }
        #expect(refusal?.code == "not-a-phone" && refusal?.field == "phone")
    }

    @Test(arguments: ["a@b.cn", "han.laoshi+1@mail.example.cn", "韩@例子.中国"])
    func `an address of mail is kept`(text: String) throws {
        #expect(try BookingRules.email(" \(text)") == text)
    }

    @Test(arguments: [
        "a", "a@b", "@b.cn", "a@", "a@@b.cn", "a b@c.cn", "a@b.cn\r\nBcc: x@y.cn", "a@b.cn,c@d.cn", "<a@b.cn>", "a@.cn",
        "a@b.", "\"a\"@b.cn",
    ])
    func `what is no address of mail is refused`(text: String) {
        #expect(throws: Refusal.self) { try BookingRules.email(text) }
    }

    @Test(arguments: [
        (120, 3600 * 24 * 7, 7200.0), (120, 3600, 3600.0), (2880, 3600 * 24 * 30, 172_800.0), (5, 300, 300.0),
    ])
    func `seats are kept for the programme's time, never beyond the start`(minutes: Int, start: Int, seconds: Double) {
        let now = Date(timeIntervalSince1970: 1_800_000_000)
        let until = BookingRules.holdUntil(now, minutes: minutes, startsAt: now.addingTimeInterval(Double(start)))
        #expect(until.timeIntervalSince(now) == seconds)
    }

    @Test(arguments: [
        ("17", nil as String?), (" 4294967295 ", nil), ("abcd-efgh-ijkl", "ABCD-EFGH-IJKL"),
        ("2222 3333 4444", "2222-3333-4444"),
    ])
    func `the desk names a booking by its number or its reference`(text: String, reference: String?) throws {
        switch try BookingKey(entered: text) {
        case .number(let number): #expect(reference == nil && "\(number)" == text.trimmed)
        case .reference(let found): #expect(found.description == reference)
        case .stranger: Issue.record("the desk is no stranger")
        }
    }

    @Test(arguments: ["", "x", "99999999999", "ABCD-EFGH-IJK1"])
    func `what names no booking is not found`(text: String) {
        let refusal = #expect(throws: Refusal.self) { try BookingKey(entered: text) }
        #expect(refusal == BookingReference.unknown)
    }

    @Test func `only seats that are kept or had count`() {
        for state in BookingState.allCases {
            #expect(!(state.holdsSeats && state.ownsSeats), "\(state)")
        }
        let seatless = BookingState.allCases.filter { !$0.holdsSeats && !$0.ownsSeats }
        #expect(seatless == [.waitlisted, .expired, .cancelled])
    }
}
