import Database
import Foundation
import Kernel
import Logging
import Telemetry

/// The ways by which messages leave.
public struct MessageWays: Sendable {
    public let mail: MailServer?
    public let webhook: Webhook?

    public init(mail: MailServer?, webhook: Webhook?) {
        self.mail = mail
        self.webhook = webhook
    }

    /// Whether there is none: then there is nobody to send to.
    public var isEmpty: Bool { mail == nil && webhook == nil }

    /// Each way has senders of its own, so that none waits for another's server.
    public var lanes: [MessageLane] {
        guard mail != nil, webhook != nil else { return [.all] }
        return [.withAddress, .withoutAddress]
    }
}

/// Sends what is due in the outbox: at least once, each by one way. Several may run at once, in several processes.
public struct MessageSender: Sendable {
    /// What a round of sending came to.
    public struct Tally: Sendable, Hashable {
        public var sent = 0
        /// To be tried again.
        public var failed = 0
        public var givenUp = 0
        /// Pointless by now, and so not sent.
        public var overtaken = 0
        /// To nobody whom our ways reach.
        public var noAddress = 0

        public var sum: Int { sent + failed + givenUp + overtaken + noAddress }

        static func + (one: Tally, other: Tally) -> Tally {
            Tally(
                sent: one.sent + other.sent, failed: one.failed + other.failed,
                givenUp: one.givenUp + other.givenUp, overtaken: one.overtaken + other.overtaken,
                noAddress: one.noAddress + other.noAddress)
        }
    }

    let store: MessageStore
    let scope: Scope
    let clock: WallClock
    private let brand: String
    private let source: any MessageSource
    public let ways: MessageWays
    private let perDay: Int
    /// How long a server may take to take a message; well within `MessageRules.lease`.
    private let patience: Duration
    private let logger: Logger

    /// - Parameters:
    ///   - brand: who writes, as mails say beside the sender's address.
    ///   - source: whose messages they are.
    ///   - perDay: how many one address gets within 24 hours at most; 0 for any number.
    public init(
        _ database: Database, village: Int, brand: String, source: any MessageSource, ways: MessageWays,
        perDay: Int = MessageRules.perDay, clock: WallClock, patience: Duration = MessageRules.patience,
        logger: Logger = .silent
    ) {
        store = MessageStore(database)
        scope = Scope(village: village, cooperative: nil, actor: "messages")
        self.brand = brand
        self.source = source
        self.ways = ways
        self.perDay = perDay
        self.clock = clock
        self.patience = patience
        self.logger = logger
    }

    /// Puts in what is due by the clock alone, such as reminders.
    /// - Returns: how many.
    public func putDue() async throws -> Int {
        try await source.putDue(now: clock.now(), today: clock.today)
    }

    /// Puts in what is due by the clock, and sends all that is due now.
    public func sendDue() async throws -> Tally {
        _ = try await putDue()
        return try await withThrowingTaskGroup { group in
            for lane in ways.lanes { group.addTask { try await sendDue(lane) } }
            return try await group.reduce(Tally(), +)
        }
    }

    enum Handled: String {
        case sent, again, overtaken
        case givenUp = "given_up"
        case noAddress = "no_address"
    }

    func handle(_ message: OutgoingMessage) async throws -> Handled {
        let isOver = message.isSuperseded || message.until.map { $0 <= clock.now() } ?? false
        var isPointless = isOver
        if !isPointless { isPointless = try await source.isOvertaken(message) }
        if isPointless {
            return try await leave(message, why: MessageRules.overtaken, .overtaken)
        }
        guard try await mayGoToday(message) else { return try await giveUp(message, why: MessageRules.tooMany) }
        guard let text = try? source.text(message, today: clock.today) else {
            return try await giveUp(message, why: MessageRules.unreadable)
        }
        guard let curl = try way(message, text) else {
            return try await leave(message, why: MessageRules.noAddress, .noAddress)
        }
        switch await curl.run(within: patience) {
        case .sent:
            try await store.markSent(message.id, now: clock.now(), scope)
            return .sent
        case .failed(let why, let forGood):
            guard !forGood, message.attempts < MessageRules.attempts else {
                return try await giveUp(message, why: why, forGood: forGood)
            }
            let now = clock.now()
            let wait = MessageRules.wait(after: message.attempts, chance: .random(in: 0...1))
            try await store.markFailed(message.id, why: why, again: now.addingTimeInterval(wait), now: now, scope)
            return .again
        }
    }

    private func mayGoToday(_ message: OutgoingMessage) async throws -> Bool {
        guard perDay > 0 else { return true }
        return try await store.goneCount(toWhomGets: message, now: clock.now(), scope) < perDay
    }

    /// Ends a message that nobody misses.
    private func leave(_ message: OutgoingMessage, why: String, _ handled: Handled) async throws -> Handled {
        try await store.markFailed(message.id, why: why, again: nil, now: clock.now(), scope)
        return handled
    }

    private func giveUp(_ message: OutgoingMessage, why: String, forGood: Bool = false) async throws -> Handled {
        try await store.markFailed(message.id, why: why, forGood: forGood, again: nil, now: clock.now(), scope)
        logger.warning(
            "a message was given up",
            metadata: ["number": "\(message.id)", "kind": "\(message.kind)", "why": "\(why)"])
        return .givenUp
    }

    /// By mail where there is an address and a server, otherwise by the webhook: one way only, since a message that
    /// went one of two ways could not be tried again without going that way twice.
    private func way(_ message: OutgoingMessage, _ text: MessageText) throws -> Curl? {
        let identity = MessageIdentity.text(message)
        if let server = ways.mail, let address = message.email.flatMap(MailServer.address) {
            let mail = Mail(
                text, to: address, from: server.from, name: brand, identity: identity, at: clock.now())
            return .mail(mail, to: address, through: server)
        }
        guard let webhook = ways.webhook else { return nil }
        return .post(try Webhook.body(message, text, identity: identity), identity: identity, to: webhook)
    }
}
