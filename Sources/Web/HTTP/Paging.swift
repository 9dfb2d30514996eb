import Documents
import Kernel

import struct Foundation.Data

/// Which part of a list is asked for: at most `limit` items after the cursor.
public struct PageRequest: Sendable, Hashable {
    public let limit: Int
    /// What the answer before gave as its end, such as the last item's key; nil for the beginning.
    public let after: String?

    /// The query parameters of every list.
    public static let parameters: [Endpoint.Parameter] = [
        .init("limit", .integer(1...500), "How many items at most; 50 unless told"),
        .init("cursor", .string(1...500), "`next` of the answer before"),
    ]
}

extension Call {
    /// - Throws: a `Refusal` for a cursor that no answer of ours gave.
    public func page() throws -> PageRequest {
        let cursor = try query["cursor"].orNil?.string
        return PageRequest(limit: try query["limit"].orNil?.int ?? 50, after: try cursor.map(Cursor.decode))
    }
}

extension Answer {
    /// `{"items": […], "next": …}`.
    /// - Parameter next: where the following page begins; nil after the last item.
    public static func page(_ items: [JSON], next: String?) -> Answer {
        .json(["items": .array(items), "next": next.map { .string(Cursor.encode($0)) } ?? .null])
    }

    /// - Parameter place: of a value in its list.
    static func page<Value>(
        _ values: [Value], _ shape: Shape<Value>, _ page: PageRequest, place: (Value) -> some CustomStringConvertible
    ) -> Answer {
        .page(values.map(shape.json), next: values.count == page.limit ? values.last.map { "\(place($0))" } : nil)
    }

    /// `{"items": […]}`, all of them.
    static func list<Value>(_ values: [Value], _ shape: Shape<Value>) -> Answer {
        .json(["items": .array(values.map(shape.json))])
    }
}

extension Schema {
    static func page<Value>(of shape: Shape<Value>) -> Schema { page(of: shape.schema) }

    /// What `Answer.list` gives.
    static func list<Value>(of shape: Shape<Value>) -> Schema {
        .object([Field("items", .array(of: shape.schema))])
    }

    /// What `Answer.page` gives.
    public static func page(of item: Schema) -> Schema {
        .object([
            Field("items", .array(of: item, 0...500)),
            Field("next", .string(1...500), "The `cursor` of the next page; null on the last", nullable: true),
        ])
    }
}

/// Base64url without padding (RFC 4648, section 5), so that nobody builds cursors by hand.
enum Cursor {
    static func encode(_ text: String) -> String {
        Data(text.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing(
            "=", with: "")
    }

    static func decode(_ cursor: String) throws -> String {
        let standard = cursor.replacing("-", with: "+").replacing("_", with: "/")
        let padding = String(repeating: "=", count: (4 - standard.utf8.count % 4) % 4)
        guard let data = Data(base64Encoded: standard + padding), let text = String(validating: data, as: UTF8.self),
            !text.utf8.contains(0)
        else { throw unknown }
        return text
    }

    /// What the cursor of an answer before tells; nil for the beginning.
    static func place<Place>(_ text: String?, _ read: (String) -> Place?) throws -> Place? {
        guard let text else { return nil }
        guard let place = read(text) else { throw unknown }
        return place
    }

    private static let unknown = Refusal(
        .invalid, "not-a-cursor", field: "cursor", zh: "cursor 不是先前答复中的 next",
        en: "the cursor is not `next` of an answer before")
}
