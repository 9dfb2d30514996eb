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
