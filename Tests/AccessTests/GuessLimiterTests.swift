import Testing

@testable import Access

@Suite struct GuessLimiterTests {
    private let start = ContinuousClock.now

    /// - Returns: for how many seconds the attempt has to wait, or nil when it is let in and is wrong.
    private func guess(
        _ limiter: GuessLimiter<Int>, _ account: String = "li", of village: Int = 1, from address: Int,
        at seconds: Double = 0
    ) -> Int? {
        do {
            _ = try limiter.admit(account, of: village, from: address, at: start + .seconds(seconds))
            return nil
        } catch {
            return error.seconds
        }
    }

    private func succeed(
        _ limiter: GuessLimiter<Int>, of village: Int = 1, from address: Int, at seconds: Double = 0
    ) throws {
        limiter.succeeded(try limiter.admit("li", of: village, from: address, at: start + .seconds(seconds)))
    }

    @Test func `five wrong passwords are free, and each more waits twice as long`() {
        let limiter = GuessLimiter<Int>()
        for _ in 0..<5 { #expect(guess(limiter, from: 1) == nil) }
        #expect(guess(limiter, from: 1, at: 1) == 10)
        #expect(guess(limiter, from: 1, at: 10) == nil)
        #expect(guess(limiter, from: 1, at: 11) == 20)
        #expect(guess(limiter, "LI", from: 1, at: 30) == nil, "names are the same in capitals")
        #expect(guess(limiter, from: 1, at: 31) == 40)
        #expect(guess(limiter, "wang", from: 1, at: 31) == nil, "another account waits for nothing")
        #expect(guess(limiter, from: 2, at: 31) == nil, "nor does another address")
    }

    @Test func `a wrong password is forgotten after an hour, and the wait has an end`() {
        let limiter = GuessLimiter<Int>()
        var now = 0.0
        var longest = 0
        for _ in 0..<40 {
            while let wait = guess(limiter, from: 1, at: now) {
                longest = max(longest, wait)
                now += Double(wait)
            }
        }
        #expect((890...901).contains(longest))
        #expect(guess(limiter, from: 1, at: now + 3600) == nil)
        for _ in 0..<4 { #expect(guess(limiter, from: 1, at: now + 3600) == nil) }
    }

    @Test func `the right password clears what its owner has mistyped`() throws {
        let limiter = GuessLimiter<Int>()
        for _ in 0..<10 {
            for _ in 0..<4 { #expect(guess(limiter, from: 1) == nil) }
            try succeed(limiter, from: 1)
        }
    }

    @Test func `whoever has an account of the name in another village is a stranger here`() throws {
        let limiter = GuessLimiter<Int>()
        var tried = 0
        for address in 1...10 {
            for _ in 0..<4 {
                try succeed(limiter, of: 2, from: address)
                if guess(limiter, of: 1, from: address) == nil { tried += 1 }
            }
        }
        #expect(tried == 10, "as many as strangers have")
        for address in 1...10 { #expect(guess(limiter, "wang", of: 2, from: address) == nil) }
        #expect(guess(limiter, "wang", of: 2, from: 99) == 11)
        #expect(guess(limiter, "wang", of: 1, from: 99, at: 1) == nil, "nor do guesses elsewhere keep the owner out")
    }

    @Test func `one address waits for what it has tried in all villages`() {
        let limiter = GuessLimiter<Int>()
        for village in 1...20 { #expect(guess(limiter, of: village, from: 1) == nil) }
        #expect(guess(limiter, of: 21, from: 1) == 11)
    }

    @Test func `many at once are counted before any of them is wrong`() {
        let limiter = GuessLimiter<Int>()
        let admitted = (0..<40).filter { _ in guess(limiter, from: 1) == nil }
        #expect(admitted.count == 5)
    }

    @Test func `an address that tries one password of many accounts waits`() {
        let limiter = GuessLimiter<Int>()
        let admitted = (0..<60).filter { guess(limiter, "user\($0)", from: 1) == nil }
        #expect(admitted.count == 20)
        #expect(guess(limiter, "li", from: 2) == nil)
    }

    @Test func `sixty guesses from sixty addresses slow strangers and not the owner`() throws {
        let limiter = GuessLimiter<Int>()
        try succeed(limiter, from: 1000)
        let admitted = (0..<60).filter { guess(limiter, from: $0, at: 1) == nil }
        #expect(admitted.count == 10)
        try succeed(limiter, from: 1000, at: 2)
        for _ in 0..<4 { #expect(guess(limiter, from: 1000, at: 3) == nil, "who may even mistype") }
        try succeed(limiter, from: 1000, at: 4)
    }

    /// Guessers that go on and on can't take the turn of somebody who has waited.
    @Test func `an owner from a new address waits once and then has an attempt for certain`() throws {
        let limiter = GuessLimiter<Int>()
        for address in 0..<10 { #expect(guess(limiter, from: address) == nil) }
        let wait = try #require(guess(limiter, from: 1000, at: 1))
        #expect(wait <= 11)
        for second in 2..<(wait + 2) {
            for address in 0..<200 { _ = guess(limiter, from: address, at: Double(second)) }
        }
        try succeed(limiter, from: 1000, at: Double(wait + 2))
        try succeed(limiter, from: 1000, at: Double(wait + 2))
    }

    @Test func `what was not looked at doesn't count`() throws {
        let limiter = GuessLimiter<Int>()
        for _ in 0..<100 { limiter.withdrawn(try limiter.admit("li", of: 1, from: 1, at: start)) }
        for _ in 0..<5 { #expect(guess(limiter, from: 1) == nil) }
    }

    @Test func `a flood of strangers makes no stranger of an owner`() throws {
        let limiter = GuessLimiter<Int>(capacity: 100)
        try succeed(limiter, from: 1000)
        for address in 0..<10 { _ = guess(limiter, from: address) }
        for address in 0..<1000 { _ = guess(limiter, "user\(address)", from: address) }
        for address in 2000..<2010 { _ = guess(limiter, from: address) }
        #expect(guess(limiter, from: 3000) != nil)
        try succeed(limiter, from: 1000)
    }
}
