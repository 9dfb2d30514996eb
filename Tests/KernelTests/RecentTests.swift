import Kernel
import Testing

@Suite struct RecentTests {
    @Test func `what is used stays, the rest goes, and there is never more than there is room for`() {
        var recent = Recent<Int, String>(capacity: 10)
        recent[0] = "kept"
        for key in 1...1000 {
            recent[key] = "\(key)"
            #expect(recent[0] == "kept")
            #expect(recent.count <= 10)
            #expect(recent[key] == "\(key)")
        }
        #expect(recent[1] == nil)
        recent[0] = nil
        #expect(recent[0] == nil && !recent.all.contains("kept"))
    }
}
