import Access
import Database
import Documents
import Kernel
import Signing
import Synchronization

extension Site {
    var accessEndpoints: [Endpoint] {
        let role = Look<Role>.word.schema
        return [
            Endpoint(
                .get, "/api/v1/tokens", "The tokens, without their secrets", access: .whoMay(.manageAccounts),
                outcomes: [.init(200, "The tokens", .list(of: Shapes.token))]
            ) { _ in
                .list(try await TokenStore(backend.database).list(village: backend.village.id), Shapes.token)
            },
            Endpoint(
                .post, "/api/v1/tokens", "Make a token; its secret is in this answer only",
                access: .whoMay(.manageAccounts),
                body: .json(
                    .object([
                        Field("role", role), .optional("cooperative", .string(1...60)), Field("name", .string(1...100)),
                        .optional("days", .integer(1...3650)),
                    ])),
                outcomes: [.init(201, "Made", Shapes.tokenSecret)]
            ) { call in
                let plan = TokenStore.create(
                    name: try call.body["name"].string, role: try Role(named: call.body["role"].string),
                    cooperative: try call.body["cooperative"].orNil?.string,
                    days: try call.body["days"].orNil?.int ?? 365, maker: try call.person.account,
                    now: backend.clock.now())
                return .json(Shapes.tokenSecret.json(try await make(plan, call)), status: .created)
            },
            Endpoint(
                .delete, "/api/v1/tokens/{id}", "Revoke a token, at once", access: .whoMay(.manageAccounts),
                pathParameters: [.init("id", .integer(1...Int64(Int32.max)), "The token's number")],
                outcomes: [.init(204, "Revoked")]
            ) { call in
                let plan = TokenStore.revoke(id: Identifier(try call.path["id"].int64), now: backend.clock.now())
                try await backend.database.change(call.scope, plan)
                authentication.forget()
                return .noContent
            },
            Endpoint(
                .get, "/api/v1/accounts", "The accounts", access: .whoMay(.manageAccounts),
                outcomes: [.init(200, "The accounts", .list(of: Shapes.account))]
            ) { _ in
                .list(try await accounts.list(village: backend.village.id), Shapes.account)
            },
            Endpoint(
                .post, "/api/v1/accounts", "Add an account", access: .whoMay(.manageAccounts),
                body: .json(
                    .object([
                        Field("username", .string(1...100)), Field("password", .string(1...1000, .secret)),
                        Field("role", role),
                        .optional("cooperative", .string(1...60)),
                    ])),
                outcomes: [.init(201, "Added", Shapes.newAccount)]
            ) { call in
                let new = (username: try call.body["username"].string, role: try Role(named: call.body["role"].string))
                let plan = try await accounts.create(
                    username: new.username, password: try call.body["password"].string, role: new.role,
                    cooperative: try call.body["cooperative"].orNil?.string, village: backend.village.id)
                return try await carryOut(call, plan, fingerprint: accountFingerprint(call)) {
                    Shapes.newAccount.json(new)
                }
            },
            Endpoint(
                .delete, "/api/v1/accounts/{username}", "Shut an account and end its tokens",
                access: .whoMay(.manageAccounts), pathParameters: [.init("username", .string(1...100), "The username")],
                outcomes: [.init(204, "Shut")]
            ) { call in
                let plan = accounts.disable(username: try call.path["username"].string)
                try await backend.database.change(call.scope, plan)
                authentication.forget()
                return .noContent
            },
            Endpoint(
                .post, "/api/v1/accounts/{username}/enablements", "Open an account that was shut, with its password",
                access: .whoMay(.manageAccounts), pathParameters: [.init("username", .string(1...100), "The username")],
                body: .json(.object([])),
                outcomes: [.init(201, "It can sign in again", Shapes.accountState)]
            ) { call in
                let username = try call.path["username"].string
                return try await carryOut(call, accounts.enable(username: username)) {
                    Shapes.accountState.json((username, false))
                }
            },
        ]
    }

    /// Makes a token, under an `Idempotency-Key` once. The secret is not stored with the answer: who repeats the request
    /// is told that the token has been made.
    private func make(_ plan: @escaping Plan<TokenSecret>, _ call: Call) async throws -> TokenSecret {
        guard let retry = call.retry() else { return try await backend.database.change(call.scope, plan) }
        let made = Mutex<TokenSecret?>(nil)
        let name = { @Sendable (secret: TokenSecret) in TokenSecret.hash(secret.text).hex }
        let first = try await backend.database.change(
            call.scope, once: retry, render: name
        ) { transaction, scope in
            let change = try await plan(transaction, scope)
            made.withLock { $0 = change.known }
            return change
        }
        guard let secret = made.withLock({ $0 }), name(secret) == first else {
            throw Refusal(
                .conflict, "token-made-already", field: "Idempotency-Key",
                zh: "这个请求的令牌已经生成，密文只显示一次；如未收到，请注销它再生成",
                en:
                    "the token of this request was made before and its secret is shown once; if it did not arrive, revoke "
                    + "it and make another")
        }
        return secret
    }

    /// The digest of a request is kept, so the password enters it as a hash that is as costly to guess as the account's.
    private func accountFingerprint(_ call: Call) async throws -> [UInt8]? {
        guard let key = call.idempotencyKey else { return nil }
        let salt = Array(Digest.sha256(Array("\(try call.scope.actor) \(key)".utf8)).prefix(16))
        let others = JSON.object(try call.body.members.filter { $0.key != "password" })
        return Array("\(call.method.rawValue) \(call.target)\n".utf8) + others.bytes
            + (try await backend.hasher.hash(call.body["password"].string, salt: salt))
    }
}
