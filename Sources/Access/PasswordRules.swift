import Foundation
import Kernel

/// Which passwords are taken, as NIST SP 800-63B advises: length and no rules of composition, and none that is on
/// everybody's list or made of a name and what the fingers do by themselves.
enum PasswordRules {
    /// - Parameter names: which a password may not be made of: the account's, the village's, the brand.
    static func check(_ password: String, names: [String]) throws {
        guard (10...200).contains(password.count), !password.unicodeScalars.contains("\0") else {
            throw Refusal(
                .invalid, "bad-password", field: "password", zh: "密码须有 10 到 200 个字符",
                en: "a password has 10 to 200 characters")
        }
        guard !isCommon(password, names: names) else {
            throw Refusal(
                .invalid, "common-password", field: "password",
                zh: "这个密码太容易猜中（常见密码、重复或连续的字符、用户名、村名或品牌）；可以用几个不相干的词",
                en:
                    "this password is easily guessed (a common one, characters repeated or in a row, the user's, village's "
                    + "or brand's name); a few words that have nothing to do with each other are better")
        }
    }

    /// What is left of it when common words, names, runs and repetition count for nothing decides.
    static func isCommon(_ password: String, names: [String]) -> Bool {
        var rest = plain(password)
        if wellKnown.contains(rest) { return true }
        let words = (commonWords + names.map(plain)).filter { $0.count > 1 }.sorted { $0.count > $1.count }
        for word in words { rest = rest.replacing(word, with: "") }
        let left = period(withoutRuns(Array(rest)))
        return left.count < 5 || Set(left).count < 4
    }

    private static func plain(_ text: String) -> String {
        text.precomposedStringWithCompatibilityMapping.lowercased().filter { !$0.isWhitespace }
    }

    /// Of three characters and more that are the same, or neighbours one way in a row, the first is left.
    private static func withoutRuns(_ text: [Character]) -> [Character] {
        var left: [Character] = []
        var start = 0
        while start < text.count {
            let end = rows.map { runEnd(text, from: start, in: $0) }.max() ?? start + 1
            left.append(text[start])
            start = end - start > 2 ? end : start + 1
        }
        return left
    }

    /// Where the longest run from `start` on ends.
    private static func runEnd(_ text: [Character], from start: Int, in row: [Character]) -> Int {
        var longest = start + 1
        for step in [-1, 0, 1] {
            var end = start + 1
            while end < text.count {
                if step == 0 {
                    guard text[end] == text[start] else { break }
                } else {
                    guard let place = row.firstIndex(of: text[end - 1]), row.indices.contains(place + step),
                        row[place + step] == text[end]
                    else { break }
                }
                end += 1
            }
            longest = max(longest, end)
        }
        return longest
    }

    /// What a text repeats from its beginning to its end, or all of it.
    private static func period(_ text: [Character]) -> [Character] {
        for length in 1..<max(1, text.count / 2 + 1)
        where text.indices.allSatisfy({ text[$0] == text[$0 % length] }) {
            return Array(text[..<length])
        }
        return text
    }

    private static let rows = [
        "1234567890", "0123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm",
    ]
    .map { Array($0) }

    private static let commonWords = [
        "password", "passw0rd", "p@ssw0rd", "p@ssword", "administrator", "admin", "welcome", "iloveyou", "letmein",
        "changeme", "woaini", "taoyuan", "mima", "密码", "桃源",
    ]

    /// The most usual ones of ten characters and more that are no runs.
    private static let wellKnown: Set<String> = [
        "1q2w3e4r5t", "1q2w3e4r5t6y", "q1w2e3r4t5", "q1w2e3r4t5y6", "1qaz2wsx3edc", "1qazxsw23edc", "qazwsxedcrfv",
        "zaq12wsxcde3", "1qaz@wsx3edc", "1qaz!qaz1qaz", "5201314520", "1314520520", "woaini1314520", "iloveyou1314",
        "sunshine123", "princess123", "football123", "baseball123", "superman123", "trustno1trustno1",
    ]
}
