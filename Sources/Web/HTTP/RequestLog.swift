import HTTPTypes
import Hummingbird
import Logging
import Synchronization
import Telemetry

/// Tells of every request: a line of the log, its count and its time, and the id under which it is found again.
///
/// Nothing in it is the caller's but the id: no path or query, no token, no address, no body.
struct RequestLog {
    private let logger: Logger
    /// Where lines are written without more ado, because every request has one.
    private let lines: LineLog?
    private let other = RouteMeasure(method: "other", route: "none")

    init(_ logger: Logger) {
        self.logger = logger
        lines = logger.handler as? LineLog
    }

    func handle(
        _ request: Request, context: WebContext, next: (WebContext) async throws -> Response
    ) async throws -> Response {
        let begin = ContinuousClock.now
        let record = RequestRecord(id: RequestID.of(request.headers))
        var context = context
        context.record = record
        do {
            var response = try await next(context)
            response.headers[.requestID] = record.id
            tell(request.method, context, record, status: response.status.code, since: begin)
            return response
        } catch {
            // What only Hummingbird can answer, by closing the connection.
            tell(request.method, context, record, status: 400, since: begin)
            throw error
        }
    }

    private func tell(
        _ method: HTTPRequest.Method, _ context: WebContext, _ record: RequestRecord, status: Int,
        since begin: ContinuousClock.Instant
    ) {
        let time = (ContinuousClock.now - begin).components
        let nanoseconds = time.seconds * 1_000_000_000 + time.attoseconds / 1_000_000_000
        (context.route?.measure ?? other).answered(status: status, nanoseconds: nanoseconds)
        let (village, role, code) = record.facts
        let level = Self.level(status: status, code: code)
        guard level >= logger.logLevel else { return }
        let route = context.route?.path ?? "none"
        let methodName = Edge.methods.contains(method) ? method.rawValue : "other"
        if let lines {
            lines.write(level, "request") { line in
                line.add("method", methodName)
                line.add("route", route)
                line.add("status", status)
                line.add("ms", milliseconds: nanoseconds)
                line.add("id", record.id)
                if let village { line.add("village", village) }
                if let role { line.add("role", role) }
                if let code { line.add("code", code) }
            }
        } else {
            logger.log(
                level: level, "request",
                metadata: [
                    "method": "\(methodName)", "route": "\(route)", "status": "\(status)",
                    "ms": "\(nanoseconds / 1_000_000)", "id": "\(record.id)",
                    "village": "\(village.map { "\($0)" } ?? "")", "role": "\(role ?? "")", "code": "\(code ?? "")",
                ])
        }
    }

    /// What is worth a look stands out: faults of ours, sign-ins that failed, limits that were hit.
    private static func level(status: Int, code: String?) -> Logger.Level {
        switch (status, code) {
        case (500, _): .warning
        case (429, _), (_, "wrong-password"?): .notice
        default: .info
        }
    }
}

/// What becomes known of a request while it is answered.
final class RequestRecord: Sendable {
    let id: String
    private let known = Mutex<(village: Int?, role: String?, code: String?)>((nil, nil, nil))

    init(id: String) {
        self.id = id
    }

    var facts: (village: Int?, role: String?, code: String?) { known.withLock { $0 } }

    func isFor(_ village: Int?) { known.withLock { $0.village = village } }

    func isCalled(by role: String) { known.withLock { $0.role = role } }

    func isRefused(as code: String) { known.withLock { $0.code = code } }
}

/// The id of a request: the caller's or its proxy's own, if it is a plain one, and otherwise one of ours.
enum RequestID {
    /// Tells this process from others and from itself before it was started anew.
    private static let process = UInt32.random(in: 0..<1 << 28)
    private static let count = Atomic<UInt32>(0)

    static func of(_ headers: HTTPFields) -> String { given { headers[$0] } ?? made() }

    /// The caller's or its proxy's own.
    /// - Parameter field: gives a header field of the request.
    static func given(_ field: (HTTPField.Name) -> String?) -> String? {
        if let given = field(.requestID), (1...64).contains(given.utf8.count), given.utf8.allSatisfy(isPlain) {
            return given
        }
        return field(.traceparent).flatMap(traceID)
    }

    /// The id of a trace (W3C Trace Context, section 3.2): version, trace, parent and flags in hexadecimal.
    private static func traceID(_ field: String) -> String? {
        let parts = field.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0].count == 2, parts[1].count == 32, parts[2].count == 16,
            parts[1].allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }),
            !parts[1].allSatisfy({ $0 == UInt8(ascii: "0") })
        else { return nil }
        return String(Substring(parts[1]))
    }

    /// Fifteen characters: a string that needs no memory of its own.
    private static func made() -> String {
        let number = UInt64(process) << 32 | UInt64(count.wrappingAdd(1, ordering: .relaxed).newValue)
        return String(unsafeUninitializedCapacity: 15) { bytes in
            for place in 0..<15 {
                let digit = UInt8(number >> (4 * UInt64(14 - place)) & 15)
                bytes[place] = digit < 10 ? 0x30 + digit : 0x57 + digit
            }
            return 15
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
    }
}

extension HTTPField.Name {
    static let requestID = ours("X-Request-Id")
    static let traceparent = ours("traceparent")
}
