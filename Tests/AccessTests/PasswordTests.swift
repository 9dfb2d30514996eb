import Kernel
import Testing

@testable import Access

@Suite struct PasswordTests {
    private static let names = ["li.wang", "老龙湾村", "津小韩"]

    @Test(arguments: [
        "1234567890", "0987654321", "12345678901234", "aaaaaaaaaa", "ababababab", "abcabcabcabc", "qwertyuiop",
        "QWERTYUIOP", "poiuytrewq", "asdfghjkl;", "qwertyuiop123", "password123", "Password1234567", "ｐａｓｓｗｏｒｄ１２３",
        "1q2w3e4r5t", "a123456789", "abcd123456", "1122112211", "li.wang123", "li.wang2025", "LI.WANGLI.WANG",
        "津小韩津小韩津小韩津", "老龙湾村2025 2025", "taoyuan2025", "admin123456", "woaini1314520", "5201314520",
        "          1", "桃源桃源桃源桃源桃源", "13812345678",
    ])
    func `a password that everybody thinks of is refused`(password: String) async throws {
        let refused = #expect(throws: Refusal.self) { try PasswordRules.check(password, names: Self.names) }
        #expect(refused?.code == "common-password")
        #expect(refused?.field == "password")
    }

    @Test(arguments: [
        "correct horse battery", "another password", "Tr0ub4dor&3x", "一场春雨一场暖，桃花开", "k7#mQ2vz!p", "2025-桃花-落满-溪",
        "wang li loves peaches", "97 31 08 46 25",
    ])
    func `a password of one's own is taken`(password: String) throws {
        try PasswordRules.check(password, names: Self.names)
    }

    @Test func `no more than so many hashes wait`() async throws {
        let hasher = PasswordHasher(limit: 4)
        let outcomes = await withTaskGroup { group in
            for _ in 0..<12 {
                group.addTask { () -> String in
                    do {
                        _ = try await hasher.hash("correct horse", salt: [UInt8](repeating: 0, count: 16))
                        return "hashed"
                    } catch {
                        return (error as? Refusal)?.code ?? "\(error)"
                    }
                }
            }
            return await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(outcomes["hashed", default: 0] >= 4 && outcomes["too-many-sign-ins", default: 0] >= 1)
        #expect(outcomes.count == 2)
        _ = try await hasher.hash("correct horse", salt: [UInt8](repeating: 0, count: 16))
    }

    @Test func `nobody hashes for whom nobody waits`() async throws {
        let hasher = PasswordHasher()
        let task = Task {
            try await Task.sleep(for: .seconds(60))
        }
        task.cancel()
        let cancelled = Task {
            _ = await task.result
            withUnsafeCurrentTask { $0?.cancel() }
            return try await hasher.hash("correct horse", salt: [UInt8](repeating: 0, count: 16))
        }
        await #expect(throws: CancellationError.self) { _ = try await cancelled.value }
    }
}
