import CQREncode
import Kernel

/// A QR symbol (ISO/IEC 18004) of an address, at error-correction level M, in the smallest version that holds it.
public struct QRCode: Sendable {
    /// What a reader reads: the address with its host in upper case.
    public let text: String
    /// 1 to 40; a symbol has `17 + 4 × version` modules a side.
    public let version: Int
    /// Modules a side, without the quiet zone.
    public let width: Int
    private let dark: [Bool]

    /// The light margin that a reader needs around the symbol, in modules.
    static let quietZone = 4

    /// Two segments keep the symbol small: bytes for the scheme, which has to stay in lower case, and the alphanumeric
    /// mode for `://HOST/PAYLOAD`. The host becomes upper case, the rest stays as it is; what alphanumeric mode cannot
    /// hold goes to the first segment, with all before it.
    ///
    /// - Parameter url: `scheme://host/…` in ASCII.
    /// - Throws: a `Refusal` of kind `invalid` when it is no such address or too long for a symbol.
    public init(url: String) throws {
        guard let text = Self.upperCasingHost(url), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw Refusal(
                .invalid, "bad-qr-address", zh: "二维码内容须为完整的网址", en: "a QR code needs a full web address")
        }
        let bytes = Array(text.utf8)
        let split = (bytes.lastIndex { !Self.alphanumeric.contains($0) } ?? -1) + 1
        guard let input = QRinput_new2(0, QR_ECLEVEL_M) else { throw CryptoError("QRinput_new2") }
        defer { QRinput_free(input) }
        for (mode, segment) in [(QR_MODE_8, bytes[..<split]), (QR_MODE_AN, bytes[split...])] where !segment.isEmpty {
            guard QRinput_append(input, mode, Int32(segment.count), Array(segment)) == 0 else { throw Self.tooLong }
        }
        guard let symbol = QRcode_encodeInput(input) else { throw Self.tooLong }
        defer { QRcode_free(symbol) }
        self.text = text
        self.version = Int(symbol.pointee.version)
        self.width = Int(symbol.pointee.width)
        // The lowest bit of a module is its colour.
        self.dark = UnsafeBufferPointer(start: symbol.pointee.data, count: width * width).map { $0 & 1 == 1 }
    }

    /// Whether the module is dark; those outside the symbol are light.
    func isDark(x: Int, y: Int) -> Bool {
        (0..<width).contains(x) && (0..<width).contains(y) && dark[y * width + x]
    }

    private static let alphanumeric = Set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:".utf8)

    private static func upperCasingHost(_ url: String) -> String? {
        guard let slashes = url.firstRange(of: "://"), !url.hasPrefix("://") else { return nil }
        let host = url[slashes.upperBound...].prefix { $0 != "/" }
        guard !host.isEmpty else { return nil }
        return url[..<slashes.lowerBound].lowercased() + "://" + host.uppercased() + url[host.endIndex...]
    }

    private static var tooLong: Refusal {
        Refusal(.invalid, "qr-too-long", zh: "网址太长，放不进二维码", en: "the address is too long for a QR code")
    }
}
