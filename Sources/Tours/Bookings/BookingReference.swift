import Kernel
import Signing

/// The name under which a group knows its booking: 60 random bits, which with the phone opens it.
public struct BookingReference: Sendable, Hashable, CustomStringConvertible {
    /// 12 letters and digits of RFC 4648's base32.
    public let text: String

    /// - Throws: `CryptoError` when there is no randomness.
    public static func random() throws -> BookingReference {
        BookingReference(text: String(Base32.encode(try RandomBytes.secret(10)).prefix(12)))
    }

    private init(text: String) {
        self.text = text
    }

    /// Reads `ABCD-EFGH-IJKL` in upper or lower case, with or without hyphens and spaces.
    /// - Throws: a `Refusal` of kind `notFound`, so that a guesser learns nothing of the form.
    public init(entered text: String) throws {
        let letters = text.uppercased().filter { $0 != "-" && $0 != " " }
        guard letters.utf8.count == 12,
            letters.utf8.allSatisfy({ (0x41...0x5A).contains($0) || (0x32...0x37).contains($0) })
        else { throw Self.unknown }
        self.text = letters
    }

    /// As people read it: three groups of four.
    public var description: String {
        [text.prefix(4), text.dropFirst(4).prefix(4), text.suffix(4)].joined(separator: "-")
    }

    /// What anyone is told who names no booking of theirs, whatever was wrong.
    public static let unknown = Refusal(
        .notFound, "unknown-booking", field: "reference", zh: "没有这个预约，请核对预约号和电话",
        en: "there is no such booking: check the reference and the phone")
}
