import ArgumentParser
import Backend
import Documents
import Kernel
import Operations

/// The command of an operation: its options are the operation's entries.
///
/// The argument parser finds the options of a command by looking into it: `customMirror` shows it those that the entries
/// ask for, as if they were written down here one by one.
struct OperationCommand<Asked: Operation>: AsyncParsableCommand, CustomReflectable {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: Asked.command, abstract: Asked.about[.ofThisRun], discussion: Asked.examples)
    }

    @OptionGroup private var options: SharedOptions
    private var given: [JSON.Member] = []

    init() {}

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Name.self)
        _options = try values.decode(OptionGroup<SharedOptions>.self, forKey: Name("options"))
        for entry in Asked.entries {
            let value = try Typed(entry).value(in: values, Name(entry.name))
            if value != .null { given.append(.init(entry.name, value)) }
        }
    }

    var customMirror: Mirror {
        let entries = Asked.entries.map { (label: "_\($0.name)" as String?, value: Typed($0).definition) }
        return Mirror(self, children: [(label: "_options", value: OptionGroup<SharedOptions>())] + entries)
    }

    func validate() throws {
        guard !Asked.anyOf.isEmpty, !given.contains(where: { Asked.anyOf.contains($0.key) }) else { return }
        let options = Asked.entries.filter { Asked.anyOf.contains($0.name) }.map { "--\($0.option)" }
        throw ValidationError(
            words(
                "请给出 \(options.joined(separator: "、")) 中的至少一个。",
                "Give at least one of \(options.joined(separator: ", "))."))
    }

    func run() async throws {
        let entered = given
        let fields = Asked.entries.map { entry in
            entry.need == .todayIfTyped ? Field.optional(entry.name, entry.schema) : entry.field
        }
        try Schema.object(fields).validate(.object(entered))
        let (input, made) = try await options.withBackend { backend in
            let today = Asked.entries.filter { entry in
                entry.need == .todayIfTyped && !entered.contains { $0.key == entry.name }
            }.map { JSON.Member($0.name, JSON(backend.clock.today)) }
            let input = JSON.object(entered + today)
            let plan = try await Asked.plan(input, backend)
            return (input, try await backend.database.change(backend.local.scope, plan))
        }
        if let said = Asked.said(of: made, input) {
            try options.done(Asked.shape.json(made), said.zh, said.en)
        } else if let listing = Asked.listing(of: made) {
            try options.show(Asked.shape.json(made), Table(listing).text)
        } else {
            try options.show(made, Asked.shape)
        }
    }

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }

    /// An entry as the argument parser has it.
    private struct Typed {
        let entry: Entry

        init(_ entry: Entry) { self.entry = entry }

        private var help: ArgumentHelp {
            guard !entry.words.isEmpty else { return .words(entry.help.zh, entry.help.en) }
            let words = entry.words.joined(separator: ", ")
            return .words("\(entry.help.zh)（可选：\(words)）", "\(entry.help.en) (values: \(words))")
        }
        private var name: NameSpecification { .customLong(entry.option) }

        var definition: Any {
            let read = reading(entry.read)
            return switch (entry.isFlag, entry.need) {
            case (true, _): Flag(wrappedValue: false, name: name, help: help)
            case (_, .argument): Argument<JSON>(help: help, transform: read)
            case (_, .required): Option<JSON>(name: name, help: help, transform: read)
            case (_, .optional), (_, .todayIfTyped): Option<JSON?>(name: name, help: help, transform: read)
            }
        }

        func value(in values: KeyedDecodingContainer<Name>, _ key: Name) throws -> JSON {
            switch (entry.isFlag, entry.need) {
            case (true, _): try values.decode(Flag<Bool>.self, forKey: key).wrappedValue ? true : .null
            case (_, .argument): try values.decode(Argument<JSON>.self, forKey: key).wrappedValue
            case (_, .required): try values.decode(Option<JSON>.self, forKey: key).wrappedValue
            case (_, .optional), (_, .todayIfTyped):
                try values.decode(Option<JSON?>.self, forKey: key).wrappedValue ?? .null
            }
        }
    }
}
