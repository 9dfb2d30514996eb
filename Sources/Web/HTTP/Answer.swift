import Documents
import HTTPTypes
import Hummingbird
import Kernel
import NIOCore

/// What an endpoint answers; the fields that every answer carries are added on its way out.
public struct Answer: Sendable {
    public enum Body: Sendable {
        case empty
        case bytes(ByteBuffer)
        /// Written while it is made, such as a large download.
        case stream(ResponseBody)
    }

    public var status: HTTPResponse.Status
    public var contentType: String?
    public var headers: HTTPFields
    public var body: Body

    public init(
        status: HTTPResponse.Status = .ok, contentType: String? = nil, headers: HTTPFields = [:], body: Body = .empty
    ) {
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }

    public static func json(_ value: JSON, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) -> Answer {
        .bytes(value.bytes, "application/json", status: status, headers: headers)
    }

    public static func html(_ text: String, status: HTTPResponse.Status = .ok) -> Answer {
        .bytes(text.utf8, "text/html; charset=utf-8", status: status)
    }

    public static func bytes(
        _ bytes: some Sequence<UInt8>, _ contentType: String, status: HTTPResponse.Status = .ok,
        headers: HTTPFields = [:]
    ) -> Answer {
        Answer(status: status, contentType: contentType, headers: headers, body: .bytes(ByteBuffer(bytes: bytes)))
    }

    public static func created(_ value: JSON, at location: String) -> Answer {
        .json(value, status: .created, headers: [.location: location])
    }

    public static let noContent = Answer(status: .noContent)

    /// The browser goes on to another page, with GET.
    public static func seeOther(_ location: String) -> Answer {
        Answer(status: .seeOther, headers: [.location: location])
    }
}

/// The version of a representation, a strong entity tag (RFC 9110, section 8.8.3).
public struct EntityTag: Sendable, Hashable {
    /// With its quotation marks.
    public let text: String

    /// A tag of the bytes themselves, by 64-bit FNV-1a: it need not withstand an adversary.
    public init(of bytes: some Sequence<UInt8>) {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        text = "\"\(String(hash, radix: 16))\""
    }

    /// A tag of a version that is counted or stamped.
    public init(version: Int64) {
        text = "\"v\(version)\""
    }

    /// Whether a field such as `If-None-Match` names this tag; `weakly`, a `W/` before a tag is passed over.
    func isNamed(in list: String, weakly: Bool) -> Bool {
        list.split(separator: ",").contains { item in
            let item = item.trimmed
            return item == "*" || item == text || weakly && item == "W/" + text
        }
    }
}

extension Answer {
    /// The answer with its tag, by default that of its bytes; 304 without a body when the caller has it already.
    public func tagged(_ tag: EntityTag? = nil, for call: Call) -> Answer {
        var answer = self
        guard let tag = tag ?? bytesTag else { return self }
        answer.headers[.eTag] = tag.text
        guard call.method == .get || call.method == .head,
            call.headers[.ifNoneMatch].map({ tag.isNamed(in: $0, weakly: true) }) ?? false
        else { return answer }
        answer.status = .notModified
        answer.contentType = nil
        answer.body = .empty
        return answer
    }

    private var bytesTag: EntityTag? {
        if case .bytes(let buffer) = body { EntityTag(of: buffer.readableBytesView) } else { nil }
    }
}

extension Call {
    /// Refuses an edit (412) whose `If-Match` names another version than the present one.
    public func requireMatch(_ present: EntityTag) throws {
        guard let list = headers[.ifMatch], !present.isNamed(in: list, weakly: false) else { return }
        throw Refusal(
            .conflict, Problem.changedMeanwhile, zh: "此项在您打开之后已被更改，请重新打开",
            en: "this was changed after you opened it; open it again")
    }
}
