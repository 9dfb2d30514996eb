/// What was used lately, at most so much of it. Two generations, so that the oldest are dropped without a search: when the
/// young are full they become the old, and the former old go. What is used again is young again.
public struct Recent<Key: Hashable, Value> {
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]
    private let half: Int

    /// - Parameter capacity: how much is remembered at most.
    public init(capacity: Int) {
        half = max(1, capacity / 2)
    }

    public var count: Int { young.count + old.count }
    public var all: [Value] { Array(young.values) + Array(old.values) }

    /// Setting nil forgets.
    public subscript(key: Key) -> Value? {
        mutating get {
            if let value = young[key] { return value }
            guard let value = old.removeValue(forKey: key) else { return nil }
            self[key] = value
            return value
        }
        set {
            if newValue != nil, young.count >= half, young[key] == nil {
                old = young
                young = [:]
            }
            old[key] = nil
            young[key] = newValue
        }
    }
}
