import Kernel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How the descriptors that the system allows are shared out: a server that has none left can neither accept nor refuse.
struct Descriptors {
    /// How many the process may have.
    let limit: Int

    /// As many as the process may have at most, from now on.
    static func raised() -> Descriptors {
        var limits = rlimit()
        guard getrlimit(resource, &limits) == 0 else { return Descriptors(limit: 1024) }
        let wanted = min(limits.rlim_max, 65_536)
        if limits.rlim_cur < wanted {
            var raised = limits
            raised.rlim_cur = wanted
            if setrlimit(resource, &raised) == 0 { limits = raised }
        }
        return Descriptors(limit: Int(min(limits.rlim_cur, 65_536)))
    }

    /// How many connections there is room for beside the database's, the files' and those that are being refused.
    /// - Parameter pool: how many connections to the database there are at most.
    /// - Throws: a `Refusal` where there is no room to serve.
    func connections(beside pool: Int) throws -> Int {
        // Cancelling a statement takes one more of each connection.
        let kept = 64 + 2 * pool
        let connections = (limit - kept) * 2 / 3
        guard connections >= 16 else {
            throw Refusal(
                .unavailable, "too-few-descriptors", field: "TAOYUAN_POOL_SIZE",
                zh: "系统只允许打开 \(limit) 个文件，至少要 \(kept + 24) 个：请提高 ulimit -n，或减小 TAOYUAN_POOL_SIZE",
                en: "the system allows \(limit) open files and \(kept + 24) are needed: raise ulimit -n or lower "
                    + "TAOYUAN_POOL_SIZE")
        }
        return connections
    }

    #if canImport(Glibc)
        private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
        private static let resource = RLIMIT_NOFILE
    #endif
}
