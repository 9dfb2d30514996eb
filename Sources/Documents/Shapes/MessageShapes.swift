import Kernel
import Messages
import Tours

/// How messages look outside; what they tell and to whom is not told.
extension Shapes {
    public static let message = Shape<Message>(
        "Message",
        [
            .init("message", "编号", "message", .number(), \.id), .init("key", "键", "key", .text(), \.key),
            .init("kind", "类别", "kind", .messageKind, \.kind), .init("about", "关于", "about", .text(1...100), \.about),
            .init(
                "booking", "预约编号", "booking", optional: .booking, \.booking),
            .init("state", "状态", "state", .word, \.state),
            .init("attempts", "次数", "attempts", .count(0...Int64(Int32.max)), \.attempts),
            .init("createdAt", "建立", "made", .instant, \.createdAt), .init("dueAt", "到时", "due", .instant, \.dueAt),
            .init("sentAt", "发出", "sent", optional: .instant, \.sentAt),
            .init("givenUpAt", "放弃", "given up", optional: .instant, \.givenUpAt),
            .init("lastError", "上次出错", "last error", optional: .text(), \.lastError),
            .reading("at", "时刻", "at") { message, language in
                (message.sentAt ?? message.givenUpAt ?? message.dueAt).minute
            },
            .reading("trouble", "上次出错", "last error") { $0.trouble?[$1] },
        ], list: ["message", "kind", "booking", "state", "at", "attempts", "trouble"], blank: "—")
}

extension Look where Value == String {
    /// As whoever put a message in calls it.
    fileprivate static var messageKind: Self {
        Look(Look<MessageKind>.word.schema, json: JSON.string) { kind, language in
            MessageKind(rawValue: kind)?.label[language] ?? kind
        }
    }
}
