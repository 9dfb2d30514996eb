import Database
import Documents
import Foundation
import Kernel
import TestSupport
import Testing

@testable import Web

extension SiteTests {
    /// The main job over HTTP: a harvest becomes a signed batch, is verified, is sold, and shows up as income.
    @Suite struct Job {
        @Test func fromTheHarvestToTheSummary() async throws {
            let village = try Served.village
            let day = JSON.string("2021-05-06")
            let harvest = ServedVillage.harvest(grams: 1_250_000, on: try day.day)
            let answer = try await village.post("/api/v1/batches", as: "clerk", harvest)
            let batch = try answer["batch"].int64
            let payload = try answer["code"]["payload"].string
            #expect(answer["code"]["url"] == .string("http://localhost:8080/\(payload)"))

            let verdict = try await village.get("/api/v1/codes/\(payload)")
            let key = try await village.get("/api/v1/codes/\(payload)")["keyId"].string
            let expected: JSON = [
                "answer": "genuine", "kind": "batch", "batch": .integer(batch), "serial": .null,
                "issuedDay": JSON(village.today), "bestBeforeDay": "2021-11-02", "pastBestBefore": true,
                "keyId": .string(key), "origin": "localhost:8080", "product": "红薯", "variety": "烟薯25", "grade": "特级",
                "harvestedOn": day, "cooperative": .string(ServedVillage.ours), "village": "韩村", "brand": "津小韩",
            ]
            #expect(verdict == expected)
            let keys = try await village.get("/.well-known/jwks.json")["keys"].array
            #expect(keys.contains { $0["kid"] == .string(key) })

            let sale = try await village.post(
                "/api/v1/sales", as: "clerk", ServedVillage.sale(batch, grams: 500_250, on: try day.day))
            #expect(sale["total"] == JSON(Money(fen: 850_425)))
            #expect(try await village.stock(batch) == 749_750)
            let withdrawal: JSON = ["kind": "loss", "weight": JSON(Weight(grams: 750)), "day": day]
            let left = try await village.post("/api/v1/batches/\(batch)/withdrawals", as: "clerk", withdrawal)
            #expect(left["stock"] == JSON(Weight(grams: 749_000)))
            let movements = try await village.get("/api/v1/batches/\(batch)", as: "clerk")["movements"].array
            #expect(movements.map { $0["grams"] } == [-750, -500_250, 1_250_000])
            #expect(movements.map { $0["kind"] } == ["loss", "sale", "harvest"])

            let query = "from=2021-05-06&to=2021-05-06&by=month,source,product,cooperative,channel,household"
            let summary = try await village.get("/api/v1/income/summary?\(query)", as: "committee")
            let row: JSON = [
                "month": "2021-05", "source": "sales", "product": "红薯", "cooperative": .string(ServedVillage.ours),
                "channel": "批发", "household": "H001 陈玉梅", "amount": JSON(Money(fen: 850_425)),
            ]
            #expect(summary["rows"] == [row])
            #expect(summary["total"] == JSON(Money(fen: 850_425)))

            #expect(
                try await village.post("/api/v1/batches/\(batch)/revocations", as: "clerk", ["reason": "标签遗失"])["batch"]
                    == .integer(batch))
            #expect(try await village.get("/api/v1/codes/\(payload)")["answer"] == "revoked")
            let page = try await village.send("GET", "/\(payload)?lang=zh")
            #expect(page.text.contains("已作废"))
            let again = try await village.send(
                "POST", "/api/v1/batches/\(batch)/revocations", as: "clerk", ["reason": "再次"])
            #expect(again.status == 409)
            try await village.checkBooks()
        }

        @Test func aRecallIsSeenAtOnceAndEnds() async throws {
            let village = try Served.village
            let (batch, payload) = try await village.register()
            for (step, answer) in [("open", "recalled"), ("end", "genuine"), ("open", "recalled")] {
                _ = try await village.post(
                    "/api/v1/batches/\(batch)/recalls", as: "committee", ["step": .string(step), "reason": "农残超标"])
                #expect(try await village.get("/api/v1/codes/\(payload)")["answer"] == .string(answer))
            }
            #expect(
                try await village.send(
                    "POST", "/api/v1/batches/\(batch)/recalls", as: "committee", ["step": "open", "reason": "x"]
                ).status == 409)
        }

        @Test(.enabled("needs zbarimg") { await has("zbarimg") }) func thePictureIsTheCode() async throws {
            let village = try Served.village
            let url = try await village.get("/api/v1/batches/\(village.batch)", as: "clerk")["code"]["url"].string
            let picture = try await village.send("GET", "/api/v1/batches/\(village.batch)/code.png", as: "clerk")
            #expect(picture.headers["content-type"] == "image/png")
            let file = FileManager.default.temporaryDirectory.appending(path: "code-\(UUID()).png")
            defer { try? FileManager.default.removeItem(at: file) }
            try picture.body.write(to: file)
            // The reader may talk of a missing message bus on its other channel.
            let read = try #require(await output("sh", "-c", "zbarimg --raw --quiet '\(file.path)' 2>/dev/null"))
            #expect(read.trimmed == url.replacing("localhost", with: "LOCALHOST"))
            let drawing = try await village.send("GET", "/api/v1/batches/\(village.batch)/code.svg", as: "clerk")
            #expect(drawing.headers["content-type"] == "image/svg+xml")
            #expect(drawing.text.contains("<svg") && !drawing.text.contains("<script"))
        }

        @Test func visitorsAreCountedByPostOnly() async throws {
            let village = try Served.village
            let (batch, payload) = try await village.register()
            func rows() async throws -> Int {
                try await village.count("SELECT count(*) AS count FROM scan WHERE batch_number = \(batch)")
            }
            for path in ["/api/v1/codes/\(payload)", "/\(payload)"] {
                for _ in 0..<3 { #expect(try await village.send("GET", path).status == 200) }
            }
            #expect(try await rows() == 0)
            func scan(_ agent: String, place: JSON = .null) async throws -> JSON {
                let reply = try await village.send(
                    "POST", "/api/v1/codes/\(payload)/scans", ["place": place], headers: ["User-Agent": agent])
                return try reply.json["visitorsToday"]
            }
            #expect(try await scan("phone", place: "天津") == 1)
            #expect(try await scan("phone") == 1)
            #expect(try await scan("<script>alert(1)</script>") == 2)
            let form = try await village.send(
                "POST", "/\(payload)?lang=en", bytes: Data("place=%E6%B2%A7%E5%B7%9E".utf8),
                type: "application/x-www-form-urlencoded", headers: ["User-Agent": "browser"])
            #expect(form.status == 200 && form.text.contains("3 visitors have"))
            #expect(try await rows() == 3)
            let kept = try await village.query(
                "SELECT place, octet_length(visitor) AS length FROM scan WHERE batch_number = \(batch) ORDER BY id")
            #expect(try kept.map { try $0.decode("place", as: String?.self) } == ["天津", nil, "沧州"])
            #expect(try kept.map { try $0.decode("length", as: Int.self) } == [16, 16, 16])
        }

        @Test(arguments: [
            "place=%FF", "place=%zz", "place=" + String(repeating: "x", count: 41), "place=a%00b", "place=a%0Ab",
        ])
        func placesThatAreNone(form: String) async throws {
            let village = try Served.village
            let reply = try await village.send(
                "POST", "/\(village.payload)", bytes: Data(form.utf8), type: "application/x-www-form-urlencoded")
            #expect([400, 422].contains(reply.status))
            _ = try reply.problem()
        }

        @Test func aTokenEndsAtOnce() async throws {
            let village = try Served.village
            let name = JSON.string(fresh("t"))
            let made = try await village.post("/api/v1/tokens", as: "administrator", ["role": "auditor", "name": name])
            let token = try made["token"].string
            #expect(try await village.get("/api/v1/me", as: token)["role"] == "auditor")
            let listed = try await village.get("/api/v1/tokens", as: "administrator")["items"].array
            let id = try #require(listed.first { $0["name"] == name })["id"].int64
            #expect(!listed.contains { String(decoding: $0.bytes, as: UTF8.self).contains(token) })
            #expect(try await village.send("DELETE", "/api/v1/tokens/\(id)", as: "administrator").status == 204)
            let refused = try await village.send("GET", "/api/v1/me", as: token)
            #expect(refused.status == 401 && refused.headers["www-authenticate"] == "Bearer")
            _ = try refused.problem()
        }

        @Test func aPasswordOpensASessionUntilTheAccountIsShut() async throws {
            let village = try Served.village
            let name = fresh("u")
            let secret = "correct horse battery staple"
            _ = try await village.post(
                "/api/v1/accounts", as: "administrator",
                ["username": .string(name), "password": .string(secret), "role": "committee"])
            let opened = try await village.post(
                "/api/v1/session", ["username": .string(name.uppercased()), "password": .string(secret)])
            let token = try opened["token"].string
            #expect(try await village.get("/api/v1/me", as: token)["name"] == .string("account:\(name)"))
            for (user, password) in [(name, "wrong"), (fresh("u"), secret)] {
                let body: JSON = ["username": .string(user), "password": .string(password)]
                let refused = try await village.send("POST", "/api/v1/session", body)
                #expect(try refused.problem()["type"] == "urn:taoyuan:problem:wrong-password")
            }
            #expect(try await village.send("DELETE", "/api/v1/accounts/\(name)", as: "administrator").status == 204)
            #expect(try await village.send("GET", "/api/v1/me", as: token).status == 401)
        }
    }

    /// What belongs to one cooperative is not there for another's clerk.
    @Suite struct Others {
        @Test func anothersBatchIsAsAbsentAsNone() async throws {
            let village = try Served.village
            let nobodys: Int64 = 3_999_999_999
            func requests(_ batch: Int64) -> [(String, String, JSON?)] {
                let path = "/api/v1/batches/\(batch)"
                return [
                    ("GET", path, nil), ("GET", "\(path)/code.svg", nil), ("GET", "\(path)/code.png", nil),
                    ("POST", "\(path)/revocations", ["reason": "x"]),
                    (
                        "POST", "\(path)/withdrawals",
                        ["kind": "gift", "weight": ["grams": 1], "day": JSON(village.today)]
                    ),
                    ("POST", "/api/v1/sales", ServedVillage.sale(batch, on: village.today)),
                ]
            }
            let before = try await village.stock(village.batch)
            let same = ["X-Request-Id": "same"]
            for (ours, nobodys) in zip(requests(village.batch), requests(nobodys)) {
                let reply = try await village.send(ours.0, ours.1, as: "other", ours.2, headers: same)
                let absent = try await village.send(nobodys.0, nobodys.1, as: "other", nobodys.2, headers: same)
                #expect(reply.status == 404, "\(ours.1)")
                _ = try reply.problem()
                // Not even the words tell that it exists.
                #expect(reply.text == absent.text.replacing("3999999999", with: "\(village.batch)"))
            }
            #expect(try await village.stock(village.batch) >= before - 100_000)
            let verdict = try await village.get("/api/v1/codes/\(village.payload)")
            #expect(verdict["answer"] == "genuine")
        }

        @Test func anothersPlotIsAsAbsentAsNone() async throws {
            let village = try Served.village
            for plot in ["D01", "D99"] {
                let harvest = ServedVillage.harvest(plot: plot, on: village.today)
                let reply = try await village.send("POST", "/api/v1/batches", as: "other", harvest)
                #expect(reply.status == 404)
                #expect(try reply.problem()["type"] == "urn:taoyuan:problem:unknown-plot")
            }
            let (own, _) = try await village.register(as: "other", plot: "D02")
            #expect(try await village.send("GET", "/api/v1/batches/\(own)", as: "clerk").status == 404)
            #expect(try await village.send("GET", "/api/v1/batches/\(own)", as: "auditor").status == 200)
        }

        @Test(arguments: ["batches", "sales", "households", "plots"])
        func listsHoldOnesOwn(list: String) async throws {
            let village = try Served.village
            let (batch, _) = try await village.register(as: "other", plot: "D02")
            _ = try await village.post("/api/v1/sales", as: "other", ServedVillage.sale(batch, on: village.today))
            func cooperatives(_ person: String) async throws -> Set<JSON> {
                var seen: Set<JSON> = []
                var cursor = ""
                repeat {
                    let page = try await village.get("/api/v1/\(list)?limit=500\(cursor)", as: person)
                    seen.formUnion(try page["items"].array.map { $0["cooperative"] })
                    cursor = try page["next"].orNil.map { "&cursor=\(try $0.string)" } ?? ""
                } while !cursor.isEmpty
                return seen
            }
            let ours = JSON.string(ServedVillage.ours)
            let others = JSON.string(ServedVillage.others)
            #expect(try await cooperatives("clerk") == [ours])
            #expect(try await cooperatives("other") == [others])
            #expect(try await cooperatives("auditor") == [ours, others])
        }

        @Test func namesAndFiltersAndSumsHoldOnesOwn() async throws {
            let village = try Served.village
            let cooperatives = try await village.get("/api/v1/cooperatives", as: "other")["items"].array
            #expect(cooperatives.map { $0["cooperative"] } == [.string(ServedVillage.others)])
            #expect(cooperatives.map { $0["mergedInto"] } == [.null])
            let sales = try await village.get("/api/v1/sales?batch=\(village.batch)", as: "other")
            #expect(sales["items"] == [])
            #expect(
                try await village.get("/api/v1/sales?batch=\(village.batch)", as: "clerk")["items"].array.isEmpty
                    == false)
            let day = try JSON.string("2021-07-01").day
            for (person, plot) in [("clerk", "D01"), ("other", "D02")] {
                let (batch, _) = try await village.register(as: person, plot: plot, on: day)
                _ = try await village.post("/api/v1/sales", as: person, ServedVillage.sale(batch, on: day))
            }
            let query = "/api/v1/income/summary?from=2021-07-01&to=2021-07-01"
            #expect(try await village.get(query, as: "clerk")["total"] == JSON(Money(fen: 1700)))
            #expect(try await village.get(query, as: "other")["total"] == JSON(Money(fen: 1700)))
            #expect(try await village.get(query, as: "auditor")["total"] == JSON(Money(fen: 3400)))
        }

        @Test func pagesOfAListHaveEachRowOnce() async throws {
            let village = try Served.village
            for _ in 0..<5 { _ = try await village.register(as: "other", plot: "D02") }
            var seen: [Int64] = []
            var cursor = ""
            repeat {
                let page = try await village.get("/api/v1/batches?limit=2\(cursor)", as: "other")
                seen += try page["items"].array.map { try $0["batch"].int64 }
                cursor = try page["next"].orNil.map { "&cursor=\(try $0.string)" } ?? ""
            } while !cursor.isEmpty
            #expect(seen.count >= 5 && Set(seen).count == seen.count)
            #expect(seen == seen.sorted(by: >))
        }
    }
}
