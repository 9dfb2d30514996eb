import Access
import ArgumentParser
import Backend
import Documents
import Kernel

struct AccountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: words("用密码登录的人。", "People who sign in with a password."),
        subcommands: [Create.self, Password.self, Disable.self, Enable.self, List.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "建立账号。密码会询问，也可从标准输入或文件读取。",
                "Makes an account. The password is asked for, or read from standard input or a file."),
            discussion: "taoyuan account create li --role clerk --cooperative 韩村蟠桃专业合作社")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("登录用的名称。", "The name to sign in with.")) var username: String
        @OptionGroup var duty: DutyOptions
        @OptionGroup var password: PasswordOptions

        func run() async throws {
            let password = try password.read()
            try await options.withBackend { backend in
                let plan = try await AccountStore(backend.database, hasher: backend.hasher).create(
                    username: username, password: password, role: duty.role, cooperative: duty.cooperative,
                    village: backend.village.id)
                try await backend.database.change(backend.local.scope, plan)
            }
            try options.done(
                Shapes.newAccount.json((username, duty.role)), "账号 \(username) 已建立", "account \(username) is made")
        }
    }

    struct Password: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("更换密码，并结束该账号的登录。", "Sets a new password and ends the account's sessions."),
            discussion: "taoyuan account password li")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("谁的账号。", "Whose.")) var username: String
        @OptionGroup var password: PasswordOptions

        func run() async throws {
            let password = try password.read()
            let isShut = try await options.withBackend { backend in
                let plan = try await AccountStore(backend.database, hasher: backend.hasher).setPassword(
                    username: username, password: password, village: backend.village.id)
                return try await backend.database.change(backend.local.scope, plan)
            }
            try options.done(
                Shapes.accountState.json((username, isShut)), "账号 \(username) 的密码已更换",
                "account \(username) has a new password")
            if isShut {
                Terminal.say(
                    words(
                        "这个账号已停用，还不能登录：请用 taoyuan account enable \(username) 启用",
                        "the account is disabled and can't sign in: enable it by `taoyuan account enable \(username)`"))
            }
        }
    }

    private static func set(_ username: String, isDisabled: Bool, _ options: SharedOptions) async throws {
        try await options.withBackend { backend in
            let accounts = AccountStore(backend.database, hasher: backend.hasher)
            try await backend.database.change(
                backend.local.scope,
                isDisabled ? accounts.disable(username: username) : accounts.enable(username: username))
        }
        try options.done(
            Shapes.accountState.json((username, isDisabled)),
            "账号 \(username) \(isDisabled ? "已停用" : "已启用")",
            "account \(username) is \(isDisabled ? "disabled" : "enabled")")
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("停用账号及其令牌。", "Shuts an account, and its tokens with it."),
            discussion: "taoyuan account disable li")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("谁的账号。", "Whose.")) var username: String

        func run() async throws {
            try await AccountCommand.set(username, isDisabled: true, options)
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "再启用停用的账号，密码不变；它以前的登录和令牌不恢复。",
                "Opens a disabled account again, with its password; its former sessions and tokens stay ended."),
            discussion: "taoyuan account enable li")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("谁的账号。", "Whose.")) var username: String

        func run() async throws {
            try await AccountCommand.set(username, isDisabled: false, options)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("列出账号。", "Lists the accounts."), discussion: "taoyuan account list")

        @OptionGroup var options: SharedOptions

        func run() async throws {
            let accounts = try await options.withBackend { backend in
                try await AccountStore(backend.database, hasher: backend.hasher).list(village: backend.village.id)
            }
            try options.show(accounts, Shapes.account)
        }
    }
}
