import Signing
import Testing

@Suite struct OriginTests {
    @Test(arguments: [
        ("trace.example.cn", "trace.example.cn", "https"), ("TRACE.Example.CN", "trace.example.cn", "https"),
        ("trace.example.cn:8443", "trace.example.cn:8443", "https"),
        ("trace.example.cn:443", "trace.example.cn", "https"),
        ("trace.example.cn:80", "trace.example.cn:80", "https"), ("localhost:8080", "localhost:8080", "http"),
        ("localhost:80", "localhost", "http"), ("127.0.0.1:8080", "127.0.0.1:8080", "http"),
        ("[::1]:8080", "[::1]:8080", "http"), ("192.168.1.20", "192.168.1.20", "http"),
        ("xn--fiq228c.cn", "xn--fiq228c.cn", "https"), ("village", "village", "https"),
    ])
    func `hosts are taken`(text: String, canonical: String, scheme: String) throws {
        let origin = try Origin(text)
        #expect(origin.text == canonical)
        #expect(origin.url(payload: "ABC") == "\(scheme)://\(canonical)/ABC")
        #expect(try Origin(canonical) == origin)
    }

    @Test(arguments: [
        "", " ", "https://trace.example.cn", "trace.example.cn/", "trace.example.cn/x", "a b", "trace.example.cn\n",
        "user@trace.example.cn", "trace.example.cn:", "trace.example.cn:0", "trace.example.cn:65536", "a:080", "a:+80",
        "a:8a", "a:1:2", "溯源.cn", "a..b", ".a", "a.", "-a.cn", "a-.cn", "a_b.cn", "127.1", "1.2.3.256", "01.2.3.4",
        "[::2]", "[::1", "[::1]8080", "::1", String(repeating: "a", count: 64) + ".cn",
        String(repeating: "a.", count: 127) + "cn",
    ])
    func `everything else is refused`(text: String) {
        refusal("bad-origin", .invalid) { try Origin(text) }
    }
}
