import Database
import Foundation
import Kernel
import Postgres
import TestSupport

@testable import Messages

/// What a notice tells; the sender's tests know as little of tours as the sender.
struct Notice: Codable {
    var unit = "区委党校"
    var text = "您的预约已确认"

    var content: String {
        get throws { String(decoding: try JSONEncoder().encode(self), as: UTF8.self) }
    }
}

/// The words of notices. What is about `gone` has been overtaken.
struct Notices: MessageSource {
    func putDue(now: Date, today: CivilDay) async throws -> Int { 0 }

    func isOvertaken(_ message: OutgoingMessage) async throws -> Bool { message.about == "gone" }

    func text(_ message: OutgoingMessage, today: CivilDay) throws -> MessageText {
        let notice = try JSONDecoder().decode(Notice.self, from: Data(message.content.utf8))
        return MessageText(
            subject: "津小韩研学：\(message.kind)", body: "\(notice.text)\n\n\(MessageText.plain(notice.unit)) · 40 人\n",
            links: ["booking": "https://trace.example.cn/"])
    }
}

extension TestVillage {
    func outbox(
        _ ways: MessageWays, database: Database? = nil, patience: Duration = .seconds(20)
    ) -> MessageSender {
        MessageSender(
            database ?? self.database, village: village.id, brand: "津小韩", source: Notices(), ways: ways, perDay: 0,
            clock: clock.clock, patience: patience)
    }

    /// Puts notices in. The outbox is filled by the database's clock, behind which the village's must not be.
    func put(
        _ keys: String..., kind: String = "confirmed", about: String? = nil, email: String? = "a@example.cn",
        content: String? = nil, notice: Notice = Notice(), supersedes: Bool = true, until: Date? = nil
    ) async throws {
        let content = try content ?? notice.content
        for key in keys {
            let message = NewMessage(
                key: key, kind: kind, about: about ?? "notice:\(key)",
                to: .init(name: "王老师", phone: "13812345678", email: email, language: "zh"), content: content,
                supersedes: supersedes, until: until)
            _ = try await database.transaction(committee) { [committee] transaction in
                try await transaction.query(Outbox.insert(message, committee))
            }
        }
        clock.advance(seconds: max(1, Date().timeIntervalSince(clock.now) + 1))
    }

    /// All messages, by their key.
    func messages() async throws -> [String: Message] {
        let all = try await MessageStore(database).list(committee)
        return Dictionary(uniqueKeysWithValues: all.map { ($0.key, $0) })
    }
}
