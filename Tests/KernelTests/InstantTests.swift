import Foundation
import Kernel
import Testing

@Suite struct InstantTests {
    @Test(arguments: [
        ("2025-08-03T01:30:00Z", 0.0), ("2025-08-03t01:30:00z", 0), ("2025-08-03T01:30:00.123Z", 0.123),
        ("2025-08-03T09:30:00+08:00", 0), ("2025-08-02T20:00:00.5-05:30", 0.5), ("2025-08-03T01:30:00+00:00", 0),
    ])
    func `an instant is read as other programs write it`(text: String, fraction: Double) throws {
        let read = try #require(Date(instant: text))
        #expect(abs(read.timeIntervalSince1970 - 1_754_184_600 - fraction) < 0.000_001)
    }

    @Test(arguments: [
        "", "yesterday", "2025-08-03", "2025-08-03T01:30:00", "2025-02-30T01:30:00Z", "2025-08-03T24:00:00Z",
        "2025-08-03T01:60:00Z", "2025-08-03T01:30:60Z", "2025-08-03T01:30:00.Z", "2025-08-03T01:30:00+24:00",
        "2025-08-03 01:30:00Z", "２０２５-08-03T01:30:00Z", "2025-08-03T01:30:00Z ",
    ])
    func `what is no instant is none`(text: String) {
        #expect(Date(instant: text) == nil)
    }
}
