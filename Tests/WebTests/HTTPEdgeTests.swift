import Kernel
import NIOCore
import Testing

@testable import Web

@Suite struct HTTPEdgeTests {
    @Test(
        arguments: [
            ("en", .english), ("zh-CN,zh;q=0.9,en;q=0.8", .chinese), ("en-GB;q=0.3, zh;q=0.2", .english),
            ("fr, en;q=0.4, zh;q=0.5", .chinese), ("fr", nil), ("", nil), ("en;q=0", nil), ("*", .chinese),
            ("EN-us;Q=0.7", .english), ("en;q=x", nil), (";;,,;q=", nil), ("english", nil),
        ] as [(String, Language?)])
    func language(header: String, language: Language?) {
        #expect(Language.preferred(in: header) == language)
    }

    private func client(_ address: String) -> ClientAddress {
        ClientAddress(try? SocketAddress(ipAddress: address, port: 1))
    }

    @Test func clientsAreToldApart() {
        #expect(client("192.0.2.1") == client("::ffff:192.0.2.1"))
        #expect(client("192.0.2.1") != client("192.0.2.2"))
        #expect(client("2001:db8:1:2::1") == client("2001:db8:1:2:ffff::9"))
        #expect(client("2001:db8:1:2::1") != client("2001:db8:1:3::1"))
        #expect(client("::c000:201:0:0:0:0") != client("192.0.2.1"))
        #expect(ClientAddress(forwardedFor: "6.6.6.6, 192.0.2.1") == client("192.0.2.1"))
        #expect(
            String(describing: client("192.0.2.1")) == "a client"
                && String(reflecting: [client("192.0.2.1")]) == "[a client]")
        #expect(ClientAddress(forwardedFor: "nonsense") == ClientAddress(nil))
    }

    @Test func bucketsEmptyAndFill() {
        let limiter = RateLimiter(perMinute: 6)
        let start = ContinuousClock.now
        let (one, other) = (client("192.0.2.1"), client("192.0.2.2"))
        for _ in 0..<6 { #expect(limiter.admit(one, at: start) == nil) }
        #expect(limiter.admit(one, at: start) == 10)
        #expect(limiter.admit(other, at: start) == nil)
        #expect(limiter.admit(one, at: start + .seconds(9)) == 1)
        #expect(limiter.admit(one, at: start + .seconds(11)) == nil)
        #expect(limiter.admit(one, at: start + .seconds(11)) == 9)
        // An earlier instant neither gives tokens nor takes them.
        #expect(limiter.admit(one, at: start) == 9)
        #expect(limiter.admit(one, at: start + .seconds(3600)) == nil)
    }

    @Test func limiterStaysSmall() {
        let limiter = RateLimiter(perMinute: 1, capacity: 100)
        let start = ContinuousClock.now
        let faithful = client("198.51.100.1")
        #expect(limiter.admit(faithful, at: start) == nil)
        for number in 0..<5000 {
            _ = limiter.admit(client("10.0.\(number / 250).\(number % 250)"), at: start)
            if number % 20 == 0 { #expect(limiter.admit(faithful, at: start) == 60) }
            #expect(limiter.count <= 101)
        }
    }

    @Test func tags() {
        let tag = EntityTag(of: "abc".utf8)
        #expect(tag == EntityTag(of: "abc".utf8) && tag != EntityTag(of: "abd".utf8))
        #expect(tag.isNamed(in: "\"x\", \(tag.text)", weakly: false))
        #expect(tag.isNamed(in: "W/\(tag.text)", weakly: true))
        #expect(!tag.isNamed(in: "W/\(tag.text)", weakly: false))
        #expect(tag.isNamed(in: "*", weakly: false))
    }

    @Test(arguments: [
        (CInt(98), "port-in-use"), (13, "port-not-permitted"), (99, "address-not-here"),
    ]) func cannotListenIsASentence(code: CInt, name: String) {
        var settings = ServerSettings()
        settings.port = 81
        settings.host = "192.0.2.1"
        let refusal = cannotListen(code, settings: settings)
        #expect(refusal?.code == name)
        #expect(refusal.map { $0.message.zh.contains("81") || $0.message.zh.contains("192.0.2.1") } == true)
        #expect(cannotListen(5, settings: settings) == nil)
    }
}
