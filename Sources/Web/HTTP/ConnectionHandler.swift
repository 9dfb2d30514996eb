import HTTPTypes
import Kernel
import NIOCore
import NIOHTTP1

/// Keeps one connection within its bounds: refuses heads that can be understood in two ways, leaves whoever is silent or
/// slow for too long, and ends the connection behind an answer that came before the whole request.
final class ConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// The body is about to be read: whoever waits to be told so may send it.
    struct Continuation: Sendable {}

    /// Succeeds as soon as the client has taken enough of the answers before for another one.
    struct Room: Sendable {}

    /// The request that is being answered may take so long.
    struct Extension: Sendable {
        let patience: TimeAmount
    }

    /// Requests that one client may send before it has an answer; the connection ends with the last of these.
    private static let pipelined = 64

    /// nil is refused.
    private let connection: ClientConnection?
    private let patience: Patience

    private var request: HTTPRequestHead?
    /// Requests that have begun to come, and whose answer has not been written to its end.
    private var unanswered = 0
    private var hasAnswered = false
    /// Whether the last of them has not come to its end.
    private var isBodyOpen = false
    private var expectsContinue = false
    /// Whether no other request is taken.
    private var isLast = false
    private var isReading = false
    private var isAnswering = false
    /// Whether all that is left is to send what was written.
    private var isOver = false

    private var deadline: TimeAmount
    /// When something was last done for the request, by either side.
    private var mark = NIODeadline.now()
    private var received = 0
    private var sent = 0
    private var arrival = Flow()
    private var departure = Flow()
    /// How much had been sent when it was looked at last and nothing older was left: what the client has not taken is no
    /// older.
    private var backlog = (sent: 0, since: NIODeadline.now())
    /// Whoever waits for the client to take what was sent.
    private var room: EventLoopPromise<Void>?
    private var check: Scheduled<Void>?

    init(_ connection: ClientConnection?, _ patience: Patience) {
        self.connection = connection
        self.patience = patience
        deadline = patience.answer
    }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        guard connection != nil else {
            return turnAway(context)
        }
        mark = .now()
        schedule(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        check?.cancel()
        room?.succeed()
        room = nil
        if unanswered > 0, let connection {
            context.eventLoop.scheduleTask(in: patience.orphan) { connection.cancel() }
        }
        context.fireChannelInactive()
    }

    // MARK: What comes

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            guard !isLast else { return }
            let fields = HeadFields(head)
            guard fields.isUnambiguous else {
                isLast = true
                return context.fireErrorCaught(HTTPParserError.unknown)
            }
            request = head
            unanswered += 1
            isBodyOpen = true
            isLast = !fields.isKeptAlive || unanswered >= Self.pipelined
            expectsContinue = fields.expectsContinue
            mark = .now()
            arrival.restart(received, at: mark)
            connection?.wait(since: mark)
        case .body(let bytes):
            guard isBodyOpen else { return }
            received += bytes.readableBytes
            mark = .now()
            // Only who sends nothing more is waited for.
            connection?.wait(since: mark)
        case .end:
            guard isBodyOpen else { return }
            isBodyOpen = false
            mark = .now()
            if context.channel.isWritable { connection?.work() }
        }
        context.fireChannelRead(data)
    }

    func read(context: ChannelHandlerContext) {
        isReading = true
        context.read()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        isLast = true
        context.fireErrorCaught(error)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ChannelShouldQuiesceEvent || event is Connections.Dismissal else {
            return context.fireUserInboundEventTriggered(event)
        }
        isLast = true
        let isDismissed = event is Connections.Dismissal
        let hasUnsent = unsent(context) > 0
        if isDismissed, hasUnsent { return abandon(context) }
        guard !isOver else { return }
        if unanswered == 0 {
            if hasUnsent { end(context) } else { context.close(promise: nil) }
        } else if isDismissed, unanswered == 1, isBodyOpen, !isAnswering {
            turnAway(context)
        }
    }

    // MARK: What goes

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !isOver else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(var head):
            isAnswering = true
            // Only the last of several requests can be on its way still.
            if unanswered <= 1, isBodyOpen { isLast = true }
            guard unanswered <= 1, isLast else { return context.write(data, promise: promise) }
            head.headers.replaceOrAdd(name: "Connection", value: "close")
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body(let bytes):
            sent += bytes.readableBytes
            mark = .now()
            context.write(data, promise: promise)
        case .end:
            isAnswering = false
            hasAnswered = true
            unanswered = max(0, unanswered - 1)
            deadline = patience.answer
            mark = .now()
            context.write(data, promise: promise)
            guard unanswered == 0 else { return }
            connection?.wait(since: mark)
            if isLast { end(context) }
        }
    }

    /// Hummingbird has no more to say.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output else { return context.close(mode: mode, promise: promise) }
        end(context)
        promise?.succeed()
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        switch event {
        case is Continuation:
            if expectsContinue, isBodyOpen, unanswered == 1, !isOver {
                let head = HTTPResponseHead(version: .http1_1, status: .continue)
                context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
            }
            expectsContinue = false
            promise?.succeed()
        case is Room:
            if context.channel.isWritable || !context.channel.isActive { promise?.succeed() } else { room = promise }
        case let longer as Extension:
            deadline = longer.patience
            promise?.succeed()
        default: context.triggerUserOutboundEvent(event, promise: promise)
        }
    }

    /// A client that does not take what it asked for is waited for, although it has sent a whole request.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let isWritable = context.channel.isWritable
        if unanswered > 0, !isBodyOpen {
            if isWritable { connection?.work() } else { connection?.wait(since: .now()) }
        }
        if isWritable {
            room?.succeed()
            room = nil
        }
        context.fireChannelWritabilityChanged()
    }

    private func end(_ context: ChannelHandlerContext) {
        guard !isOver else { return }
        isOver = true
        isBodyOpen = false
        unanswered = 0
        do {
            try context.pipeline.syncOperations.addHandler(LingeringClose(patience), position: .first)
        } catch {
            context.close(promise: nil)
        }
    }

    // MARK: Who keeps the other waiting

    private func schedule(_ context: ChannelHandlerContext) {
        check = context.eventLoop.assumeIsolated().scheduleTask(in: patience.interval) { [self] in
            look(context, at: .now())
            if context.channel.isActive { schedule(context) }
        }
    }

    private func look(_ context: ChannelHandlerContext, at now: NIODeadline) {
        let unsent = unsent(context)
        if unsent > 0 {
            if departure.isStalled(sent - unsent, at: now, patience) { return abandon(context) }
            if sent - unsent >= backlog.sent { backlog = (sent, now) }
            connection?.wait(since: backlog.since)
            // Nobody waits for us meanwhile.
            mark = now
            return
        }
        departure.restart(sent, at: now)
        backlog = (sent, now)
        if isOver { return }
        if unanswered == 0 {
            connection?.wait(since: mark)
            if now - mark >= (hasAnswered ? patience.idle : patience.head) { context.close(promise: nil) }
        } else if isBodyOpen, isReading, !isAnswering {
            if arrival.isStalled(received, at: now, patience) { give(up: .bodyTooSlow, context) }
        } else {
            // What we do not read, the client cannot send.
            arrival.restart(received, at: now)
            if !isBodyOpen { connection?.work() }
            if now - mark >= deadline { give(up: .tookTooLong, context) }
        }
    }

    private func unsent(_ context: ChannelHandlerContext) -> Int {
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    private func give(up refusal: Refusal, _ context: ChannelHandlerContext) {
        guard !isAnswering else { return abandon(context) }
        answer(refusal, context)
        end(context)
        connection?.cancel()
    }

    /// At once, because whoever is waited for takes up room.
    private func turnAway(_ context: ChannelHandlerContext) {
        answer(.crowded, context)
        abandon(context)
    }

    private func abandon(_ context: ChannelHandlerContext) {
        context.close(promise: nil)
        connection?.cancel()
    }

    private func answer(_ refusal: Refusal, _ context: ChannelHandlerContext) {
        let (head, body) = refusal.answer(to: request)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}
