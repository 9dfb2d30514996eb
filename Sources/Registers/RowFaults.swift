import Kernel

/// Collects all that is wrong with one row, so that a clerk is told of everything at once.
///
///     var faults = RowFaults()
///     let number = try faults.reading("") { try row.key(Self.number) }
///     let people = try faults.reading(0) { try row.integer(Self.people, in: 1...50) }
///     try faults.check()
public struct RowFaults {
    private var refusals: [Refusal] = []

    public init() {}

    public var isEmpty: Bool { refusals.isEmpty }

    /// What `read` returns; `fallback` when it is refused, which `check` will tell. What else is thrown passes.
    public mutating func reading<Value>(_ fallback: Value, _ read: () throws -> Value) throws -> Value {
        try reading(read) ?? fallback
    }

    /// What `read` returns; nil when it is refused, which `check` will tell.
    public mutating func reading<Value>(_ read: () throws -> Value) throws -> Value? {
        do {
            return try read()
        } catch let refusal as Refusal {
            note(refusal)
            return nil
        }
    }

    public mutating func note(_ refusal: Refusal) {
        // A row that is not well formed says the same of every cell.
        if refusals.last != refusal { refusals.append(refusal) }
    }

    /// - Throws: `RowRefused` when anything was refused.
    public func check() throws {
        if !refusals.isEmpty { throw RowRefused(refusals: refusals) }
    }
}

/// A row is refused, for one reason or several.
public struct RowRefused: Error, Sendable {
    public let refusals: [Refusal]

    public init(refusals: [Refusal]) {
        self.refusals = refusals
    }
}

extension RowOutcome {
    /// What `record` says, or why the row is refused; what else is thrown passes.
    public static func of(_ record: () throws -> RowOutcome) throws -> RowOutcome {
        do {
            return try record()
        } catch let refused as RowRefused {
            return .refused(refused.refusals)
        } catch let refusal as Refusal {
            return .refused([refusal])
        }
    }
}

extension Result where Failure == RowRefused {
    /// What `read` returns, or why the row is refused; what else is thrown passes.
    public init(reading read: () throws -> Success) throws {
        do {
            self = .success(try read())
        } catch let refused as RowRefused {
            self = .failure(refused)
        } catch let refusal as Refusal {
            self = .failure(RowRefused(refusals: [refusal]))
        }
    }
}
