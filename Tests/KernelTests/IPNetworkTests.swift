import Kernel
import Testing

@Suite struct IPNetworkTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false), ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.1", false), ("10.1.2.3/8", "10.9.9.9", true), ("0.0.0.0/0", "203.0.113.9", true),
        ("0.0.0.0/0", "2001:db8::1", false), ("192.0.2.128/25", "192.0.2.127", false),
        ("192.0.2.1/32", "192.0.2.1", true),
        ("::1", "::1", true), ("2001:db8::/32", "2001:db8:ffff::1", true), ("2001:db8::/32", "2001:db9::1", false),
        ("::/0", "2001:db8::1", true), ("10.0.0.0/8", "::ffff:10.0.0.1", true), ("::ffff:10.0.0.0/8", "10.0.0.1", true),
    ])
    func `a network holds the addresses that begin as it does`(network: String, address: String, isHeld: Bool) throws {
        let network = try #require(IPNetwork(network))
        #expect(network.contains(try #require(IPAddress(address))) == isHeld)
    }

    @Test(arguments: [
        "", "nonsense", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8/8", "10.0.0", "::/129", "10.0.0.0/+8",
        " 10.0.0.0", "fe80::1%eth0", "/8",
    ])
    func `what is no network is none`(text: String) {
        #expect(IPNetwork(text) == nil)
    }
}
