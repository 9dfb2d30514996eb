import Database
import Foundation
import Kernel
import Postgres

/// A message to be put into the outbox. It holds by value what it tells and to whom: what is sent is what was true when
/// it was told.
public struct NewMessage: Sendable {
    /// Whom it goes to.
    public struct Recipient: Sendable {
        let name: String
        let phone: String
        let email: String?
        /// Two letters, such as `zh`.
        let language: String

        public init(name: String, phone: String, email: String?, language: String) {
            self.name = name
            self.phone = phone
            self.email = email
            self.language = language
        }
    }

    let key: String
    let kind: String
    let about: String
    let recipient: Recipient
    let content: String
    let supersedes: Bool
    let until: Date?

    /// - Parameters:
    ///   - key: what makes it one message: the same key is sent once, however often it is put in.
    ///   - kind: names its words, such as `confirmed`: its source makes a text of kind and content.
    ///   - about: what it is about, such as `booking:17`.
    ///   - content: what it tells, as a JSON object.
    ///   - supersedes: whether older ones about the same are no longer true. They are not sent any more.
    ///   - until: when there is no point in it any more.
    public init(
        key: String, kind: String, about: String, to recipient: Recipient, content: String, supersedes: Bool = true,
        until: Date? = nil
    ) {
        self.key = key
        self.kind = kind
        self.about = about
        self.recipient = recipient
        self.content = content
        self.supersedes = supersedes
        self.until = until
    }
}

/// The way into the outbox, for whoever tells something.
public enum Outbox {
    /// The statement that puts a message into the outbox, in the transaction of what it tells of.
    public static func insert(_ message: NewMessage, _ scope: Scope) -> SQL {
        SQL.insert([row(message, scope)]) + " ON CONFLICT (village_id, key) DO NOTHING"
    }

    /// The message's row, where the key cannot be there yet, as with a new booking.
    public static func row(_ message: NewMessage, _ scope: Scope) -> NewRow {
        NewRow(
            into: "message (village_id, key, kind, about, supersedes, name, phone, email, language, content, until)",
            """
            (\(scope.village), \(message.key), \(message.kind), \(message.about), \(message.supersedes),
                \(message.recipient.name), \(message.recipient.phone), \(message.recipient.email),
                \(message.recipient.language), \(message.content)::jsonb, \(message.until))
            """)
    }
}

/// A message as the outbox shows it.
public struct Message: Sendable {
    public enum State: String, Sendable, CaseIterable, Labelled {
        /// Not sent yet.
        case waiting
        case sent
        /// Tried too often, or refused for good; `lastError` says which.
        case givenUp = "given_up"
        /// Nobody misses it: there is nobody whom our ways reach, or it was pointless by then; `lastError` says which.
        case notSent = "not_sent"

        public var label: Bilingual {
            switch self {
            case .waiting: Bilingual(zh: "待发", en: "waiting")
            case .sent: Bilingual(zh: "已发", en: "sent")
            case .givenUp: Bilingual(zh: "已放弃", en: "given up")
            case .notSent: Bilingual(zh: "不发送", en: "not sent")
            }
        }
    }

    public let id: Int64
    public let key: String
    /// As whoever put it in calls it.
    public let kind: String
    /// What it is about, such as `booking:17`.
    public let about: String
    public let createdAt: Date
    /// When it is tried next, while it waits.
    public internal(set) var dueAt: Date
    /// Since it was put in, or put in again.
    public internal(set) var attempts: Int
    public let sentAt: Date?
    public internal(set) var givenUpAt: Date?
    /// Such as `smtp 550`, `http 503`, `curl 7`; never an address or a password.
    public let lastError: String?

    /// What went wrong, in words where there are words for it.
    public var trouble: Bilingual? {
        switch lastError {
        case MessageRules.overtaken?: Bilingual(zh: "情况已变，不再发送", en: "overtaken")
        case MessageRules.unreadable?: Bilingual(zh: "内容无法读出", en: "unreadable")
        case MessageRules.noAddress?: Bilingual(zh: "没有可用的地址", en: "nobody to send to")
        case let error?: Bilingual(zh: error, en: error)
        case nil: nil
        }
    }

    public var state: State {
        if sentAt != nil { return .sent }
        guard givenUpAt != nil else { return .waiting }
        return MessageRules.unmissed.contains(lastError ?? "") ? .notSent : .givenUp
    }
}

/// A message that is about to be sent.
public struct OutgoingMessage: Sendable {
    public let id: Int64
    public let key: String
    public let kind: String
    public let about: String
    public let name: String
    public let phone: String
    public let email: String?
    public let language: Language
    /// What it tells, as a JSON object.
    public let content: String
    let attempts: Int
    let createdAt: Date
    let until: Date?
    /// Whether a newer one about the same tells how things are now.
    let isSuperseded: Bool

    public init(
        id: Int64, key: String, kind: String, about: String, to recipient: NewMessage.Recipient, content: String,
        attempts: Int = 1, createdAt: Date, until: Date? = nil, isSuperseded: Bool = false
    ) {
        self.id = id
        self.key = key
        self.kind = kind
        self.about = about
        name = recipient.name
        phone = recipient.phone
        email = recipient.email
        language = Language(rawValue: recipient.language) ?? .english
        self.content = content
        self.attempts = attempts
        self.createdAt = createdAt
        self.until = until
        self.isSuperseded = isSuperseded
    }
}
