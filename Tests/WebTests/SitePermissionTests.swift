import Access
import Foundation
import Kernel
import Testing

@testable import Web

extension SiteTests {
    @Suite struct Permissions {
        private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()

        /// What each endpoint needs, in the table's order.
        private func uses(_ village: ServedVillage) -> [Permission: [Endpoint]] {
            village.site.endpoints.reduce(into: [:]) { uses, endpoint in
                guard case .whoMay(let permission) = endpoint.access else { return }
                uses[permission, default: []].append(endpoint)
            }
        }

        @Test func `every endpoint lets in whom the table names and nobody else`() async throws {
            let village = try Served.village
            var asked = 0
            for endpoint in village.site.endpoints {
                guard case .whoMay(let permission) = endpoint.access else { continue }
                for role in Role.allCases {
                    // Nothing in it can be carried out: who may is turned away for what is sent.
                    let path = endpoint.path.replacing(/\{[a-zA-Z]+\}/, with: "%00")
                    let body = endpoint.body == nil ? nil : Data()
                    let reply = try await village.send(
                        endpoint.method.rawValue, path + "?nonesuch=1", as: role.rawValue, bytes: body)
                    let isLetIn = reply.status != 403
                    #expect(isLetIn == permission.roles.contains(role), "\(endpoint.name) \(role): \(reply.status)")
                    #expect(reply.status != 401 && (400..<500).contains(reply.status), "\(endpoint.name) \(role)")
                    asked += 1
                }
            }
            #expect(asked > 400)
        }

        @Test func `what nobody need be signed in for is what strangers do`() throws {
            let open = try Served.village.site.endpoints.filter { if case .anyone = $0.access { true } else { false } }
            for endpoint in open where endpoint.method != .get && endpoint.path.hasPrefix("/api/") {
                let isOfStrangers =
                    [
                        "/api/v1/session", "/api/v1/codes/{payload}/scans", "/api/v1/tours/bookings",
                        "/api/v1/tours/tickets",
                    ]
                    .contains(endpoint.path) || endpoint.path.hasPrefix("/api/v1/tours/booking-")
                #expect(isOfStrangers, "\(endpoint.name)")
            }
        }

        @Test func `every permission is asked for somewhere, and the administrator may each`() throws {
            let uses = uses(try Served.village)
            for permission in Permission.allCases {
                #expect(uses[permission]?.isEmpty == false, "\(permission)")
                #expect(permission.roles.contains(.administrator), "\(permission)")
            }
            #expect(Person.local(village: 1).role == .administrator)
        }

        /// What a register records needs what recording it one by one needs.
        @Test func `no register lets in whom a single entry would not`() throws {
            let endpoints = try Served.village.site.endpoints
            func roles(_ path: String) throws -> [Role] {
                try #require(endpoints.first { $0.method == .post && $0.path == path }).roles
            }
            for (register, single) in [
                ("harvest", "batches"), ("sales", "sales"), ("income", "income/entries"),
                ("bookings", "tours/desk/bookings"), ("bookings", "tours/sessions"), ("bookings", "tours/sites"),
                ("harvest", "varieties"), ("harvest", "grades"),
            ] {
                let importing = try roles("/api/v1/imports/\(register)")
                #expect(try importing == roles("/api/v1/\(single)"), "\(register) \(single)")
            }
            let registers = endpoints.filter { $0.path.hasPrefix("/api/v1/imports/") }
            #expect(registers.count == 6)
        }

        @Test func `the committee records no sale, whichever way it is sent`() async throws {
            let village = try Served.village
            let before = try await village.count("SELECT count(*) AS count FROM sale")
            let one = try await village.send(
                "POST", "/api/v1/sales", as: "committee", ServedVillage.sale(village.batch, on: village.today))
            let many = try await village.importRegister(
                "sales", as: "committee", "销售日期,渠道,买方,批次号,重量斤,单价元每斤",
                "\(village.today),批发,某行,\(village.batch),1,8.50")
            #expect(one.status == 403 && many.status == 403)
            #expect(try await village.count("SELECT count(*) AS count FROM sale") == before)
        }

        @Test func `docs say who may`() throws {
            let file = Self.root.appending(path: "docs/PERMISSIONS.md")
            let text = Self.document(uses(try Served.village))
            if ProcessInfo.processInfo.environment["TAOYUAN_WRITE_PERMISSIONS"] != nil {
                try text.write(to: file, atomically: true, encoding: .utf8)
            }
            #expect(try String(contentsOf: file, encoding: .utf8) == text)
        }

        private static func document(_ uses: [Permission: [Endpoint]]) -> String {
            let roles = Role.allCases
            let heads = roles.map { "\($0.label.zh) \($0.label.en)" }
            var lines = [
                "# 谁可以做什么 Who may do what", "",
                "由测试根据 `Sources/Access/Permission.swift` 写成，以后每次都与之比对；改动那里之后，",
                "`TAOYUAN_WRITE_PERMISSIONS=1 swift test --filter Permissions` 重写本页。",
                "Made by a test from `Sources/Access/Permission.swift`, and compared with it ever after; the line above writes it anew.",
                "",
                "文员只看到、只登记自己合作社的内容。A clerk sees and records what is of the clerk's own cooperative.",
                "在服务器本机用命令的人是管理员。Whoever runs commands on the server's own machine is the administrator.",
                "每个登录的人都可以查看自己、修改自己的密码、退出。Whoever is signed in may see who they are, change their own",
                "password and sign out. 不登录可以验码、预约和查自己的预约。Without signing in one may verify codes, book, and look",
                "after one's own booking.", "",
                "| | \(heads.joined(separator: " | ")) |", "|---|" + String(repeating: "---|", count: roles.count),
            ]
            for permission in Permission.allCases {
                let marks = roles.map { $0.may(permission) ? "✓" : "" }
                let label = "\(permission.label.zh)<br>\(permission.label.en)"
                lines.append("| \(label) | \(marks.joined(separator: " | ")) |")
            }
            lines += ["", "## 接口 The API", "", "| | |", "|---|---|"]
            for permission in Permission.allCases {
                let names = (uses[permission] ?? []).map { "`\($0.name)`" }.joined(separator: "<br>")
                lines.append("| \(permission.label.zh)<br>\(permission.label.en) | \(names) |")
            }
            return lines.joined(separator: "\n") + "\n"
        }
    }
}
