import Codes
import Kernel
import Signing

extension Site {
    var pageEndpoints: [Endpoint] {
        let payload = Endpoint.Parameter("payload", .string(1...400), "The code")
        return [
            Endpoint(
                .get, "/", "Where a code can be typed in", access: .anyone,
                query: [.init("code", .string(1...400), "A code or its address")], isDocumented: false
            ) { call in
                if let code = try call.query["code"].orNil?.string {
                    let payload = CodeRules.payload(in: code)
                    let isPlain = payload.utf8.allSatisfy { $0 < 0x80 && $0 > 0x20 } && !payload.isEmpty
                    guard isPlain, !payload.contains("%") else { return try await page(payload, nil, call) }
                    return .seeOther("/\(payload)?lang=\(call.language.rawValue)")
                }
                return .html(try home(call.language))
            },
            Endpoint(
                .get, "/{payload}", "What a scanned label opens", access: .anyone, pathParameters: [payload],
                outcomes: [.init(200, "The answer as a page", contentType: "text/html; charset=utf-8")]
            ) { call in
                try verifications?.check(call.client)
                return try await page(call.path["payload"].string, nil, call)
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
                return try await page(payload, visitors, call)
            },
        ]
    }

    private func home(_ language: Language) throws -> String {
        let texts: [String: Bilingual] = [
            "heading": Bilingual(zh: "查验溯源码", en: "Verify a code"),
            "explanation": Bilingual(
                zh: "用手机扫描包装上的二维码，或在这里输入码下的文字。",
                en: "Scan the QR code on the label with your phone, or type the text of the code here."),
            "codeLabel": Bilingual(zh: "溯源码", en: "Code"), "verifyLabel": Bilingual(zh: "查验", en: "Verify"),
            "footer": Bilingual(zh: "查验不需要账号，也不记录您是谁。", en: "No account is needed, and who you are is not kept."),
        ]
        return try pages.render(
            "home", title: texts["heading"]?[language] ?? "", texts.mapValues { $0[language] },
            village: backend.village, language)
    }

    /// - Parameter visitors: how many scanned the code today, when this scan was just counted.
    private func page(_ payload: String, _ visitors: Int?, _ call: Call) async throws -> Answer {
        let language = call.language
        let verdict = try await backend.verification.verify(payload)
        let text = VerdictText(verdict, village: backend.village)
        var values: [String: Any] = [
            "tone": text.tone, "mark": text.mark, "heading": text.heading[language],
            "explanation": text.explanation[language], "payload": payload,
            "facts": text.facts.map { ["name": $0.name[language], "value": $0.value] },
            "hasFacts": !text.facts.isEmpty, "scanForm": verdict.goods != nil && visitors == nil,
            "placeLabel": Bilingual(zh: "所在城市（可不填）", en: "Town (optional)")[language],
            "countLabel": Bilingual(zh: "计入查验", en: "Count my scan")[language],
            "footer": Bilingual(
                zh: "签发网址：\(backend.village.origin)。请核对地址栏是否为此网址。查验不记录您是谁。",
                en: "Issued by \(backend.village.origin): check that your address bar says so. Who you are is not kept."
            )[language],
        ]
        if let note = text.note { values["note"] = note[language] }
        if let visitors {
            values["counted"] = Bilingual(
                zh: "已计入：今天有 \(visitors) 位顾客查验过这个码。", en: "Counted: \(visitors) visitors scanned this code today.")[language]
        }
        let html = try pages.render(
            "verify", title: text.heading[language], values, village: backend.village, language)
        return .html(html, status: verdict.answer == .malformed ? .notFound : .ok)
    }
}
