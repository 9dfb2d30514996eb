import Access
import Foundation
import Kernel

/// How those who sign in, and what they did, look outside.
extension Shapes {
    public static let person = Shape<Person>(
        nil, [.init("name", "名称", "name", .text(), \.name), .init("role", "角色", "role", .word, \.role)])

    public static let tokenSecret = Shape<TokenSecret>(
        nil, [.init("token", "令牌", "token", .text(1...100), note: "Shown this once", \.text)])

    public static let token = Shape<Token>(
        "Token",
        [
            .init("id", "编号", "id", .id(1...Int64(Int32.max)), \.id), .init("name", "名称", "name", .text(), \.name),
            .init("role", "角色", "role", .word, \.role),
            .init("cooperative", "合作社", "cooperative", optional: .text(), \.cooperative),
            .init(
                "madeBy", "生成账号", "made by", optional: .text(), note: "The account that made it, with which it ends",
                \.madeBy),
            .init("createdAt", "生成", "made", .instant, \.createdAt),
            .init("expiresAt", "到期", "expires", .instant, \.expiresAt),
            .init("revokedAt", "作废", "revoked", optional: .instant, \.revokedAt),
        ])

    /// Tokens with what has become of them.
    public static func tokens(at now: Date) -> Shape<Token> {
        Shape(
            nil,
            token.members + [
                // Those that were given no name are called by their role.
                .reading("label", "名称", "name") { $0.name == $0.role.rawValue ? $0.role.label[$1] : $0.name },
                .reading("maker", "生成者", "made by") { token, language in
                    if token.isSession { return Bilingual(zh: "登录", en: "signing in")[language] }
                    return token.madeBy ?? Recorded(language).actor("local")
                },
                .reading("state", "状态", "state") { token, language in
                    if token.revokedAt != nil { return Bilingual(zh: "已作废", en: "revoked")[language] }
                    return
                        (token.expiresAt <= now
                        ? Bilingual(zh: "已到期", en: "expired") : Bilingual(zh: "有效", en: "valid"))[language]
                },
            ], list: ["id", "label", "role", "cooperative", "maker", "expiresAt", "state"])
    }

    public static let account = Shape<Account>(
        "Account",
        [
            .init("username", "用户名", "username", .text(), \.username), .init("role", "角色", "role", .word, \.role),
            .init("cooperative", "合作社", "cooperative", optional: .text(), \.cooperative),
            .init("createdAt", "建立", "made", .instant, \.createdAt),
            .init("disabledAt", "停用", "disabled", optional: .instant, \.disabledAt),
        ], list: ["username", "role", "cooperative", "createdAt", "disabledAt"])

    public static let newAccount = Shape<(username: String, role: Role)>(
        nil,
        [
            .init("username", "用户名", "username", .text()) { $0.username.lowercased() },
            .init("role", "角色", "role", .word) { $0.role },
        ])

    /// Whether an account is shut.
    public static let accountState = Shape<(username: String, isDisabled: Bool)>(
        nil,
        [
            .init("username", "用户名", "username", .text()) { $0.username.lowercased() },
            .init("disabled", "停用", "disabled", .flag) { $0.isDisabled },
        ])

    public static let auditEntry = Shape<AuditEntry>(
        "AuditEntry",
        [
            .init("id", "编号", "number", .id(), \.id), .init("at", "时间", "at", .instant, \.at),
            .init("actor", "谁", "who", .actor, \.actor),
            .init("kind", "动作", "kind", .action, note: "Noun and verb, such as sale.record", \.kind),
            .init("subject", "对象", "subject", .text(), note: "To what, by its number or name", \.subject),
            .init(
                "day", "日期", "day", optional: .day, note: "For which it was entered, where it has one", \.day),
            .init("figures", "详情", "figures", .figures, note: "Such as fen, grams, reason", \.figures),
            .reading("thing", "对象", "subject") { Recorded($1).subject($0.subject, of: $0.kind) },
            .reading("details", "详情", "figures") { Recorded($1).figures($0.figures, day: $0.day) },
        ], list: ["id", "at", "actor", "kind", "thing", "details"])
}

extension Look where Value == String {
    fileprivate static var action: Self {
        Look(.string(), json: JSON.string) { action, language in Recorded(language).action(action) }
    }
}
