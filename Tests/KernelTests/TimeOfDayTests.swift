import Foundation
import Kernel
import Testing

@Suite struct TimeOfDayTests {
    @Test(arguments: [("09:00", 540), ("9:05", 545), ("00:00", 0), ("24:00", 1440), ("14：30", 870)])
    func `a time of day is read as people write it`(text: String, minute: Int) throws {
        #expect(try TimeOfDay(text).minute == minute)
    }

    @Test(arguments: ["", "9", "9:5", "25:00", "24:01", "09:60", "0900", "-1:00", "９:00", "09:00:00"])
    func `what is no time of day is refused`(text: String) {
        #expect(throws: Refusal.self) { try TimeOfDay(text) }
    }

    @Test func `an instant and its time of day in Shanghai are the same`() throws {
        let day = try CivilDay("2026-12-05")
        let start = try TimeOfDay("00:30").instant(on: day)
        #expect(start.timeIntervalSince1970 == 1_796_401_800)
        #expect(TimeOfDay(of: start).description == "00:30")
        #expect(CivilDay(of: start) == day)
    }
}
