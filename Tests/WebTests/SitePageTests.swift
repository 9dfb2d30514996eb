import Documents
import Foundation
import Kernel
import TestSupport
import Testing

@testable import Web

extension SiteTests {
    /// What a buyer's phone shows.
    @Suite struct Pages {
        private func page(_ target: String, accept language: String = "", agent: String = "phone") async throws
            -> TestServer.Reply
        {
            try await Served.village.send(
                "GET", target, headers: ["Accept": "text/html", "Accept-Language": language, "User-Agent": agent])
        }

        @Test(arguments: [
            ("zh-CN,zh;q=0.9", "", "正品"), ("en-GB,en;q=0.9", "", "Genuine"), ("en", "?lang=zh", "正品"),
            ("zh", "?lang=en", "Genuine"), ("", "", "正品"), ("fr", "?from=singlemessage&isappinstalled=0", "正品"),
        ])
        func genuineInBothLanguages(accept: String, query: String, heading: String) async throws {
            let village = try Served.village
            let reply = try await page("/\(village.payload)\(query)", accept: accept)
            #expect(reply.status == 200)
            #expect(reply.text.contains(">\(heading)</h1>"))
            #expect(!reply.text.contains("lang=zh-CN"))
            #expect(reply.text.contains("<html lang=\"\(heading == "正品" ? "zh-CN" : "en")\">"))
            #expect(reply.headers["content-language"] == (heading == "正品" ? "zh-CN" : "en"))
            for fact in [
                "红薯", "烟薯25", "特级", "datetime=\"\(village.today)\"", ServedVillage.ours, "津小韩", "韩村",
                "\(village.batch)",
            ] {
                #expect(reply.text.contains(fact), "\(fact)")
            }
            #expect(!reply.text.contains("<script"))
        }

        @Test func headersKeepStrangersOut() async throws {
            let village = try Served.village
            for target in ["/", "/\(village.payload)", "/nonsense"] {
                let reply = try await page(target)
                #expect(reply.headers["content-type"] == "text/html; charset=utf-8")
                let policy = try #require(reply.headers["content-security-policy"])
                #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"))
                #expect(!policy.contains("script-src"))
                #expect(reply.headers["x-content-type-options"] == "nosniff")
                #expect(reply.headers["referrer-policy"] == "no-referrer")
                #expect(reply.headers["vary"] == "Accept-Language")
                #expect(reply.headers["set-cookie"] == nil)
            }
        }

        @Test func everyVerdictHasItsWords() async throws {
            let village = try Served.village
            let codes = try HostileCodes(village)
            let (revoked, revokedCode) = try await village.register()
            _ = try await village.post("/api/v1/batches/\(revoked)/revocations", as: "clerk", ["reason": "x"])
            let (recalled, recalledCode) = try await village.register()
            _ = try await village.post(
                "/api/v1/batches/\(recalled)/recalls", as: "committee", ["step": "open", "reason": "x"])
            let old = try await village.register(plot: "D03", variety: "早露蟠桃", on: JSON.string("2025-06-20").day)
            for (code, zh, en) in [
                (codes.forged, "假冒", "Forged"), (codes.unknownKey, "签发方不明", "Unknown issuer"),
                (codes.unregistered, "未登记", "Not registered"), (revokedCode, "已作废", "Revoked"),
                (recalledCode, "已召回", "Recalled"), (old.payload, "正品", "Genuine"),
            ] {
                let chinese = try await page("/\(code)?lang=zh")
                let english = try await page("/\(code)?lang=en")
                #expect(chinese.status == 200 && english.status == 200)
                #expect(chinese.text.contains(">\(zh)</h1>"))
                #expect(english.text.contains(">\(en)</h1>"))
                #expect(chinese.text.contains("已过最佳食用日期") == (code == old.payload))
                // Only the genuine is green.
                #expect(chinese.text.contains("answer good") == (zh == "正品"))
            }
        }

        @Test(arguments: [
            "%3Cscript%3Ealert(1)%3C%2Fscript%3E", "%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E", "%7B%7Bpayload%7D%7D",
            "'%3E%3Csvg%20onload=alert(1)%3E", "..%2F..%2Fetc%2Fpasswd", "%E6%A1%83", "wp-login.php", ".env",
            "javascript:alert(1)",
        ])
        func hostilePathsAreText(path: String) async throws {
            let reply = try await page("/\(path)", agent: "<script>alert(2)</script>")
            #expect(reply.status == 404)
            #expect(reply.text.contains("没有这个地址") && !reply.text.contains("不是溯源码"))
            for mark in ["<script", "<img", "<svg", "onerror=alert(1)>", "onload=alert(1)>", "root:"] {
                #expect(!reply.text.contains(mark))
            }
        }

        @Test func aWrongAddressIsNoWrongCode() async throws {
            let village = try Served.village
            for path in ["foo", "admin", "favicon.ico", "foo/bar", "tours/nothing", "robots.txt", "桃"] {
                let encoded = path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? ""
                for (language, words) in [("zh", "没有这个地址"), ("en", "There is nothing at this address.")] {
                    let reply = try await page("/\(encoded)?lang=\(language)")
                    #expect(reply.status == 404 && reply.text.contains(words), "\(path)")
                    #expect(!reply.text.contains("不是溯源码") && !reply.text.contains("Not a code"))
                    #expect(reply.text.contains("href=\"/tours?lang=\(language)\""))
                }
            }
            // Cut short, a letter too many, and letters that are none of its alphabet's.
            let code = village.payload
            for path in [String(code.prefix(60)), code + "A", "01" + code.dropFirst(2), code.lowercased().dropLast()] {
                let reply = try await page("/\(path)?lang=zh")
                #expect(reply.status == 404 && reply.text.contains("不是溯源码"), "\(path)")
            }
        }

        @Test(arguments: [("zh", "预约研学参观"), ("en", "Book a study tour")])
        func homeLeadsToTheTours(language: String, words: String) async throws {
            let home = try await page("/?lang=\(language)")
            #expect(home.text.contains("<a href=\"/tours?lang=\(language)\">\(words)</a>"))
        }

        @Test func hostilePlacesAreText() async throws {
            let village = try Served.village
            let (batch, payload) = try await village.register()
            let reply = try await village.send(
                "POST", "/\(payload)?lang=zh", bytes: Data("place=%3Cscript%3Ealert(1)%3C/script%3E".utf8),
                type: "application/x-www-form-urlencoded", headers: ["User-Agent": "<script>"])
            #expect(reply.status == 200 && reply.text.contains("1 位"))
            #expect(!reply.text.contains("<script"))
            let kept = try await village.query("SELECT place FROM scan WHERE batch_number = \(batch)")
            #expect(try kept.first?.decode("place", as: String.self) == "<script>alert(1)</script>")
        }

        @Test func aCodeIsTypedIn() async throws {
            let village = try Served.village
            let home = try await page("/", accept: "zh")
            #expect(home.status == 200 && home.text.contains("查验溯源码") && home.text.contains("name=\"code\""))
            for text in [
                village.payload, village.payload.lowercased(), "HTTP://LOCALHOST:8080/\(village.payload)",
                "  \(village.payload) ",
            ] {
                let code = text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
                let reply = try await page("/?code=\(code)&lang=en")
                #expect(reply.text.contains(">Genuine</h1>"), "\(text)")
            }
            let copied = "http%3A%2F%2Fother%2Ecn%2F\(village.payload)"
            let foreign = try await page("/?code=\(copied)&lang=en")
            #expect(foreign.status == 200 && foreign.text.contains(">Genuine</h1>"))
            let warning = try #require(foreign.text.range(of: "not ours (other.cn); our labels say localhost:8080"))
            let answer = try #require(foreign.text.range(of: ">Genuine</h1>"))
            #expect(warning.lowerBound < answer.lowerBound && !foreign.text.contains("answer good"))
            #expect(foreign.text.contains("href=\"?code=\(copied)&amp;lang=zh\""))
            for text in [
                "hello", "tours", "%3Cscript%3E", "..%2F", "%25", "a%0D%0ASet-Cookie:x=1", "%2F%2Fevil.example",
            ] {
                let reply = try await page("/?code=\(text)&lang=zh")
                #expect(reply.status == 404 && reply.text.contains("不是溯源码"), "\(text)")
                #expect(reply.headers["set-cookie"] == nil && !reply.text.contains("<script"))
            }
        }

        @Test(.enabled("needs Chromium") { await has("chromium") }, arguments: [("zh", "正品"), ("en", "Genuine")])
        func aBrowserShowsTheVerdict(language: String, heading: String) async throws {
            let village = try Served.village
            let folder = FileManager.default.temporaryDirectory.appending(path: "chromium-\(UUID())")
            defer { try? FileManager.default.removeItem(at: folder) }
            let address = "http://127.0.0.1:\(village.server.port)/\(village.payload)?lang=\(language)"
            let browser = [
                "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--user-data-dir=\(folder.path)", "--window-size=390,844",
            ].joined(separator: " ")
            let picture = folder.path + ".png"
            defer { try? FileManager.default.removeItem(atPath: picture) }
            let dom = try #require(
                await output(
                    "sh", "-c", "HOME=\(folder.path) timeout 60 \(browser) --dump-dom '\(address)' 2>/dev/null"))
            #expect(dom.contains(">\(heading)</h1>"))
            let taken = await output(
                "sh", "-c", "HOME=\(folder.path) timeout 60 \(browser) --screenshot=\(picture) '\(address)' 2>&1")
            #expect(taken != nil)
            let size = try FileManager.default.attributesOfItem(atPath: picture)[.size] as? Int
            #expect(size ?? 0 > 10_000)
        }
    }
}
