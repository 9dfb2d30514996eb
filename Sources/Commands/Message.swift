import ArgumentParser
import Backend
import Documents
import Kernel
import Messages
import Tours

struct MessageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "message",
        abstract: words("给预约团队的消息：发件箱与发送。", "Messages to those who booked: the outbox, and sending what is due."),
        subcommands: [List.self, Send.self, Retry.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("列出发件箱，最新的在前。", "Lists the outbox, newest first."),
            discussion: "taoyuan message list --state given_up")

        @OptionGroup var options: SharedOptions
        @Option(help: .words("只列处于此状态的消息。", "Only those in this state.")) var state: Message.State?
        @Option(help: .words("只列这个预约的消息。", "Only those of this booking.")) var booking: Int64?
        @OptionGroup var page: PageOptions

        func run() async throws {
            let messages = try await options.withBackend { backend in
                try await page.first {
                    try await MessageStore(backend.database).list(
                        backend.local.scope, state: state, about: booking.map(Message.about(booking:)), limit: $0)
                }
            }
            try options.show(messages, Shapes.message)
        }
    }

    struct Send: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("把到时的消息发一次；运行中的服务会自行发送。", "Sends what is due, once; a running server does so by itself."),
            discussion: "TAOYUAN_WEBHOOK_URL=https://sms.example.cn/send taoyuan message send")

        @OptionGroup var options: SharedOptions

        func run() async throws {
            let tally = try await options.withBackend { backend in
                guard !backend.configuration.messageWays.isEmpty else {
                    throw Refusal(
                        .unavailable, "no-message-way", zh: "没有配置 TAOYUAN_SMTP_URL 或 TAOYUAN_WEBHOOK_URL，消息无处可发",
                        en: "neither TAOYUAN_SMTP_URL nor TAOYUAN_WEBHOOK_URL is set: there is nobody to send to")
                }
                return try await backend.messages.sendDue()
            }
            try options.done(
                [
                    "sent": JSON(tally.sent), "failed": JSON(tally.failed), "givenUp": JSON(tally.givenUp),
                    "overtaken": JSON(tally.overtaken), "noAddress": JSON(tally.noAddress),
                ],
                "已发 \(tally.sent)，稍后再试 \(tally.failed)，放弃 \(tally.givenUp)，情况已变不再发送 \(tally.overtaken)，"
                    + "没有可用的地址 \(tally.noAddress)",
                "\(tally.sent) sent, \(tally.failed) to be tried again, \(tally.givenUp) given up, "
                    + "\(tally.overtaken) overtaken, \(tally.noAddress) with nobody to send to")
        }
    }
}

extension MessageCommand {
    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "把已放弃的消息放回发件箱，立即待发。", "Puts messages that were given up back into the outbox, due at once."),
            discussion: """
                taoyuan message retry 17
                taoyuan message retry --all-failed
                """)

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("消息编号。", "The message's number.")) var message: Int64?
        @Flag(
            help: .words(
                "所有发送失败的消息；已无意义的和被永久拒收的除外。",
                "All that could not be sent; not those that are pointless by now or were refused for good."))
        var allFailed = false

        func validate() throws {
            guard allFailed != (message != nil) else {
                throw ValidationError(
                    words("请写消息编号或 --all-failed。", "Give a message's number or --all-failed."))
            }
        }

        func run() async throws {
            guard let message else { return try await retryAll() }
            let retried = try await options.withBackend { backend in
                try await backend.database.change(
                    backend.local.scope, MessageStore.retry(message, now: backend.clock.now()))
            }
            try options.done(
                Shapes.message.json(retried), "消息 \(retried.id) 重新待发", "message \(retried.id) waits again")
        }

        private func retryAll() async throws {
            let retried = try await options.withBackend { backend in
                try await backend.database.change(
                    backend.local.scope, MessageStore.retryAllFailed(now: backend.clock.now()))
            }
            let left = retried.refused
            try options.done(
                ["retried": JSON(retried.count), "refused": JSON(left)],
                "重新待发 \(retried.count) 条" + (left > 0 ? "；另有 \(left) 条被永久拒收，请先改好地址，再按编号重发" : ""),
                "\(retried.count) wait again"
                    + (left > 0 ? "; \(left) were refused for good: retry them by number when that is mended" : ""))
        }
    }
}
