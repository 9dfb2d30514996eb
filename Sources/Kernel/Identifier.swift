/// A number that identifies an `Entity` within its village and cannot be mixed up with another entity's.
public struct Identifier<Entity>: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let value: Int64

    public init(_ value: Int64) {
        self.value = value
    }

    public static func < (left: Self, right: Self) -> Bool { left.value < right.value }

    public var description: String { String(value) }
}
