import CPostgres
import Foundation

/// Owns a `PGconn`.
struct ConnectionHandle: ~Copyable {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        PQfinish(pointer)
    }
}

/// A connection as blocking calls, for one thread.
///
/// The socket is non-blocking and every wait is a `poll` of our own, so that a wait has an end and a long pipeline is
/// read while it is still being written; both sides would otherwise wait for each other with full buffers.
final class Wire {
    private let handle: ConnectionHandle
    private let canceller: Canceller
    var connection: OpaquePointer { handle.pointer }
    var statements = StatementCache()
    var parameters = ParameterBlock()
    /// How long the server may be silent in the middle of an answer; nil is for ever.
    var patience: Duration?
    /// Whether a COPY is under way, during which nothing else can be sent.
    var isCopying = false
    /// Whether a COPY from the server has handed over its last row, but not yet its result.
    var isCopyRead = false
    private(set) var isBroken = false

    /// Connects.
    /// - Throws: a `PostgresError` of kind `cannotConnect`.
    init(
        _ settings: Settings, statementTimeout: Duration?, deadline: ContinuousClock.Instant, canceller: Canceller
    ) throws {
        let parameters = settings.connectionParameters(statementTimeout: statementTimeout)
        guard !parameters.contains(where: { $0.value.utf8.contains(0) }) else {
            throw PostgresError(.cannotConnect, "a connection parameter contains a zero byte")
        }
        let start = Wire.withCStrings(parameters.map(\.keyword)) { keywords in
            Wire.withCStrings(parameters.map(\.value)) { values in PQconnectStartParams(keywords, values, 0) }
        }
        guard let start else { throw PostgresError(.cannotConnect, "out of memory") }
        handle = ConnectionHandle(start)
        self.canceller = canceller
        patience = statementTimeout
        PQsetNoticeProcessor(start, { _, _ in }, nil)
        var state = PQstatus(start) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING
        while state == PGRES_POLLING_READING || state == PGRES_POLLING_WRITING {
            try Task.checkCancellation()
            guard ContinuousClock.now < deadline else {
                throw PostgresError(.cannotConnect, "connecting to \(settings) took too long")
            }
            // In slices, because nothing else wakes this wait when the task is cancelled.
            let slice = min(Duration.milliseconds(100), ContinuousClock.now.duration(to: deadline))
            if poll(for: state == PGRES_POLLING_READING ? POLLIN : POLLOUT, slice) { state = PQconnectPoll(start) }
        }
        guard state == PGRES_POLLING_OK, PQsetnonblocking(start, 1) == 0, PQenterPipelineMode(start) == 1 else {
            let words = String(cString: PQerrorMessage(start)).trimmingCharacters(in: .newlines)
            throw PostgresError(.cannotConnect, Self.withoutSettings(words))
        }
        canceller.attach(self)
    }

    /// What libpq says before it has reached a server quotes the settings, and something secret may have strayed into those.
    static func withoutSettings(_ words: String) -> String {
        words.split(separator: "\n").map { line in
            guard !line.hasPrefix("connection to server"), let first = line.firstIndex(of: "\""),
                let last = line.lastIndex(of: "\"")
            else { return String(line) }
            return line[..<first] + "…" + line[last...].dropFirst()
        }.joined(separator: "\n")
    }

    var socket: Int32 { PQsocket(connection) }

    /// Whether no transaction is open, no COPY under way and the connection whole.
    var isIdle: Bool { !isBroken && !isCopying && PQtransactionStatus(connection) == PQTRANS_IDLE }

    /// Waits until the next result is there; nil is the end of a statement's results.
    func nextResult() throws -> OpaquePointer? {
        while PQisBusy(connection) == 1 {
            guard try exchange() else { break }
        }
        return PQgetResult(connection)
    }

    /// Sends what is unsent and reads what has come, and waits until one of both is possible.
    /// - Returns: false when the connection is lost; libpq then has its last words as a result.
    func exchange() throws -> Bool {
        try exchange(unsent: PQflush(connection) == 1)
    }

    /// - Parameter unsent: what the last `PQflush` told. In the middle of a COPY to the server it must not be asked again:
    ///   if all went out meanwhile, there is nothing to wait for.
    func exchange(unsent: Bool) throws -> Bool {
        guard poll(for: unsent ? POLLIN | POLLOUT : POLLIN, patience.map { $0 + .seconds(5) }) else {
            isBroken = true
            throw PostgresError(.deadline, "the server has been silent for too long")
        }
        return PQconsumeInput(connection) == 1
    }

    /// Turns a failed result into an error, and notes when the connection went with it.
    func failure(_ result: borrowing ResultHandle, isScript: Bool = false) -> PostgresError {
        let error = PostgresError(result, isScript: isScript, wasCancelled: canceller.wasRequested)
        if error.kind == .connectionLost || PQstatus(connection) == CONNECTION_BAD { isBroken = true }
        return error
    }

    /// The error for a call that libpq itself refused; what was sent before it is unknown, so the connection is over.
    func lost() -> PostgresError {
        isBroken = true
        return PostgresError(.connectionLost, "the connection to the server was lost")
    }

    /// Waits for notifications, without end.
    func notifications() throws -> [(channel: String, payload: String)] {
        var notifications: [(channel: String, payload: String)] = []
        while true {
            while let notification = PQnotifies(connection) {
                let (channel, payload) = (notification.pointee.relname, notification.pointee.extra)
                if let channel, let payload {
                    notifications.append((String(cString: channel), String(cString: payload)))
                }
                PQfreemem(notification)
            }
            if !notifications.isEmpty { return notifications }
            guard poll(for: POLLIN, nil), PQconsumeInput(connection) == 1 else { throw lost() }
        }
    }

    /// - Returns: false when the time is over; nil waits for ever.
    private func poll(for events: Int32, _ timeout: Duration?) -> Bool {
        let end = timeout.map { ContinuousClock.now + $0 }
        var descriptor = pollfd(fd: socket, events: Int16(events), revents: 0)
        while true {
            let left = end.map { max(0, ContinuousClock.now.duration(to: $0).milliseconds + ($0 > .now ? 1 : 0)) } ?? -1
            let count = Foundation.poll(&descriptor, 1, Int32(clamping: left))
            if count > 0 { return true }
            // A signal may interrupt the wait; any other error is for the next call of libpq to report.
            if count < 0, errno != EINTR { return true }
            if count == 0 { return false }
        }
    }

    private static func withCStrings<Answer>(
        _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Answer
    ) -> Answer {
        let copies = strings.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        return (copies.map { $0.map { UnsafePointer($0) } } + [nil]).withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
