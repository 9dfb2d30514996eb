import Kernel
import Testing

@Suite struct RememberedTests {
    private struct Away: Error {}

    private let begin = ContinuousClock.now
    private let remembered = Remembered<String, Int>(capacity: 10)

    /// What is told so many seconds after the beginning; `found` if it is asked for, which holds for ten seconds.
    private func told(after seconds: Int, _ found: Int?) async throws -> Int? {
        try await remembered.value(of: "a", at: begin + .seconds(seconds)) { found.map { ($0, .seconds(10)) } }
    }

    @Test func `in the second half of its time one asks and the others take what is known`() async throws {
        #expect(try await told(after: 0, 1) == 1)
        #expect(try await told(after: 4, 2) == 1)
        let renewed = try await remembered.value(of: "a", at: begin + .seconds(6)) {
            for _ in 0..<3 {
                let known = try await told(after: 6, 9)
                #expect(known == 1)
            }
            // Whoever comes after the end waits for nobody.
            let late = try await told(after: 11, nil)
            #expect(late == nil)
            return (3, .seconds(10))
        }
        #expect(renewed == 3)
        #expect(try await told(after: 10, 4) == 3)
        #expect(try await told(after: 17, 5) == 5)
    }

    @Test func `when asking fails the next one asks`() async throws {
        #expect(try await told(after: 0, 1) == 1)
        await #expect(throws: Away.self) {
            try await remembered.value(of: "a", at: begin + .seconds(6)) { throw Away() }
        }
        #expect(try await told(after: 6, 2) == 2)
    }

    @Test func `nothing that was asked before it was forgotten is remembered`() async throws {
        let found = try await remembered.value(of: "a") {
            remembered.forget()
            return (1, nil)
        }
        #expect(found == 1)
        #expect(try await remembered.value(of: "a") { (2, nil) } == 2)
        #expect(try await remembered.value(of: "a") { (3, nil) } == 2)
    }
}
