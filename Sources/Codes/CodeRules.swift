import Kernel
import Signing

public enum CodeRules {
    /// The payload of a text that a person or scanner gives: the payload alone or its whole address.
    public static func payload(in text: String) -> String {
        let trimmed = text.trimmed
        guard trimmed.contains("/") else { return trimmed }
        let address = trimmed.prefix { $0 != "?" && $0 != "#" }
        return String(address.split(separator: "/").last ?? "")
    }

    /// The host of a whole address, when the label that carries it is none of ours. The signature does not cover it: a good
    /// payload under another host is what it is, and yet that host shows to whoever scans it what it likes.
    /// - Parameter text: the payload alone names no host.
    /// - Parameter ours: all origins under which labels are or were printed.
    public static func foreignHost(in text: String, ours: Set<Origin>) -> String? {
        var address = text.trimmed.prefix { $0 != "?" && $0 != "#" }
        if let scheme = address.firstRange(of: ":/") { address = address[scheme.upperBound...] }
        address = address.drop { $0 == "/" }
        guard let end = address.firstIndex(of: "/") else { return nil }
        let host = String(address[..<end])
        guard (try? Origin(host)).map({ !ours.contains($0) }) ?? true else { return nil }
        return host.shortened
    }

    /// Says that an address is not ours, before all else that is said of its code.
    /// - Parameter origin: where the code belongs.
    public static func foreign(_ host: String, origin: Origin) -> Bilingual {
        Bilingual(
            zh: "标签上的网址不是我们的（\(host)），我们的标签写的是 \(origin)：不要相信那个网址显示的内容",
            en:
                "The address on the label is not ours (\(host)); our labels say \(origin). Don't trust what that address "
                + "shows")
    }

    /// Whether a text may have been meant for a code, whole or mistyped or cut short, and not for anything else: letters
    /// and digits alone, and some dozens of them.
    public static func isLikeACode(_ text: String) -> Bool {
        (30...300).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            }
    }

    /// The constraint that lets no code be recorded under a key that has ended, and what it tells whoever signed with it
    /// before hearing of that.
    static let keySigns = "code_key_signs"
    static let keyEnded = Refusal(
        .unavailable, "key-ended", zh: "签发密钥刚刚停用或被标记为泄露，什么都没有记录，请重试",
        en: "the signing key has just been retired or marked as compromised: nothing was recorded, try again")

    /// Checks a code with nothing but a public key: what anybody can do without us.
    public static func verifyOffline(_ payload: String, keys: [PublicKey], origin: Origin, today: CivilDay) -> Verdict {
        let verifier = Verifier(origin: origin) { id in
            keys.first { $0.id(origin: origin) == id }.map { KnownKey($0) }
        }
        switch verifier.check(payload) {
        case .malformed: return Verdict(.malformed, today: today)
        case .unknownKey: return Verdict(.unknownKey, today: today)
        case .forged: return Verdict(.forged, today: today)
        case .signed(let body): return Verdict(.signed, body: body, today: today)
        }
    }
}
