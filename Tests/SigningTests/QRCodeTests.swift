import Foundation
import Kernel
import Testing

@testable import Signing

@Suite struct QRCodeTests {
    private static let signer = Result { CodeSigner(key: try PrivateKey.generate(.ed25519), origin: origin) }

    static func url(host: String = origin.text, isItem: Bool = false) throws -> String {
        let code = try signer.get().sign(batch: 7, issued: .issued, serial: isItem ? [1, 2, 3, 4, 5] : nil)
        return try Origin(host).url(payload: code.payload)
    }

    /// What `zbarimg` reads in a picture.
    private func scan(_ folder: TemporaryFolder, _ name: String) async throws -> String {
        let options = "--raw -q -Sdisable -Sqrcode.enable"
        return try await folder.shell("zbarimg \(options) \(name)").output.trimmingCharacters(in: .newlines)
    }

    private func upperHost(_ url: String) throws -> String {
        let host = try #require(URLComponents(string: url)?.host)
        return url.replacing(host, with: host.uppercased())
    }

    @Test(arguments: [(false, 21, 6), (false, 22, 7), (false, 44, 7), (false, 45, 8)])
    func `a batch code has the version of its host`(isItem: Bool, length: Int, version: Int) throws {
        let host = String(repeating: "a", count: length - 3) + ".cn"
        let symbol = try QRCode(url: Self.url(host: host, isItem: isItem))
        #expect(symbol.version == version)
        #expect(symbol.width == 17 + 4 * version)
    }

    @Test(arguments: [(true, 13, 6), (true, 14, 7), (true, 36, 7), (true, 37, 8)])
    func `an item code has the version of its host`(isItem: Bool, length: Int, version: Int) throws {
        try `a batch code has the version of its host`(isItem: isItem, length: length, version: version)
    }

    @Test(
        .enabled(if: isInstalled("zbarimg")),
        arguments: [origin.text, "localhost:8080", "[::1]:8080", String(repeating: "a", count: 41) + ".cn"],
        [false, true])
    func `a reader reads the PNG`(host: String, isItem: Bool) async throws {
        let folder = try TemporaryFolder()
        let url = try Self.url(host: host, isItem: isItem)
        let symbol = try QRCode(url: url)
        try folder.write("code.png", symbol.png())
        #expect(symbol.text == (try upperHost(url)))
        #expect(try await scan(folder, "code.png") == symbol.text)
    }

    @Test(.enabled(if: isInstalled("zbarimg")))
    func `a reader reads other addresses too`() async throws {
        let folder = try TemporaryFolder()
        for text in ["https://TRACE.EXAMPLE.CN/t/Ab_c?d=e", "https://TRACE.EXAMPLE.CN", "https://A.CN/abc"] {
            let symbol = try QRCode(url: text.replacing("TRACE.EXAMPLE.CN", with: "trace.Example.cn"))
            try folder.write("code.png", symbol.png(modulePixels: 4))
            #expect(symbol.text == text)
            #expect(try await scan(folder, "code.png") == text)
        }
    }

    @Test(.enabled(if: isInstalled("zbarimg") && isInstalled("rsvg-convert")))
    func `a reader reads the SVG`() async throws {
        let folder = try TemporaryFolder()
        let symbol = try QRCode(url: Self.url())
        try folder.write("code.svg", symbol.svg(title: "<批次 & \"7\">\u{1}").utf8)
        #expect(try await folder.shell("rsvg-convert -w 400 code.svg -o code.png").status == 0)
        #expect(try await scan(folder, "code.png") == symbol.text)
    }

    @Test func `the SVG is a document with a title`() throws {
        let svg = try QRCode(url: Self.url()).svg(title: "<批次 & 7>")
        #expect(svg.contains("<title>&lt;批次 &amp; 7&gt;</title>"))
        #expect(svg.contains("viewBox=\"0 0 49 49\""))
    }

    @Test(.enabled(if: isInstalled("zbarimg")), arguments: [(false, false), (true, false), (false, true)])
    func `a reader reads the terminal`(inverted: Bool, colours: Bool) async throws {
        let folder = try TemporaryFolder()
        let symbol = try QRCode(url: Self.url())
        let text = symbol.terminal(inverted: inverted, colours: colours)
        let drawn = text.replacing("\u{1B}[38;5;16;48;5;231m", with: "").replacing("\u{1B}[0m", with: "")
        #expect(colours == (drawn != text))
        let rows = drawn.split(separator: "\n").flatMap { line in
            [line.map { "█▀".contains($0) }, line.map { "█▄".contains($0) }]
        }
        let blocksAreDark = inverted || colours
        #expect(rows.count == 50 && rows.allSatisfy { $0.count == 49 })
        for (y, row) in rows.enumerated() {
            for (x, isBlock) in row.enumerated() {
                #expect((isBlock == blocksAreDark) == symbol.isDark(x: x - 4, y: y - 4), "module \(x), \(y)")
            }
        }
        let scale = 6
        let ink = rows.flatMap { row in
            let line: [UInt8] = row.flatMap { isBlock in
                [UInt8](repeating: isBlock == blocksAreDark ? 1 : 0, count: scale)
            }
            return (0..<scale).flatMap { _ in line }
        }
        try folder.write("code.png", PNG.encode(ink: ink, width: 49 * scale, height: 50 * scale))
        #expect(try await scan(folder, "code.png") == symbol.text)
    }

    @Test(arguments: [-5, 0, 1, 3, 64, 1000])
    func `the PNG has the size asked for`(modulePixels: Int) throws {
        let png = try QRCode(url: Self.url()).png(modulePixels: modulePixels)
        let pixels = 49 * min(max(modulePixels, 1), 64)
        #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
        #expect(png[16..<24].reduce(0) { $0 << 8 | Int($1) } == pixels << 32 | pixels)
    }

    @Test(arguments: [
        "", "ABC", "://a", "https://", "https:///x", "https://a.cn/桃", "https://a.cn/a b", "https://a.cn\n",
    ])
    func `what is no address is refused`(text: String) {
        refusal("bad-qr-address", .invalid) { try QRCode(url: text) }
    }

    @Test func `what is too long is refused`() {
        refusal("qr-too-long", .invalid) { try QRCode(url: "https://a.cn/" + String(repeating: "A", count: 5000)) }
        refusal("qr-too-long", .invalid) { try QRCode(url: "https://a.cn/" + String(repeating: "a", count: 3000)) }
    }
}
