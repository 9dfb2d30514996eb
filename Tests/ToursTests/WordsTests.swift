import Kernel
import Testing
import Tours

@Suite struct WordsTests {
    @Test(arguments: UnitKind.allCases) func `a kind of unit is read by its name and by its word`(kind: UnitKind) throws
    {
        #expect(try UnitKind(named: kind.rawValue) == kind)
        #expect(try UnitKind(named: kind.label.zh) == kind)
    }

    @Test func `a reference is read as people write it`() throws {
        let reference = try BookingReference.random()
        #expect(reference.text.count == 12)
        #expect(try BookingReference(entered: reference.description.lowercased()) == reference)
        #expect(throws: Refusal.self) { try BookingReference(entered: "ABCD-EFGH-IJK1") }
    }
}
