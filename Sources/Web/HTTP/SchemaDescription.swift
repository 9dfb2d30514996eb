import Documents

extension Schema {
    /// The schema in JSON Schema 2020-12, as OpenAPI 3.1 embeds it; named schemas are references.
    var description: JSON {
        switch self {
        case .string(let length, let kind):
            let pattern =
                switch kind {
                case .line: "^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$"
                case .lines: "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$"
                case .secret: "^[^\\u0000]*$"
                }
            return [
                "type": "string", "minLength": JSON(length.lowerBound), "maxLength": JSON(length.upperBound),
                "pattern": .string(pattern),
            ]
        case .enumeration(let names): return ["type": "string", "enum": .array(names.map { .string($0) })]
        case .integer(let range):
            return [
                "type": "integer", "format": "int64", "minimum": .integer(range.lowerBound),
                "maximum": .integer(range.upperBound),
            ]
        case .boolean: return ["type": "boolean"]
        case .day: return ["type": "string", "format": "date", "examples": ["2025-08-03"]]
        case .instant:
            return ["type": "string", "format": "date-time", "pattern": "Z$", "examples": ["2025-08-03T01:30:00Z"]]
        case .money(let range): return Schema.object([Field("fen", .integer(range))]).description
        case .weight(let range): return Schema.object([Field("grams", .integer(range))]).description
        case .array(let schema, let count), .items(let schema, let count):
            return [
                "type": "array", "items": schema.description, "minItems": JSON(count.lowerBound),
                "maxItems": JSON(count.upperBound),
            ]
        case .figures: return ["type": "object", "additionalProperties": ["type": ["string", "integer"]]]
        case .object(let fields):
            let required = fields.filter(\.isRequired).map { JSON.string($0.name) }
            return [
                "type": "object", "properties": .object(fields.map { JSON.Member($0.name, $0.property) }),
                "required": .array(required), "additionalProperties": false,
            ]
        case .named(let name, _): return ["$ref": .string("#/components/schemas/\(name)")]
        }
    }

    /// Every named schema in this one, with what it stands for.
    func collectNames(into names: inout [String: JSON]) {
        switch self {
        case .named(let name, let schema):
            names[name] = schema.description
            schema.collectNames(into: &names)
        case .array(let schema, _), .items(let schema, _): schema.collectNames(into: &names)
        case .object(let fields): for field in fields { field.schema.collectNames(into: &names) }
        default: break
        }
    }
}

extension Field {
    fileprivate var property: JSON {
        var value = schema.description
        if isNullable { value = ["anyOf": [value, ["type": "null"]]] }
        if case .object(let members) = value, !description.isEmpty {
            value = .object(members + [JSON.Member("description", .string(description))])
        }
        return value
    }
}
