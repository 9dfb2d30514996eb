import Messages
import Testing

@Suite struct OutboxTests {
    @Test func `every kind has a name of its own`() {
        #expect(Set(MessageKind.allCases.map(\.rawValue)).count == MessageKind.allCases.count)
    }
}
