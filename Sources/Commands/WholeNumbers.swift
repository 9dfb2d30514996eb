import ArgumentParser
import Kernel

/// Whole numbers as they are typed: `１７`, `17 ` and a spreadsheet's `17.0` are 17.
protocol WholeNumber: FixedWidthInteger, ExpressibleByArgument {}

extension Int: WholeNumber {}
extension Int64: WholeNumber {}
extension UInt16: WholeNumber {}

extension WholeNumber {
    /// - Throws: a `Refusal` that says why it is none.
    fileprivate init(typed text: String) throws {
        let cleaned = try CleanText.key(text)
        if let number = Self(cleaned) {
            self = number
            return
        }
        guard cleaned.wholeMatch(of: /[+\-]?[0-9]+/) != nil else {
            throw Refusal(.invalid, "no-whole-number", zh: "须是整数，如 17", en: "it is a whole number such as 17")
        }
        throw Refusal(
            .invalid, "out-of-range", zh: "须在 \(Self.min) 到 \(Self.max) 之间",
            en: "it lies between \(Self.min) and \(Self.max)")
    }
}

// More special than those of the argument parser, these are what every option and argument that is a whole number has.

extension Option where Value: WholeNumber {
    init(
        name: NameSpecification = .long, parsing: SingleValueParsingStrategy = .next, help: ArgumentHelp? = nil,
        completion: CompletionKind? = nil
    ) {
        self.init(
            name: name, parsing: parsing, help: help, completion: completion, transform: reading(Value.init(typed:)))
    }

    init(
        wrappedValue: Value, name: NameSpecification = .long, parsing: SingleValueParsingStrategy = .next,
        help: ArgumentHelp? = nil, completion: CompletionKind? = nil
    ) {
        self.init(
            wrappedValue: wrappedValue, name: name, parsing: parsing, help: help, completion: completion,
            transform: reading(Value.init(typed:)))
    }
}

extension Option {
    init<Number: WholeNumber>(
        name: NameSpecification = .long, parsing: SingleValueParsingStrategy = .next, help: ArgumentHelp? = nil,
        completion: CompletionKind? = nil
    ) where Value == Number? {
        self.init(
            name: name, parsing: parsing, help: help, completion: completion, transform: reading(Number.init(typed:)))
    }

    init<Number: WholeNumber>(
        name: NameSpecification = .long, parsing: ArrayParsingStrategy = .singleValue, help: ArgumentHelp? = nil,
        completion: CompletionKind? = nil
    ) where Value == [Number] {
        self.init(
            name: name, parsing: parsing, help: help, completion: completion, transform: reading(Number.init(typed:)))
    }
}

extension Argument where Value: WholeNumber {
    init(help: ArgumentHelp? = nil, completion: CompletionKind? = nil) {
        self.init(help: help, completion: completion, transform: reading(Value.init(typed:)))
    }
}

extension Argument {
    init<Number: WholeNumber>(help: ArgumentHelp? = nil, completion: CompletionKind? = nil)
    where Value == Number? {
        self.init(help: help, completion: completion, transform: reading(Number.init(typed:)))
    }
}
