/// What was seen of late, by key, and no more than so many: in two generations, so that the oldest can be dropped without
/// a search. When the young is full, it becomes the old, and the former old goes.
struct Recent<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let capacity: Int
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]

    init(_ capacity: Int) {
        self.capacity = max(2, capacity)
    }

    subscript(key: Key) -> Value? {
        get { young[key] ?? old[key] }
        set {
            old.removeValue(forKey: key)
            if young[key] == nil, newValue != nil, young.count >= capacity / 2 {
                old = young
                young = [:]
            }
            young[key] = newValue
        }
    }
}
