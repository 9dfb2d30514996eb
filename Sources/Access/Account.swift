import Foundation
import Kernel

/// A person who signs in with a password.
public struct Account: Sendable {
    public let id: Identifier<Account>
    public let username: String
    public let role: Role
    public let cooperative: String?
    public let createdAt: Date
    public let disabledAt: Date?
}

public enum AccountRules {
    static func username(_ text: String) throws -> String {
        let name = text.lowercased()
        let good = name.utf8.allSatisfy {
            (97...122).contains($0) || (48...57).contains($0) || [45, 46, 95].contains($0)
        }
        guard good, (2...40).contains(name.utf8.count), name.first?.isLetter == true || name.first?.isNumber == true
        else {
            throw Refusal(
                .invalid, "bad-username", field: "username", zh: "用户名用 2 到 40 个小写字母、数字或 . _ -",
                en: "a username has 2 to 40 lower-case letters, digits or . _ -")
        }
        return name
    }

    public static let wrongPassword = Refusal(
        .unauthenticated, "wrong-password", zh: "用户名或密码不对", en: "the username or the password is wrong")
}
