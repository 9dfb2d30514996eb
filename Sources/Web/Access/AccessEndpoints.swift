import Access
import Kernel

extension Site {
    var accessEndpoints: [Endpoint] {
        let role = Schema.enumeration(Role.allCases.map(\.rawValue))
        let secret = Schema.object([Field("token", .string(1...100), "Shown this once")])
        let accounts = AccountStore(backend.database, hasher: backend.hasher)
        return [
            Endpoint(
                .post, "/api/v1/session", "Sign in with a password: a token for 12 hours", access: .anyone,
                body: .json(.object([Field("username", .string(1...100)), Field("password", .string(1...1000))])),
                outcomes: [.init(201, "Signed in", secret)], handle: signIn),
            Endpoint(
                .get, "/api/v1/me", "Who the token belongs to", access: .people([]),
                outcomes: [.init(200, "The person", .object([Field("name", .string()), Field("role", role)]))]
            ) { call in
                let person = try call.caller(as: SignedIn.self)
                return .json(["name": .string(person.name), "role": .string(person.role)])
            },
            Endpoint(
                .get, "/api/v1/tokens", "The tokens, without their secrets", access: Roles.administrator,
                outcomes: [.init(200, "The tokens", .object([Field("items", .array(of: Self.token, 0...100_000))]))]
            ) { _ in
                let tokens = try await TokenStore(backend.database).list(village: backend.village.id)
                return .json(["items": .array(tokens.map(Self.render))])
            },
            Endpoint(
                .post, "/api/v1/tokens", "Make a token; its secret is in this answer only", access: Roles.administrator,
                body: .json(
                    .object([
                        Field("role", role), .optional("cooperative", .string(1...60)), Field("name", .string(1...100)),
                        .optional("days", .integer(1...3650)),
                    ])),
                outcomes: [.init(201, "Made", secret)]
            ) { call in
                let plan = TokenStore.create(
                    name: try call.body["name"].string, role: try Role(named: call.body["role"].string),
                    cooperative: try call.body["cooperative"].orNil?.string,
                    days: try call.body["days"].orNil?.int ?? 365, now: backend.clock.now())
                // Not under an Idempotency-Key: the stored answer would hold the secret.
                let made = try await backend.database.change(call.scope, plan)
                return .json(["token": .string(made.text)], status: .created)
            },
            Endpoint(
                .delete, "/api/v1/tokens/{id}", "Revoke a token, at once", access: Roles.administrator,
                pathParameters: [.init("id", .integer(1...Int64(Int32.max)), "The token's number")],
                outcomes: [.init(204, "Revoked")]
            ) { call in
                let plan = TokenStore.revoke(id: Identifier(try call.path["id"].int64), now: backend.clock.now())
                try await backend.database.change(call.scope, plan)
                authentication.forget()
                return .noContent
            },
            Endpoint(
                .get, "/api/v1/accounts", "The accounts", access: Roles.administrator,
                outcomes: [.init(200, "The accounts", .object([Field("items", .array(of: Self.account, 0...100_000))]))]
            ) { _ in
                .json(["items": .array(try await accounts.list(village: backend.village.id).map(Self.render))])
            },
            Endpoint(
                .post, "/api/v1/accounts", "Add an account", access: Roles.administrator,
                body: .json(
                    .object([
                        Field("username", .string(1...100)), Field("password", .string(1...1000)), Field("role", role),
                        .optional("cooperative", .string(1...60)),
                    ])),
                outcomes: [.init(201, "Added", .object([Field("username", .string())]))]
            ) { call in
                let username = try call.body["username"].string
                let plan = accounts.create(
                    username: username, password: try call.body["password"].string,
                    role: try Role(named: call.body["role"].string),
                    cooperative: try call.body["cooperative"].orNil?.string)
                return try await carryOut(call, plan) { ["username": .string(username.lowercased())] }
            },
            Endpoint(
                .delete, "/api/v1/accounts/{username}", "Shut an account and end its tokens",
                access: Roles.administrator, pathParameters: [.init("username", .string(1...100), "The username")],
                outcomes: [.init(204, "Shut")]
            ) { call in
                let plan = accounts.disable(username: try call.path["username"].string)
                try await backend.database.change(call.scope, plan)
                authentication.forget()
                return .noContent
            },
        ]
    }

    private func signIn(_ call: Call) async throws -> Answer {
        try signIns.check(call.client)
        let username = try call.body["username"].string
        let accounts = AccountStore(backend.database, hasher: backend.hasher)
        guard
            let (account, person) = try await accounts.authenticate(
                username: username, password: call.body["password"].string, village: backend.village.id)
        else {
            throw Refusal(
                .unauthenticated, "wrong-password", zh: "用户名或密码不对", en: "the username or the password is wrong")
        }
        let secret = try await backend.database.change(
            person.scope, TokenStore.open(for: account, person, hours: 12, now: backend.clock.now()))
        return .json(["token": .string(secret.text)], status: .created)
    }

    private static let token = Schema.named(
        "Token",
        .object([
            Field("id", .integer(1...Int64(Int32.max))), Field("name", .string()), Field("role", .string()),
            .optional("cooperative", .string()), Field("createdAt", .instant), Field("expiresAt", .instant),
            .optional("revokedAt", .instant),
        ]))

    private static func render(_ token: Token) -> JSON {
        [
            "id": JSON(token.id), "name": .string(token.name), "role": .string(token.role.rawValue),
            "cooperative": Shapes.text(token.cooperative), "createdAt": Shapes.instant(token.createdAt),
            "expiresAt": Shapes.instant(token.expiresAt), "revokedAt": token.revokedAt.map(Shapes.instant) ?? .null,
        ]
    }

    private static let account = Schema.named(
        "Account",
        .object([
            Field("username", .string()), Field("role", .string()), .optional("cooperative", .string()),
            Field("createdAt", .instant), .optional("disabledAt", .instant),
        ]))

    private static func render(_ account: Account) -> JSON {
        [
            "username": .string(account.username), "role": .string(account.role.rawValue),
            "cooperative": Shapes.text(account.cooperative), "createdAt": Shapes.instant(account.createdAt),
            "disabledAt": account.disabledAt.map(Shapes.instant) ?? .null,
        ]
    }
}
