import NIOHTTP1

/// What the fields of a head say of the connection, found in one pass.
struct HeadFields {
    let isUnambiguous: Bool
    let isKeptAlive: Bool
    let expectsContinue: Bool

    init(_ head: HTTPRequestHead) {
        var hosts = 0
        var isFramed = false
        var isCoded = false
        var expects = false
        for (name, value) in head.headers {
            switch name.utf8.count {
            case 4 where name.lowercased() == "host": hosts += 1
            case 6 where name.lowercased() == "expect": expects = value.lowercased() == "100-continue"
            case 17 where name.lowercased() == "transfer-encoding":
                isFramed = true
                // Nothing else is undone on the way to an endpoint.
                if value.lowercased() != "chunked" { isCoded = true }
            default: break
            }
        }
        let isOld = head.version != .http1_1
        // RFC 9112, sections 3.2 and 6.1.
        isUnambiguous = hosts <= 1 && !isCoded && !(isOld && isFramed)
        isKeptAlive = !isOld && head.isKeepAlive
        expectsContinue = expects && !isOld
    }
}
