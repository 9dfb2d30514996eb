import Access
import ArgumentParser
import Backend
import Documents
import Foundation
import Kernel

struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: words("API 令牌。", "API tokens."),
        subcommands: [Create.self, List.self, Revoke.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("生成令牌并显示一次，以后不再显示。", "Makes a token and prints its secret, this once."),
            discussion: "taoyuan token create --role clerk --cooperative 韩村蟠桃专业合作社 --days 90")

        @OptionGroup var options: SharedOptions
        @OptionGroup var duty: DutyOptions
        @Option(help: .words("在列表中的名称（默认用角色名）。", "What it is called in lists (default: the role).")) var name: String?
        @Option(help: .words("有效天数（默认 365）。", "Days for which it is valid (default: 365).")) var days = 365

        func run() async throws {
            let secret = try await options.withBackend { backend in
                try await backend.database.change(
                    backend.local.scope,
                    TokenStore.create(
                        name: name ?? duty.role.rawValue, role: duty.role, cooperative: duty.cooperative, days: days,
                        maker: nil, now: backend.clock.now()))
            }
            try options.show(Shapes.tokenSecret.json(secret), secret.text)
            Terminal.say(words("请现在保存：令牌不会再显示", "keep it now: the token is not shown again"))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("列出令牌，不显示令牌本身。", "Lists the tokens, without their secrets."),
            discussion: "taoyuan token list")

        @OptionGroup var options: SharedOptions

        func run() async throws {
            let (tokens, now) = try await options.withBackend { backend in
                (try await TokenStore(backend.database).list(village: backend.village.id), backend.clock.now())
            }
            try options.show(tokens, Shapes.tokens(at: now))
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("立即作废一个令牌。", "Ends a token at once."), discussion: "taoyuan token revoke --id 3")

        @OptionGroup var options: SharedOptions
        @Option(help: .words("列表中的令牌编号。", "The token's number, as listed.")) var id: Int64

        func run() async throws {
            try await options.withBackend { backend in
                try await backend.database.change(
                    backend.local.scope, TokenStore.revoke(id: Identifier(id), now: backend.clock.now()))
            }
            try options.done(["id": .integer(id), "revoked": true], "令牌 \(id) 已作废", "token \(id) is revoked")
        }
    }
}

/// What a token or an account may do.
struct DutyOptions: ParsableArguments {
    @Option(
        help: .words(
            "角色：clerk（文员）、committee（村委会）、desk（研学接待）、administrator（管理员）或 auditor（审计）。",
            "clerk, committee, desk, administrator or auditor."), transform: reading(Role.init(named:)))
    var role: Role
    @Option(help: .words("文员所属的合作社。", "A clerk's cooperative.")) var cooperative: String?
}

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: words("操作记录：谁做了什么。", "Who did what."), subcommands: [List.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("列出所有改动，最新的在前。", "Lists what was changed, newest first."),
            discussion: """
                taoyuan audit list --limit 100
                taoyuan audit list --actor li --kind sale --from 2026-06-01 --to 2026-06-30
                """)

        @OptionGroup var options: SharedOptions
        @Option(
            help: .words("谁：账号的用户名、令牌的编号，或如“本机”。", "Who: an account's username, a token's number, or such as `local`."),
            transform: Recorded.actor(named:))
        var actor: String?
        @Option(
            help: .words(
                "动作，如 sale.record 或“登记销售”；sale 是与销售有关的一切。",
                "What, such as sale.record; `sale` is all that was done with sales."),
            transform: Recorded.action(named:))
        var kind: String?
        @Option(help: .words("对象：表中所列的编号或名称。", "To what: the number or name, as listed.")) var subject: String?
        @OptionGroup var days: DayOptions
        @OptionGroup var page: PageOptions
        @Option(help: .words("只列这个编号之前的，接着往下看。", "Only those before this number, to go on where a list ended."))
        var before: Int64?

        func run() async throws {
            let filter = AuditFilter(actor: actor, kind: kind, subject: subject, from: days.from, to: days.to)
            let entries = try await options.withBackend { backend in
                try await page.first {
                    try await AuditStore(backend.database).list(
                        backend.local.scope, filter, before: before ?? .max, limit: $0)
                }
            }
            try options.show(entries, Shapes.auditEntry)
        }
    }
}
