import NIOCore

/// Ends a connection so that its client can read the last answer: sends it all, says that nothing follows, takes a little of
/// what the client still sends, and closes. Closing at once would reset the connection before the answer is read.
final class LingeringClose: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let patience: Patience
    private var drained = 0
    private var isSent = false

    init(_ patience: Patience) {
        self.patience = patience
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let (channel, farewell) = (context.channel, patience.farewell)
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { [self] _ in
            isSent = true
            context.close(mode: .output, promise: nil)
            channel.eventLoop.scheduleTask(in: farewell) { channel.close(promise: nil) }
        }
        // Behind all that has been written before.
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: sent)
        // A few bytes at a time, so that little more than the limit is taken.
        try? channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        drained += unwrapInboundIn(data).readableBytes
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if drained < patience.farewellBytes { context.read() }
    }

    /// Nobody else reads any more.
    func read(context: ChannelHandlerContext) {}

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if isSent, case .inputClosed? = event as? ChannelEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}
