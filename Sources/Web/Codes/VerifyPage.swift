import Codes
import Foundation
import Kernel
import Signing

extension Site {
    var pageEndpoints: [Endpoint] {
        let payload = Endpoint.Parameter("payload", .string(1...400), "The code")
        return [
            Endpoint(
                .get, "/", "Where a code can be typed in", access: .anyone,
                query: [.init("code", .string(1...400, .lines), "A code or its address, as it was copied")],
                isDocumented: false
            ) { call in
                if let code = try call.query["code"].orNil?.string {
                    let payload = CodeRules.payload(in: code)
                    guard CodeRules.isLikeACode(payload) else { return try await page(payload, call) }
                    if let host = CodeRules.foreignHost(in: code, ours: backend.keys.origins) {
                        try verifications?.check(call.client)
                        return try await page(payload, typed: code, under: host, call)
                    }
                    return .seeOther("/\(payload)?lang=\(call.language.rawValue)")
                }
                return .html(try home(call.language))
            },
            Endpoint(
                .get, "/{payload}", "What a scanned label opens", access: .anyone, pathParameters: [payload],
                outcomes: [.init(200, "The answer as a page", contentType: "text/html; charset=utf-8")]
            ) { call in
                try verifications?.check(call.client)
                let payload = try call.path["payload"].string
                guard CodeRules.isLikeACode(payload) else { throw Refusal.noSuchPage }
                return try await page(payload, call)
            },
            Endpoint(
                .post, "/{payload}", "The page's button: count this scan", access: .anyone, pathParameters: [payload],
                body: .bytes(["application/x-www-form-urlencoded"], limit: 4096), isDocumented: false,
                takesIdempotencyKey: false
            ) { call in
                try verifications?.check(call.client)
                let payload = try call.path["payload"].string
                let place = try call.form.first { $0.name == "place" }?.value.trimmed
                let visitors = try await countScan(payload, place: place.flatMap { $0.isEmpty ? nil : $0 }, call)
                return try await page(payload, visitors: visitors, call)
            },
        ]
    }

    private func home(_ language: Language) throws -> String {
        let texts: [String: Bilingual] = [
            "heading": Bilingual(zh: "查验溯源码", en: "Verify a code"),
            "explanation": Bilingual(
                zh: "用手机扫描包装上的二维码，就能看到它是不是真的、从哪里来。扫不出来时，可以把码里的文字粘贴到这里。",
                en:
                    "Scan the QR code on the label with your phone to see whether it is genuine and where it comes from. If "
                    + "it can't be scanned, paste the text of the code here."),
            "codeLabel": Bilingual(zh: "溯源码或网址", en: "Code or address"),
            "verifyLabel": Bilingual(zh: "查验", en: "Verify"),
            "toursLabel": Bilingual(zh: "预约研学参观", en: "Book a study tour"),
            "footer": Bilingual(zh: "查验不需要账号，也不记录您是谁。", en: "No account is needed, and who you are is not kept."),
        ]
        return try pages.render(
            "home", title: texts["heading"]?[language] ?? "", texts.mapValues { $0[language] },
            village: backend.village, language)
    }

    /// - Parameters:
    ///   - visitors: how many scanned the code today, when this scan was just counted.
    ///   - typed: the whole address that was typed in.
    ///   - host: of that address, when it is none of ours.
    private func page(
        _ payload: String, visitors: Int? = nil, typed: String = "", under host: String? = nil, _ call: Call
    ) async throws -> Answer {
        if let ticket = try ticketPage(payload, call) { return ticket }
        let language = call.language
        let verdict = try await backend.verification.verify(payload)
        let text = VerdictText(verdict, village: backend.village)
        let origin = backend.keys.origin(of: verdict.body?.keyID)
        let isMisplaced = host != nil && verdict.answer.isGood
        var values: [String: Any] = [
            "tone": isMisplaced ? "warn" : text.tone, "mark": isMisplaced ? "!" : text.mark,
            "heading": text.heading[language],
            "explanation": text.explanation[language], "payload": payload,
            "facts": text.facts.map { fact in
                let value: [String: Any] = [
                    "name": fact.name[language], "value": fact.value[language], "isPast": fact.isPast,
                ]
                return fact.day.map { value.merging(["day": $0.description]) { $1 } } ?? value
            },
            "hasFacts": !text.facts.isEmpty, "scanForm": verdict.answer == .genuine && visitors == nil,
            "scanHeading": Bilingual(zh: "帮大家发现被复制的标签", en: "Help to find copied labels")[language],
            "scanExplanation": Bilingual(
                zh: "同一个码被很多人扫过，就可能是被复制了。只记下日期和您填的城市，不记录您是谁。",
                en:
                    "A code that very many people scan may have been copied. The day and your town are kept, not who you are."
            )[language],
            "placeLabel": Bilingual(zh: "所在城市（可不填）", en: "Your town (optional)")[language],
            "countLabel": Bilingual(zh: "登记这次查验", en: "Count my scan")[language],
            "addressLabel": Bilingual(zh: "请核对地址栏：真的查验页只在", en: "Check your address bar: the true page is at")[
                language],
            "origin": origin.text,
            "homeLabel": verdict.goods == nil ? Bilingual(zh: "查验另一个码", en: "Verify another code")[language] : "",
        ]
        if let goods = verdict.goods {
            values["product"] = goods.product
            values["variety"] = goods.variety
            values["grade"] = goods.grade
        }
        if let host, verdict.answer != .malformed {
            values["foreign"] = CodeRules.foreign(host, origin: origin)[language]
            let code = typed.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            values["query"] = "code=\(code)&"
        }
        if let note = text.note { values["note"] = note[language] }
        if let visitors {
            values["counted"] =
                Bilingual(
                    zh: "已登记。今天有 \(visitors) 位顾客查验过这个码。",
                    en:
                        "Counted. \(visitors) \(visitors == 1 ? "visitor has" : "visitors have") scanned this code today."
                )[language]
        }
        let html = try pages.render(
            "verify", title: text.heading[language], values, village: backend.village, language)
        return .html(html, status: verdict.answer == .malformed ? .notFound : .ok)
    }
}
