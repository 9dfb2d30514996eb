import Foundation
import Testing

/// The fixed words that options take.
@Suite struct WordStories {
    @Test(arguments: [
        (["batch", "withdraw"], ["own-use", "loss", "自用", "损耗"]), (["sale", "return"], ["scrapped", "报废", "退回入库"]),
        (["booking", "list"], ["no-show", "未到", "overpaid", "多收"]), (["name", "merge"], ["channel", "渠道"]),
        (["income", "summary"], ["household", "农户"]), (["message", "list"], ["not-sent", "不发送"]),
        (["import"], ["correct", "更正"]),
    ])
    func `help says them in both languages`(command: [String], words: [String]) async throws {
        let village = try Village()
        for language in ["zh", "en"] {
            let help = try await village.run(["help"] + command + ["--lang", language]).output
            for word in words { #expect(help.contains(word), "\(command) \(language) \(word): \(help)") }
        }
    }

    @Test func `Chinese ones are taken, and of a longer one its beginning`() async throws {
        let village = try await Village.founded()
        for arguments in [
            ["booking", "list", "--state", "已确认"], ["booking", "list", "--state", "no-show", "--money", "待退款"],
            ["message", "list", "--state", "已放弃"], ["message", "list", "--state", "given_up"],
            ["income", "summary", "--from", "2025-01-01", "--to", "2025-12-31", "--by", "渠道、月份"],
        ] {
            let outcome = try await village.run(arguments)
            #expect(outcome.status == 0, "\(arguments): \(outcome.errors)")
        }
        for (arguments, status) in [
            (["--goods", "退回"], Int32(1)), (["--goods", "降级入库"], 1), (["--goods", "退"], 64), (["--goods", "入库"], 64),
        ] {
            let outcome = try await village.run(
                ["sale", "return", "--sale", "1", "--line", "1", "--weight", "1kg", "--refund", "1", "--reason", "r"]
                    + arguments)
            #expect(outcome.status == status, "\(arguments): \(outcome.errors)")
        }
    }
}
