import HTTPTypes
import Kernel
import NIOCore
import NIOHTTP1

extension Refusal {
    /// The whole answer to a request that no endpoint answers, and with it the connection's last.
    func answer(to request: HTTPRequestHead?) -> (head: HTTPResponseHead, body: ByteBuffer) {
        let query = request?.uri.split(separator: "?", maxSplits: 1).dropFirst().first
        let language = Language(
            query: query.map(String.init), acceptLanguage: request?.headers.first(name: "Accept-Language"))
        var problem = Problem(self, language: language)
        // One of ours is known to the log alone.
        problem.requestID = RequestID.given { request?.headers.first(name: $0.rawName) }
        let body = ByteBuffer(bytes: problem.document.bytes)
        var head = HTTPResponseHead(
            version: .http1_1, status: .init(statusCode: problem.status.code),
            headers: [
                "Content-Type": "application/problem+json", "Content-Length": "\(body.readableBytes)",
                "Cache-Control": "no-store", "Connection": "close",
            ])
        for field in problem.headers { head.headers.add(name: field.name.rawName, value: field.value) }
        if let id = problem.requestID { head.headers.add(name: HTTPField.Name.requestID.rawName, value: id) }
        return (head, body)
    }
}
