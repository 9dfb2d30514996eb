import Database
import Foundation
import Kernel

/// The ways by which messages leave.
public struct MessageWays: Sendable {
    public let mail: MailServer?
    public let webhook: Webhook?

    public init(mail: MailServer?, webhook: Webhook?) {
        self.mail = mail
        self.webhook = webhook
    }

    /// Without any, messages stay in the outbox untouched.
    public var isEmpty: Bool { mail == nil && webhook == nil }
}

/// Sends what is due in the outbox: at least once, each by one way. Several may run at once, in several processes.
public struct MessageSender: Sendable {
    /// What a round of sending came to.
    public struct Tally: Sendable, Hashable {
        public var sent = 0
        /// To be tried again.
        public var failed = 0
        public var givenUp = 0
    }

    private let store: MessageStore
    private let scope: Scope
    private let brand: String
    private let ways: MessageWays
    private let clock: WallClock

    /// - Parameter brand: whose tours they are, as the messages say.
    public init(_ database: Database, village: Int, brand: String, ways: MessageWays, clock: WallClock) {
        store = MessageStore(database)
        scope = Scope(village: village, cooperative: nil, actor: "messages")
        self.brand = brand
        self.ways = ways
        self.clock = clock
    }

    /// Sends until the task is cancelled; what is on its way then is waited for.
    /// - Parameter report: told of each round that could not be finished, such as without a database.
    public func run(every pause: Duration = .seconds(5), report: @Sendable (any Error) -> Void) async {
        guard !ways.isEmpty else { return }
        while !Task.isCancelled {
            do {
                _ = try await sendDue()
            } catch let error where !(error is CancellationError) {
                report(error)
            } catch {}
            try? await Task.sleep(for: pause)
        }
    }

    /// Puts in the reminders that are due, and sends all that is due now.
    public func sendDue() async throws -> Tally {
        var tally = Tally()
        guard !ways.isEmpty else { return tally }
        try await store.remind(now: clock.now(), today: clock.today, scope)
        while !Task.isCancelled, let notice = try await store.claim(now: clock.now(), scope) {
            // Not cancelled between sending and marking: that would send it once more.
            let outcome = try await Task.detached { try await handle(notice) }.value
            switch outcome {
            case .sent: tally.sent += 1
            case .again: tally.failed += 1
            case .givenUp: tally.givenUp += 1
            }
        }
        return tally
    }

    private enum Handled {
        case sent, again, givenUp
    }

    private func handle(_ notice: Notice) async throws -> Handled {
        guard !MessageRules.isOvertaken(notice, today: clock.today) else {
            try await store.markFailed(notice.id, why: MessageRules.overtaken, again: nil, now: clock.now(), scope)
            return .givenUp
        }
        guard let curl = try way(notice) else {
            try await store.markFailed(notice.id, why: "no address", again: nil, now: clock.now(), scope)
            return .givenUp
        }
        switch await curl.run() {
        case .sent:
            try await store.markSent(notice.id, now: clock.now(), scope)
            return .sent
        case .failed(let why):
            let now = clock.now()
            let wait = MessageRules.wait(after: notice.attempts, chance: .random(in: 0...1))
            let again = notice.attempts < MessageRules.attempts ? now.addingTimeInterval(wait) : nil
            try await store.markFailed(notice.id, why: why, again: again, now: now, scope)
            return again == nil ? .givenUp : .again
        }
    }

    /// By mail where there is an address and a server, otherwise by the webhook: one way only, since a message that
    /// went one of two ways could not be tried again without going that way twice.
    private func way(_ notice: Notice) throws -> Curl? {
        let text = MessageText(notice, brand: brand, today: clock.today)
        let identity = MessageIdentity.text(notice)
        if let server = ways.mail, let address = notice.email.flatMap(MailServer.address) {
            let mail = Mail(
                text, to: address, from: server.from, name: brand, identity: identity, at: clock.now())
            return .mail(mail, to: address, through: server)
        }
        guard let webhook = ways.webhook else { return nil }
        let body = try Webhook.Body(notice, text, identity: identity).json
        return .post(body, identity: identity, to: webhook)
    }
}
