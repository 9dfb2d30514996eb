import Kernel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Why the server cannot listen, as a sentence for whoever started it; nil when it is none of the usual reasons.
func cannotListen(_ code: CInt, settings: ServerSettings) -> Refusal? {
    let port = settings.port
    return switch code {
    case EADDRINUSE:
        Refusal(
            .unavailable, "port-in-use", field: "port", zh: "端口 \(port) 已被其他程序占用",
            en: "port \(port) is taken by another program")
    case EACCES, EPERM:
        Refusal(
            .unavailable, "port-not-permitted", field: "port", zh: "没有权限使用端口 \(port)，请改用 1024 以上的端口",
            en: "no permission for port \(port); take one from 1024 up")
    case EADDRNOTAVAIL: addressNotHere(settings)
    default: nil
    }
}

func addressNotHere(_ settings: ServerSettings) -> Refusal {
    Refusal(
        .unavailable, "address-not-here", field: "host", zh: "本机没有地址 \(settings.host)",
        en: "this machine does not have the address \(settings.host)")
}
