import ArgumentParser
import Backend
import Batches
import Codes
import Documents
import Foundation
import Kernel
import Signing

struct CodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "code",
        abstract: words("溯源码：显示、查验、作废、导出。", "Signed codes: showing, verifying, revoking, exporting."),
        subcommands: [Show.self, CodeVerify.self, Revoke.self, Export.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("显示批次的溯源码，或画出二维码。", "Shows a batch's code, or draws its QR symbol."),
            discussion: "taoyuan code show 17 --qr png --output 17.png")

        enum Drawing: String, ExpressibleByArgument, CaseIterable {
            case terminal, svg, png
        }

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("批次号。", "The batch's number.")) var batch: Int64
        @Option(help: .words("画出二维码。", "Draw the QR symbol.")) var qr: Drawing?
        @Option(help: .words("二维码写入的文件（默认标准输出）。", "The file to write the symbol to (default: standard output)."))
        var output: String?

        func validate() throws {
            guard output == nil || qr != nil else {
                throw ValidationError(words("--output 须与 --qr 同用。", "--output goes with --qr."))
            }
            guard qr == nil || !options.json else {
                throw ValidationError(words("--qr 与 --json 只能给一个。", "Give --qr or --json, not both."))
            }
            if qr == .png, output == nil, Terminal.showsOutput {
                throw ValidationError(
                    words("PNG 不能显示在终端：请加 --output 文件。", "A PNG is not for a terminal: add --output FILE."))
            }
        }

        func run() async throws {
            let code = try await options.withBackend { backend in
                let store = CodeStore(backend.database, keys: backend.keys)
                let scope = backend.local.scope
                return qr == nil
                    ? try await store.show(batch: batch, scope) : try await store.label(batch: batch, scope)
            }
            guard let qr else { return try code.show(options) }
            let symbol = try QRCode(url: code.url)
            let bytes =
                switch qr {
                case .terminal: Array((output == nil ? symbol.forTerminal : symbol.terminal()).utf8)
                case .svg: Array(symbol.svg(title: "\(code.origin) \(code.batch)").utf8)
                case .png: try symbol.png()
                }
            try Files.deliver(bytes, to: output)
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("作废批次的全部溯源码，或单件的一个。", "Revokes all codes of a batch, or one item's."),
            discussion: "taoyuan code revoke --batch 17 --reason 标签印错")

        @OptionGroup var options: SharedOptions
        @Option(help: .words("批次号。", "The batch's number.")) var batch: Int64
        @Option(help: .words("理由。", "Why.")) var reason: String
        @Option(
            help: .words("单件序列号，十位十六进制数。", "An item's serial, ten hexadecimal digits."),
            transform: reading { text in
                guard let serial = [UInt8](hex: text), serial.count == 5 else {
                    throw Refusal(
                        .invalid, "bad-serial", zh: "序列号是 10 位十六进制数", en: "a serial is ten hexadecimal digits")
                }
                return serial
            })
        var serial: [UInt8]?

        func run() async throws {
            try await options.change { _ in CodeStore.revoke(batch: batch, serial: serial, reason: reason) }
            try options.done(
                Shapes.revocation.json((batch, serial)), "已作废批次 \(batch) 的溯源码",
                "the codes of batch \(batch) are revoked")
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "列出未作废、不在召回中的批次码：码、制表符、批次号；最早的在前。",
                "Prints the batch codes that are neither revoked nor under recall: payload, tab, batch number; oldest first."
            ),
            discussion: "taoyuan code export --limit 10000 > codes.tsv")

        @OptionGroup var options: SharedOptions
        @Option(help: .words("最多列出多少条（默认全部）。", "How many at most (default: all).")) var limit: Int?
        @Option(help: .words("从这个批次号之后开始。", "Begin behind this batch number.")) var after: Int64 = 0

        func validate() throws {
            guard limit ?? 1 > 0 else {
                throw ValidationError(words("--limit 须是大于零的数。", "--limit is a number above zero."))
            }
        }

        func run() async throws {
            try await options.withBackend { backend in
                let store = CodeStore(backend.database, keys: backend.keys)
                for (batch, recall) in try await store.leftOut(backend.local.scope, after: after) {
                    Terminal.say(BatchRules.recalled(batch, recall).message[.ofThisRun])
                }
                var last = after
                var left = limit ?? .max
                while left > 0 {
                    let size = min(left, 5000)
                    let codes = try await store.export(backend.local.scope, after: last, limit: size)
                    guard let end = codes.last else { break }
                    let lines = codes.map { code in
                        options.json
                            ? Shapes.batchCode.json(code).text : "\(code.payload)\t\(code.batch)"
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
        commandName: "recall",
        abstract: words("召回批次及由它制成的产品。", "Recalls of batches, and of all that was made from them."),
        subcommands: [Open.self, End.self])

    struct Target: ParsableArguments {
        @Option(help: .words("批次号。", "The batch's number.")) var batch: Int64
        @Option(help: .words("理由。", "Why.")) var reason: String
    }

    struct Open: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("开始召回。", "Opens a recall."), discussion: "taoyuan recall open --batch 17 --reason 农残复检")

        @OptionGroup var options: SharedOptions
        @OptionGroup var target: Target

        func run() async throws {
            try await RecallCommand.set(target, open: true, options)
        }
    }

    struct End: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("结束召回。", "Ends a recall."), discussion: "taoyuan recall end --batch 17 --reason 复检合格")

        @OptionGroup var options: SharedOptions
        @OptionGroup var target: Target

        func run() async throws {
            try await RecallCommand.set(target, open: false, options)
        }
    }

    private static func set(_ target: Target, open: Bool, _ options: SharedOptions) async throws {
        try await options.change { _ in CodeStore.recall(batch: target.batch, open: open, reason: target.reason) }
        try options.done(
            Shapes.recallStep.json((target.batch, open)),
            open ? "批次 \(target.batch) 已开始召回" : "批次 \(target.batch) 的召回已结束",
            open ? "batch \(target.batch) is under recall" : "the recall of batch \(target.batch) has ended")
    }
}
