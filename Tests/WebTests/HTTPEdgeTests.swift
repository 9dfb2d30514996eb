import HTTPTypes
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
        ClientAddress(IPAddress(try? SocketAddress(ipAddress: address, port: 1)))
    }

    @Test func clientsAreToldApart() {
        #expect(client("192.0.2.1") == client("::ffff:192.0.2.1"))
        #expect(client("192.0.2.1") != client("192.0.2.2"))
        #expect(client("2001:db8:1:2::1") == client("2001:db8:1:2:ffff::9"))
        #expect(client("2001:db8:1:2::1") != client("2001:db8:1:3::1"))
        #expect(client("::c000:201:0:0:0:0") != client("192.0.2.1"))
        #expect(
            String(describing: client("192.0.2.1")) == "a client"
                && String(reflecting: [client("192.0.2.1")]) == "[a client]")
    }

    @Test(arguments: [
        ("10.0.0.9", "192.0.2.1", "192.0.2.1"), ("10.0.0.9", "6.6.6.6, 192.0.2.1", "192.0.2.1"),
        // Proxies behind each other each add whom they have it from.
        ("10.0.0.9", "6.6.6.6, 192.0.2.1, 10.0.0.7,10.0.0.8", "192.0.2.1"),
        ("10.0.0.9", "10.0.0.7, 10.0.0.8", "10.0.0.7"),
        ("10.0.0.9", "2001:db8::1", "2001:db8::1"), ("10.0.0.9", "[2001:db8::1]:4711", "2001:db8::1"),
        ("10.0.0.9", "192.0.2.1:4711", "192.0.2.1"), ("::ffff:10.0.0.9", "192.0.2.1", "192.0.2.1"),
        // What is no address was written by nobody whom we believe.
        ("10.0.0.9", "nonsense", "10.0.0.9"), ("10.0.0.9", "192.0.2.1, unknown, 10.0.0.8", "10.0.0.8"),
        ("10.0.0.9", "", "10.0.0.9"), ("10.0.0.9", "192.0.2.1,", "10.0.0.9"),
        // Who is no proxy of ours speaks for itself alone.
        ("11.0.0.9", "192.0.2.1", "11.0.0.9"), ("::1", "192.0.2.1", "::1"),
    ])
    func `a forwarded address is believed from proxies only`(peer: String, field: String, client: String) throws {
        let networks = try #require(IPNetwork("10.0.0.0/8"))
        let proxies = try #require(TrustedProxies(field: "X-Forwarded-For", networks: [networks]))
        let name = try #require(HTTPField.Name("x-forwarded-for"))
        #expect(proxies.client(behind: IPAddress(peer), [name: field]) == IPAddress(client))
        #expect(proxies.client(behind: IPAddress(peer), [:]) == IPAddress(peer))
    }

    @Test(arguments: [(300, 16, 136), (256, 16, 106), (1024, 200, 373), (65_536, 16, 43_626)])
    func `some descriptors are kept from connections`(limit: Int, pool: Int, connections: Int) throws {
        #expect(try Descriptors(limit: limit).connections(beside: pool) == connections)
    }

    @Test func `without descriptors to serve with nothing is served`() throws {
        let refusal = #expect(throws: Refusal.self) { try Descriptors(limit: 256).connections(beside: 100) }
        #expect(refusal?.code == "too-few-descriptors")
        #expect(Descriptors.raised().limit >= 256)
    }

    @Test func bucketsEmptyAndFill() {
        let limiter = RateLimiter<ClientAddress>(perMinute: 6)
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
        let limiter = RateLimiter<ClientAddress>(perMinute: 1, capacity: 100)
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
