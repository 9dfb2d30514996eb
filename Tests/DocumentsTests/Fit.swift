import Testing

@testable import Documents

/// Expects that what is told of each value is as its shape's schema says.
func fit<Value>(_ shape: Shape<Value>, _ values: [Value]) {
    #expect(!values.isEmpty)
    for value in values {
        let json = shape.json(value)
        #expect(throws: Never.self, "\(json.text)") { try shape.schema.validate(json) }
    }
}
