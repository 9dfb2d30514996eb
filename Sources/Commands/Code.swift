import ArgumentParser
import Backend
import Codes
import Documents
import Foundation
import Kernel
import Signing

struct CodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "code", abstract: "Signed codes: showing, verifying, revoking, exporting.",
        subcommands: [Show.self, CodeVerify.self, Revoke.self, Export.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows a batch's code, or draws its QR symbol.",
            discussion: "taoyuan code show --batch 17 --qr png --output 17.png")

        enum Drawing: String, ExpressibleByArgument, CaseIterable {
            case terminal, svg, png
        }

        @OptionGroup var options: SharedOptions
        @Option(help: "The batch's number.") var batch: Int64
        @Option(help: "Draw the QR symbol.") var qr: Drawing?
        @Option(help: "The file to write the symbol to (default: standard output).") var output: String?

        func validate() throws {
            guard output == nil || qr != nil else { throw ValidationError("--output goes with --qr.") }
            guard qr == nil || !options.json else { throw ValidationError("Give --qr or --json, not both.") }
            if qr == .png, output == nil, Terminal.showsOutput {
                throw ValidationError("A PNG is not for a terminal: add --output FILE.")
            }
        }

        func run() async throws {
            let code = try await options.withBackend { backend in
                try await CodeStore(backend.database, keys: backend.keys).show(batch: batch, backend.local.scope)
            }
            guard let qr else { return try code.show(options) }
            let symbol = try QRCode(url: code.url)
            let bytes =
                switch qr {
                case .terminal: Array((output == nil ? symbol.forTerminal : symbol.terminal()).utf8)
                case .svg: Array(symbol.svg(title: "\(code.origin) \(code.batch)").utf8)
                case .png: try symbol.png()
                }
            try Files.write(bytes, to: output)
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revokes all codes of a batch, or one item's.",
            discussion: "taoyuan code revoke --batch 17 --reason 标签印错")

        @OptionGroup var options: SharedOptions
        @Option(help: "The batch's number.") var batch: Int64
        @Option(help: "Why.") var reason: String
        @Option(
            help: "An item's serial, ten hexadecimal digits.",
            transform: reading { text in
                guard let serial = [UInt8](hex: text), serial.count == 5 else {
                    throw Refusal(
                        .invalid, "bad-serial", zh: "序列号是 10 位十六进制数", en: "a serial is ten hexadecimal digits")
                }
                return serial
            })
        var serial: [UInt8]?

        func run() async throws {
            try await options.withBackend { backend in
                try await backend.database.change(
                    backend.local.scope, CodeStore.revoke(batch: batch, serial: serial, reason: reason))
            }
            try options.done(
                ["batch": .integer(batch), "serial": JSON(serial?.hex), "revoked": true], "已作废批次 \(batch) 的溯源码",
                "the codes of batch \(batch) are revoked")
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the batch codes that are not revoked: payload, tab, batch number; oldest first.",
            discussion: "taoyuan code export --limit 10000 > codes.tsv")

        @OptionGroup var options: SharedOptions
        @Option(help: "How many at most (default: all).") var limit: Int?
        @Option(help: "Begin behind this batch number.") var after: Int64 = 0

        func validate() throws {
            guard limit ?? 1 > 0 else { throw ValidationError("--limit is a number above zero.") }
        }

        func run() async throws {
            try await options.withBackend { backend in
                let store = CodeStore(backend.database, keys: backend.keys)
                var last = after
                var left = limit ?? .max
                while left > 0 {
                    let size = min(left, 5000)
                    let codes = try await store.export(backend.local.scope, after: last, limit: size)
                    guard let end = codes.last else { break }
                    let lines = codes.map { code in
                        options.json
                            ? String(decoding: code.json.bytes, as: UTF8.self) : "\(code.payload)\t\(code.batch)"
                    }
                    try Terminal.print(lines.joined(separator: "\n"))
                    last = end.batch
                    left -= codes.count
                }
            }
        }
    }
}

struct RecallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recall", abstract: "Recalls of batches, and of all that was made from them.",
        subcommands: [Open.self, End.self])

    struct Target: ParsableArguments {
        @Option(help: "The batch's number.") var batch: Int64
        @Option(help: "Why.") var reason: String
    }

    struct Open: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Opens a recall.", discussion: "taoyuan recall open --batch 17 --reason 农残复检")

        @OptionGroup var options: SharedOptions
        @OptionGroup var target: Target

        func run() async throws {
            try await RecallCommand.set(target, open: true, options)
        }
    }

    struct End: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends a recall.", discussion: "taoyuan recall end --batch 17 --reason 复检合格")

        @OptionGroup var options: SharedOptions
        @OptionGroup var target: Target

        func run() async throws {
            try await RecallCommand.set(target, open: false, options)
        }
    }

    private static func set(_ target: Target, open: Bool, _ options: SharedOptions) async throws {
        try await options.withBackend { backend in
            try await backend.database.change(
                backend.local.scope, CodeStore.recall(batch: target.batch, open: open, reason: target.reason))
        }
        try options.done(
            ["batch": .integer(target.batch), "recalled": .bool(open)],
            open ? "批次 \(target.batch) 已开始召回" : "批次 \(target.batch) 的召回已结束",
            open ? "batch \(target.batch) is under recall" : "the recall of batch \(target.batch) has ended")
    }
}
