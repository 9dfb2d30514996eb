import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// HTTP/1.1 as Hummingbird serves it, on connections that are kept within their bounds.
struct BoundedChannel: HTTPChannelHandler {
    struct Value: ServerChildChannelValue {
        let requests: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
        /// nil is refused.
        let connection: ClientConnection?
        var channel: any Channel { requests.channel }
    }

    let responder: HTTPChannelHandler.Responder
    let connections: Connections
    let patience: Patience

    /// A future that fails would end the whole server, so that what is refused gets its pipeline too.
    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            // What a slow client has not taken yet is to wait with us, where it is seen, rather than in the system.
            try? channel.syncOptions?.setOption(
                ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: TCP_NOTSENT_LOWAT)), value: 131_072
            )
            let connection = connections.admit(channel)
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false)
            try pipeline.addHandler(ConnectionHandler(connection, patience))
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
            let requests = try NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
            return Value(requests: requests, connection: connection)
        }
    }

    func handle(value: Value, logger: Logger) async {
        guard let connection = value.connection else {
            return await handleHTTP(asyncChannel: value.requests, logger: logger)
        }
        await connection.run { await handleHTTP(asyncChannel: value.requests, logger: logger) }
    }
}
