import ArgumentParser
import Kernel

/// Whole numbers that are typed.
protocol WholeNumber: FixedWidthInteger, ExpressibleByArgument {}

extension Int: WholeNumber {}
extension Int64: WholeNumber {}
extension UInt16: WholeNumber {}

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
