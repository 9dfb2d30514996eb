import Access
import Database
import Documents
import Kernel

/// Signing in and out, and what one does about oneself.
extension Site {
    var signInEndpoints: [Endpoint] {
        let password = Schema.string(1...1000, .secret)
        return [
            Endpoint(
                .post, "/api/v1/session", "Sign in with a password: a token for 12 hours", access: .anyone,
                body: .json(.object([Field("username", .string(1...100)), Field("password", password)])),
                outcomes: [.init(201, "Signed in", Shapes.tokenSecret)], takesIdempotencyKey: false
            ) { call in
                try signIns?.check(call.client)
                let credential = try await credential(call.body["username"].string, call.body["password"].string, call)
                let token = try await backend.database.change(
                    credential.person.scope,
                    TokenStore.open(for: credential, hours: 12, now: backend.clock.now()))
                return .json(Shapes.tokenSecret.json(token), status: .created)
            },
            Endpoint(
                .delete, "/api/v1/session", "Sign out: the token of this session ends", access: .signedIn,
                outcomes: [.init(204, "Signed out")]
            ) { call in
                let plan = TokenStore.signOut(try call.person, now: backend.clock.now())
                try await backend.database.change(call.scope, plan)
                authentication.forget()
                return .noContent
            },
            Endpoint(
                .get, "/api/v1/me", "Who the token belongs to", access: .signedIn,
                outcomes: [.init(200, "The person", Shapes.person)]
            ) { call in .json(Shapes.person.json(try call.person)) },
            Endpoint(
                .put, "/api/v1/me/password", "Change one's own password; one's other sessions end", access: .signedIn,
                body: .json(.object([Field("present", password), Field("password", password, "The new one")])),
                outcomes: [.init(204, "Changed")]
            ) { call in
                let person = try call.person
                guard let username = person.username else {
                    throw Refusal(
                        .conflict, "no-session", zh: "令牌没有密码；请用账号登录", en: "a token has no password: sign in first")
                }
                let credential = try await credential(username, call.body["present"].string, call)
                let plan = try await accounts.changePassword(
                    of: credential, to: call.body["password"].string, keeping: person.token)
                try await backend.database.change(call.scope, plan)
                authentication.forget()
                return .noContent
            },
        ]
    }

    var accounts: AccountStore { AccountStore(backend.database, hasher: backend.hasher) }

    /// Sees that a password is right; who guesses is slowed down, and the audit tells of it.
    private func credential(_ username: String, _ password: String, _ call: Call) async throws
        -> AccountStore.Credential
    {
        let attempt: GuessLimiter<ClientAddress>.Attempt
        do {
            attempt = try guesses.admit(username, of: backend.village.id, from: call.client)
        } catch {
            throw RefusalWithFields(
                refusal: Refusal(
                    .tooMany, "too-many-guesses", zh: "密码错误次数过多，请在 \(error.seconds) 秒后再试",
                    en: "too many wrong passwords; try again in \(error.seconds) seconds"),
                headers: [.retryAfter: String(error.seconds)])
        }
        let found: AccountStore.Credential?
        do {
            found = try await accounts.authenticate(
                username: username, password: password, village: backend.village.id)
        } catch {
            guesses.withdrawn(attempt)
            throw error
        }
        guard let found else {
            try await accounts.tell(guesses: attempt.guesses, of: username, village: backend.village.id)
            throw AccountRules.wrongPassword
        }
        guesses.succeeded(attempt)
        return found
    }
}
