import Documents
import Foundation
import Kernel
import Testing

@testable import Web

extension SiteTests {
    /// The tour desk's catalogue over HTTP, and what anyone sees of it.
    @Suite struct Catalogue {
        @Test func aStaleEditIsRefusedAndAFreshOneIsNot() async throws {
            let village = try Served.village
            let site = "/api/v1/tours/sites/\(try await village.makeSite())"
            let session = "/api/v1/tours/sessions/\(try await village.planSession())"
            let edits: [String: JSON] = [site: ["closes": "19:00"], session: ["capacity": 12]]
            for (path, body) in edits {
                let tag = try #require(try await village.send("GET", path, as: "desk").headers["etag"])
                let first = try await village.send("PATCH", path, as: "desk", body, headers: ["If-Match": tag])
                #expect(first.status == 200 && first.headers["etag"] != tag)
                let second = try await village.send("PATCH", path, as: "desk", body, headers: ["If-Match": tag])
                #expect(second.status == 412)
                let seen = try await village.send("GET", path, as: "desk", headers: ["If-None-Match": tag])
                #expect(seen.status == 200)
            }
            let step = try await village.send(
                "POST", session + "/steps", as: "desk", ["step": "cancel"], headers: ["If-Match": "\"v1\""])
            #expect(step.status == 412)
        }

        @Test func aChineseNameIsFoundByItsAddress() async throws {
            let village = try Served.village
            let name = "采摘园/" + fresh("东")
            _ = try await village.post("/api/v1/tours/sites", as: "desk", ["name": .string(name), "kind": "orchard"])
            let escaped = try #require(name.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
            #expect(try await village.get("/api/v1/tours/sites/\(escaped)", as: "auditor")["site"] == .string(name))
        }

        @Test func aRepetitionTellsWhatItLeavesOut() async throws {
            let village = try Served.village
            let site = try await village.makeSite()
            let first = village.today.adding(days: 40)
            _ = try await village.post(
                "/api/v1/tours/sites/\(site)/closures", as: "desk",
                ["day": JSON(first.adding(days: 1)), "reason": "flood"])
            let planned = try await village.post(
                "/api/v1/tours/sessions?lang=en", as: "desk",
                [
                    "site": .string(site), "programme": .string(ServedVillage.tourProgramme), "day": JSON(first),
                    "time": "9:00", "capacity": 5, "until": JSON(first.adding(days: 2)),
                ])
            #expect(try planned["sessions"].array.map { $0["day"] } == [JSON(first), JSON(first.adding(days: 2))])
            let left = try #require(try planned["leftOut"].array.first)
            #expect(left["day"] == JSON(first.adding(days: 1)))
            #expect(try left["reason"].string.contains("flood"))
        }

        @Test func anyoneSeesFreeSessionsPageByPage() async throws {
            let village = try Served.village
            let site = try await village.makeSite()
            let first = village.today.adding(days: 200)
            _ = try await village.post(
                "/api/v1/tours/sessions", as: "desk",
                [
                    "site": .string(site), "programme": .string(ServedVillage.tourProgramme), "day": JSON(first),
                    "time": "9:00", "capacity": 5, "until": JSON(first.adding(days: 4)),
                ])
            let query = "/api/v1/tours/sessions?from=\(first)&to=\(first.adding(days: 4))"
            var days: [JSON] = []
            var cursor = ""
            repeat {
                let page = try await village.get("\(query)&limit=2\(cursor)")
                days += try page["items"].array.map { $0["day"] }
                #expect(try page["items"].array.allSatisfy { $0["free"] == 5 && $0["held"] == .null })
                cursor = try page["next"].orNil.map { "&cursor=\(try $0.string)" } ?? ""
            } while !cursor.isEmpty
            #expect(days == (0...4).map { JSON(first.adding(days: $0)) })
            #expect(try await village.get(query + "&seats=6")["items"] == [])
            let desk = try await village.get(
                "/api/v1/tours/timetable?from=\(first)&to=\(first.adding(days: 4))&site=\(site)", as: "committee")
            #expect(try desk["items"].array.count == 5)
            for cursor in ["eHg", "!!", "MQ"] {
                let reply = try await village.send("GET", "\(query)&cursor=\(cursor)")
                #expect(try reply.status == 422 && reply.problem()["field"] == "cursor")
            }
            #expect(try await village.send("GET", "/api/v1/tours/sessions?from=2026-02-01&to=2026-01-01").status == 422)
        }

        @Test func theCalendarHoldsTheSessions() async throws {
            let village = try Served.village
            let feed = try await village.send("GET", "/tours/calendar.ics?lang=en")
            #expect(feed.headers["content-type"] == "text/calendar; charset=utf-8")
            #expect(feed.text.contains("UID:session-\(village.session)@localhost:8080\r\n"))
            let single = try await village.send("GET", "/tours/sessions/\(village.session).ics")
            #expect(single.text.components(separatedBy: "BEGIN:VEVENT").count == 2)
            #expect(single.text.contains("SUMMARY:\(ServedVillage.tourProgramme)\r\n"))
            #expect(try await village.send("GET", "/tours/sessions/4000000000.ics").status == 404)
        }

        @Test func aCalendarThatHasNotChangedIsNotSentAgain() async throws {
            let village = try Served.village
            let session = try await village.tourSession()
            let target = "/tours/sessions/\(session).ics?lang=zh"
            let first = try await village.send("GET", target)
            let tag = try #require(first.headers["etag"])
            #expect(try await village.send("GET", target).body == first.body)
            let again = try await village.send("GET", target, headers: ["If-None-Match": tag])
            #expect(again.status == 304 && again.body.isEmpty && again.headers["etag"] == tag)
            let closed = try await village.send(
                "POST", "/api/v1/tours/sessions/\(session)/steps", as: "desk", ["step": "cancel"])
            #expect(closed.status < 300, "\(closed.text)")
            let changed = try await village.send("GET", target, headers: ["If-None-Match": tag])
            #expect(changed.status == 200 && changed.headers["etag"] != tag)
            for line in ["SUMMARY:已取消：", "STATUS:CANCELLED\r\n", "TRANSP:TRANSPARENT\r\n", "SEQUENCE:1\r\n"] {
                #expect(changed.text.contains(line), "\(line)")
            }
        }

        @Test func aPlotChangesHandsFromADayOn() async throws {
            let village = try Served.village
            let (first, second, plot) = (fresh("H"), fresh("H"), fresh("P"))
            let households = "户号,户主,网格,帮扶类别,合作社,人口"
            let plots = "地块号,名称,合作社,户号,作物,面积亩"
            let known = try await village.importRegister(
                "households", households, "\(first),某,一网格,一般户,\(ServedVillage.ours),2",
                "\(second),某,一网格,一般户,\(ServedVillage.ours),2")
            #expect(known.status == 200)
            _ = try await village.importRegister("plots", plots, "\(plot),园,\(ServedVillage.ours),\(first),红薯,5")
            let reply = try await village.importRegister(
                "plots?asOf=2025-03-01", as: "clerk", plots, "\(plot),园,\(ServedVillage.ours),\(second),红薯,5")
            #expect(reply.status == 200, "\(reply.text)")
            #expect(try reply.json["updated"] == 1 && reply.json["changeCount"] == 1)
            let change: JSON = [
                "row": 2, "what": .string(plot), "field": "户号", "from": .string(first), "to": .string(second),
                "since": "2025-03-01",
            ]
            #expect(try reply.json["changes"] == [change])
            let shown = try await village.get("/api/v1/plots/\(plot)", as: "clerk")
            #expect(try shown["periods"].array.map { try $0["household"].string } == [second, first])
            #expect(try shown["plot"]["household"].string == second)
            for (target, status) in [
                ("plots?asOf=2025-02-30", 422), ("plots?asOf=2199-01-01", 422), ("harvest?asOf=2025-03-01", 422),
            ] {
                let refused = try await village.importRegister(
                    target, plots, "\(plot),园,\(ServedVillage.ours),\(first),红薯,5")
                #expect(refused.status == status, "\(target): \(refused.status)")
            }
            for target in ["/api/v1/plots/\(plot)", "/api/v1/households/\(first)"] {
                #expect(try await village.send("GET", target, as: "other").status == 404)
            }
        }

        @Test func theDeskImportsBookingsAndNoOtherRegister() async throws {
            let village = try Served.village
            let header = ServedVillage.bookingColumns
            let row = "2019-03-01,2019-03-07,09:00,\(fresh("桃园")),采摘,40,某校,学校,14,12,韩老师,139****6211,45,630,已完成"
            let report = try await village.importRegister("bookings", as: "desk", header, row)
            #expect(report.status == 200)
            #expect(try report.json["recorded"] == 1 && report.json["created"].array.count >= 2)
            let again = try await village.importRegister("bookings", as: "administrator", header, row)
            #expect(try again.json["already"] == 1)
            for (kind, person) in [
                ("income", "desk"), ("households", "desk"), ("bookings", "clerk"), ("bookings", "committee"),
                ("sales", "committee"), ("harvest", "committee"), ("income", "clerk"),
                ("bookings", "auditor"), ("income", "auditor"),
            ] {
                let reply = try await village.importRegister(kind, as: person, header, row)
                #expect(reply.status == 403, "\(kind) \(person)")
            }
            let paths = try await village.get("/openapi.json")["paths"]
            for (kind, roles) in [
                ("bookings", ["desk", "administrator"] as JSON), ("sales", ["clerk", "administrator"]),
                ("households", ["clerk", "committee", "administrator"]),
            ] {
                #expect(paths["/api/v1/imports/\(kind)"]["post"]["security"] == [["bearer": roles]])
            }
            let bad = try await village.importRegister("bookings", as: "desk", header, row.replacing("已完成", with: "好"))
            #expect(bad.status == 422)
            #expect(try bad.json["report"]["refused"].array.first?["field"] == "状态")
        }
    }
}
