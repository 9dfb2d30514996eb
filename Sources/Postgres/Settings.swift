import CPostgres

/// Where and as whom to connect.
public struct Settings: Sendable, CustomStringConvertible, CustomReflectable {
    /// A name, an address, or the folder of a Unix socket.
    public var host: String?
    public var port: Int?
    public var user: String?
    public var password: String?
    public var database: String?
    /// Command-line options for the session, such as `-c role=reader`.
    public var options: String?
    /// The name by which `pg_stat_activity` shows the connections.
    public var applicationName: String?
    public var connectTimeout: Duration = .seconds(10)
    /// Further parameters of libpq, such as `sslmode`.
    public var parameters: [String: String] = [:]
    /// By which setting of the program they were given, such as `DATABASE_URL`: for whoever has to put it right.
    public var setting: String?

    public init(
        host: String? = nil, port: Int? = nil, user: String? = nil, password: String? = nil, database: String? = nil,
        options: String? = nil, applicationName: String? = nil
    ) {
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.database = database
        self.options = options
        self.applicationName = applicationName
    }

    /// Reads `postgres://user:password@host:port/database?parameter=value` as libpq does, or `key=value` pairs.
    /// - Throws: a `PostgresError` of kind `cannotConnect`, which does not quote the text: a password may be in it.
    public init(url: String) throws {
        let unreadable = PostgresError(.cannotConnect, "the connection URL cannot be read")
        guard Self.isPlain(url), let list = PQconninfoParse(url, nil) else { throw unreadable }
        defer { PQconninfoFree(list) }
        var option = list
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { set(String(cString: keyword), to: String(cString: value)) }
            option += 1
        }
        // Several hosts have several.
        let ports = parameters["port"]?.split(separator: ",", omittingEmptySubsequences: false) ?? []
        guard ports.allSatisfy({ $0.isEmpty || UInt16($0) != nil }) else { throw unreadable }
    }

    /// Whether nothing of a password can be taken for a host or port, and then be told in an error: libpq ends the user and
    /// password of a URL at the first `/` or `@`.
    private static func isPlain(_ url: String) -> Bool {
        guard let scheme = ["postgres://", "postgresql://"].first(where: url.hasPrefix) else { return true }
        let parts = url.dropFirst(scheme.count).split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 1 || parts.count == 2 && !parts[0].contains("/")
    }

    private mutating func set(_ keyword: String, to value: String) {
        switch keyword {
        case "host": host = value
        case "port" where Int(value) != nil: port = Int(value)
        case "user": user = value
        case "password": password = value
        case "dbname": database = value
        case "options": options = value
        case "application_name": applicationName = value
        case "connect_timeout" where Int(value) ?? 0 > 0: connectTimeout = .seconds(Int(value) ?? 0)
        default: parameters[keyword] = value
        }
    }

    /// What a session relies on. Every login may change such defaults for itself, and for whoever logs in so after it: they
    /// must not end our statements, nor let us say of something that it is recorded before it is.
    /// Compiling statements takes the server longer than it saves: a sixth of the time of listing a million rows. A server
    /// that spreads its tables over others (Citus) hands on to them what is set for a transaction; others ignore it.
    private static let reliedOn = [
        "timezone=UTC", "datestyle=ISO,YMD", "bytea_output=hex", "search_path=public", "row_security=on",
        "default_transaction_read_only=off", "default_transaction_isolation=read\\ committed", "jit=off",
        "statement_timeout=0", "lock_timeout=0", "idle_in_transaction_session_timeout=0", "idle_session_timeout=0",
        "synchronous_commit=on", "standard_conforming_strings=on", "array_nulls=on",
        "citus.propagate_set_commands=local",
    ]

    /// The parameters for libpq; the session speaks UTF-8, UTC and ISO dates unless `options` say otherwise.
    func connectionParameters(statementTimeout: Duration?) -> [(keyword: String, value: String)] {
        var all: [String: String] = ["keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"]
        all.merge(parameters) { _, given in given }
        all["host"] = host
        all["port"] = port.map { String($0) } ?? all["port"]
        all["user"] = user
        all["password"] = password
        all["dbname"] = database
        all["application_name"] = applicationName
        all["client_encoding"] = "UTF8"
        var words = Self.reliedOn.map { "-c " + $0 }
        if let statementTimeout { words.append("-c statement_timeout=\(max(1, statementTimeout.milliseconds))") }
        if let options { words.append(options) }
        all["options"] = words.joined(separator: " ")
        return all.map { (keyword: $0.key, value: $0.value) }
    }

    /// The same for a session whose statements wait so long for what others have locked.
    func waitingForLocks(_ time: Duration) -> Settings {
        var settings = self
        settings.options = "-c lock_timeout=\(max(1, time.milliseconds))" + (options.map { " " + $0 } ?? "")
        return settings
    }

    /// The same for one of PostgreSQL's own programs, without the password: others may see its arguments.
    public var connectionString: String {
        var all = parameters
        all["host"] = host
        all["port"] = port.map { String($0) } ?? all["port"]
        all["user"] = user
        all["dbname"] = database
        all["options"] = options
        return all.sorted { $0.key < $1.key }.map { keyword, value in
            let escaped = value.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
            return "\(keyword)='\(escaped)'"
        }.joined(separator: " ")
    }

    /// Host, port, user and database; never the password.
    public var description: String {
        let address = (host ?? "default host") + (port.map { ":\($0)" } ?? "")
        return "\(user ?? "default user") at \(address), database \(database ?? "of the same name")"
    }

    public var customMirror: Mirror {
        Mirror(self, children: ["settings": description])
    }
}

extension Duration {
    var milliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
