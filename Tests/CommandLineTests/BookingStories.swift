import Foundation
import Testing

/// A group's way from the request to the gate, on two machines.
@Suite struct BookingStories {
    private let tomorrow = String(
        Date(timeIntervalSinceNow: Double(86_400 + 8 * 3600)).ISO8601Format().prefix(10))

    /// A village with one session of 30 seats tomorrow.
    private func village() async throws -> (village: Village, session: String) {
        let village = try await Village.founded()
        _ = try await village.json("tour", "site", "add", "蟠桃采摘园", "--kind", "orchard")
        _ = try await village.json("tour", "programme", "add", "蟠桃采摘", "--minutes", "120", "--price", "68")
        let planned = try await village.json(
            "tour", "session", "add", "--site", "蟠桃采摘园", "--programme", "蟠桃采摘", "--day", tomorrow, "--time", "09:00",
            "--capacity", "30")
        let sessions = try #require(planned["sessions"] as? [[String: Any]])
        return (village, "\(try #require(sessions.first?["session"] as? Int))")
    }

    private func request(_ session: String, headcount: Int, _ more: String...) -> [String] {
        [
            "booking", "request", "--session", session, "--unit", "区委党校", "--kind", "党校", "--headcount",
            "\(headcount)", "--leader", "韩老师", "--phone", "13812345678", "--json",
        ] + more
    }

    /// What the gate told of whom it saw.
    private func checkIn(_ outcome: Outcome) throws -> [String: Any] {
        try #require(try outcome.json()["checkIn"] as? [String: Any])
    }

    private func arrived(_ outcome: Outcome) throws -> Int? { try checkIn(outcome)["arrived"] as? Int }

    private func show(_ number: String, in village: Village) async throws -> [String: Any] {
        try #require(try await village.json("booking", "show", number)["booking"] as? [String: Any])
    }

    @Test func `the same phone and session twice is asked about`() async throws {
        let (village, session) = try await village()
        let first = try await village.run(request(session, headcount: 5)).json()
        let asked = try await village.run(request(session, headcount: 5))
        #expect(asked.status == 1 && asked.output.isEmpty && asked.errors.contains("again"))
        #expect(asked.errors.contains("\(try #require(first["booking"] as? Int))"))
        let meant = try await village.run(request(session, headcount: 5, "--again"))
        #expect(meant.status == 0)
    }

    @Test func `the desk cancels in one go what a phone keeps and nobody has confirmed`() async throws {
        let (village, session) = try await village()
        for _ in 0..<2 { _ = try await village.run(request(session, headcount: 5, "--again")).json() }
        let confirmed = try await village.run(
            request(session, headcount: 5, "--again", "--state", "confirmed")
        ).json()
        let phone = ["--unconfirmed", "--phone", "138 1234 5678"]
        let listed = try await village.run(["booking", "list", "--json"] + phone).json(as: [[String: Any]].self)
        #expect(listed.count == 2)
        for line in [
            "--unconfirmed --phone 13812345678", "17 --phone 13812345678 --reason r", "--unconfirmed --reason r",
        ] {
            let wrong = try await village.run(["booking", "cancel"] + line.split(separator: " ").map(String.init))
            #expect(wrong.status != 0 && wrong.output.isEmpty, "\(line)")
        }
        let cancelled = try await village.run(["booking", "cancel", "--reason", "占位", "--json"] + phone).json()
        #expect((cancelled["bookings"] as? [[String: Any]])?.count == 2)
        let kept = try await show("\(try #require(confirmed["booking"] as? Int))", in: village)
        #expect(kept["state"] as? String == "confirmed")
        #expect(try await village.run(["booking", "list", "--json"] + phone).json(as: [[String: Any]].self).isEmpty)
    }

    @Test func `a group books, comes with its ticket and is income of its day`() async throws {
        let (village, session) = try await village()
        let asked = try await village.run(request(session, headcount: 28)).json()
        #expect(asked["state"] as? String == "requested")
        let number = "\(try #require(asked["booking"] as? Int))"
        let late = try await village.run(request(session, headcount: 10))
        #expect(late.status == 1 && late.output.isEmpty)
        #expect(try await village.run("booking", "ticket", number).status == 1)
        #expect(try await village.json("booking", "confirm", number)["state"] as? String == "confirmed")
        _ = try await village.json("booking", "pay", number, "--amount", "500", "--how", "微信")
        let summary = ["income", "summary", "--from", tomorrow, "--to", tomorrow, "--by", "source", "--json"]
        let before = try await village.run(summary).json()
        #expect((before["total"] as? [String: Int])?["fen"] == 0)

        let ticket = try await village.json("booking", "ticket", number)
        let payload = try #require(ticket["payload"] as? String)
        let picture = village.file("ticket.png")
        #expect(
            try await village.run("booking", "ticket", number, "--qr", "png", "--output", picture).status
                == 0)
        let read = try await village.shell("zbarimg -q --raw '\(picture)'")
        #expect(read.output.uppercased().contains(payload))
        let verified = try await village.run("code", "verify", payload, "--json")
        #expect(verified.status == 1)
        #expect(try verified.json()["answer"] as? String == "malformed")

        let list = village.file("gate.json")
        let made = try await village.run("booking", "gate-list", "--day", tomorrow, "--output", list)
        #expect(made.status == 0 && (made.output + made.errors).contains("1 booking of"))
        // The gate's own machine has the list and nothing else.
        let gate = try Village()
        let checkIn = [
            "booking", "check-in", payload, "--headcount", "27", "--any-day", "--offline", list, "--journal",
            gate.file("journal"), "--json",
        ]
        #expect(try await gate.run(checkIn).json()["result"] as? String == "counted")
        let again = try await gate.run(checkIn)
        #expect(again.status == 1 && again.errors.contains("27") && again.errors.contains("--more"))
        #expect(!FileManager.default.fileExists(atPath: gate.file("data")))

        // The visit is tomorrow: what the gate let in today was to try it out.
        let sync = try await village.run("booking", "sync", gate.file("journal"), "--lang", "zh")
        #expect(sync.status == 1 && sync.output.contains("试用"))
        let kept = try await village.run("booking", "conflicts", "--json").json(as: [[String: Any]].self)
        #expect(kept.count == 1 && kept.first?["why"] as? String == "early")
        let dismissed = try await village.json(
            "booking", "settle", "--conflict", "1", "--dismiss", "--reason", "试用")
        #expect((dismissed["settlement"] as? [String: Any])?["accepted"] as? Bool == false)
        #expect(try await show(number, in: village)["state"] as? String == "confirmed")
        let arrival = ["booking", "check-in", number, "--headcount", "27", "--any-day", "--json"]
        #expect(try await village.run(arrival).json()["result"] as? String == "counted")
        let shown = try await show(number, in: village)
        #expect(shown["state"] as? String == "arrived" && shown["arrived"] as? Int == 27)
        let after = try await village.run(summary).json()
        #expect((after["total"] as? [String: Int])?["fen"] == 28 * 6800)
    }

    @Test func `a torn line of the gate's journal is named, and costs nobody else anything`() async throws {
        let (village, session) = try await village()
        let booked = try await village.run(request(session, headcount: 30, "--state", "confirmed")).json()
        let reference = try #require(booked["reference"] as? String)
        let list = village.file("gate.json")
        #expect(try await village.run("booking", "gate-list", "--day", tomorrow, "--output", list).status == 0)
        let gate = try Village()
        let journal = gate.file("journal")
        func checkIn(_ heads: String, _ more: String...) async throws -> Outcome {
            try await gate.run(
                [
                    "booking", "check-in", reference, "--headcount", heads, "--offline", list, "--journal", journal,
                    "--json",
                ]
                    + more)
        }
        // The list is tomorrow's: either it is the wrong one, or the clock is.
        let early = try await checkIn("18")
        #expect(early.status == 1 && early.errors.contains("--any-day"))
        let first = try await checkIn("18", "--any-day", "--lang", "zh")
        #expect(try arrived(first) == 18 && first.errors.contains("时钟"))
        let torn = #"{"anyDay":true,"code":"ABCD"#
        _ = try await gate.shell("printf '%s' '\(torn)' >> '\(journal)'")
        let second = try await checkIn("12", "--any-day", "--lang", "zh")
        #expect(second.status == 0 && second.errors.contains("第 2 行"))
        #expect(try arrived(second) == 30)
        let lines = try String(contentsOfFile: journal, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 3 && lines[1] == torn)
        let sync = try await village.run("booking", "sync", journal, "--json")
        let told = try sync.json(as: [[String: Any]].self)
        #expect(sync.status == 1)
        #expect(told.map { $0["result"] as? String } == ["conflict", "conflict", "damaged"])
        #expect(told.last?["line"] as? Int == 2)
        let kept = try #require(told.first?["checkIn"] as? [String: Any])
        #expect(kept["why"] as? String == "early" && kept["conflict"] as? Int == 1)
        let again = try await village.run("booking", "sync", journal, "--lang", "zh")
        #expect(again.status == 1 && again.output.contains("第 2 行") && again.output.contains("早已并入"))
    }

    @Test func `what was typed wrong at the gate is taken back`() async throws {
        let (village, session) = try await village()
        let booked = try await village.run(request(session, headcount: 20, "--state", "confirmed")).json()
        let number = "\(try #require(booked["booking"] as? Int))"
        let reference = try #require(booked["reference"] as? String)
        let arrival = ["booking", "check-in", reference, "--any-day", "--json", "--headcount"]
        let wrong = try checkIn(try await village.run(arrival + ["19"]))
        let id = "\(try #require(wrong["checkIn"] as? Int))"
        let undone = try await village.json("booking", "undo", "--check-in", id, "--reason", "打错了")
        #expect(undone["state"] as? String == "confirmed")
        #expect(try arrived(try await village.run(arrival + ["12"])) == 12)
        #expect(try arrived(try await village.run(arrival + ["8"])) == 20)
        let more = try await village.run(arrival + ["5"])
        #expect(more.status == 1)
        #expect(try more.json()["result"] as? String == "twice")
        let story = try await village.run("booking", "show", number, "--lang", "zh")
        #expect(story.output.contains("已撤销：打错了") && story.output.contains("撤销签到"))
        let accepted = try await village.json("booking", "settle", "--conflict", "1", "--dismiss", "--reason", "扫了两次")
        #expect((accepted["settlement"] as? [String: Any])?["accepted"] as? Bool == false)
        let sheet = try await village.run("booking", "day-sheet", "--day", tomorrow, "--format", "csv", "--lang", "zh")
        #expect(sheet.output.contains("分批签到 12 + 8") && sheet.output.contains("撤销签到 19 人：打错了"))
        let back = try await village.json("booking", "undo", number, "--reason", "签错了团")
        #expect(back["state"] as? String == "confirmed" && back["arrived"] is NSNull)
    }

    @Test func `who waits gets the seats that a cancellation frees`() async throws {
        let (village, session) = try await village()
        let first = try await village.run(request(session, headcount: 30)).json()
        let second = try await village.run(request(session, headcount: 12, "--waitlist", "--again")).json()
        #expect(second["state"] as? String == "waitlisted")
        let number = "\(try #require(first["booking"] as? Int))"
        #expect(try await village.json("booking", "cancel", number)["state"] as? String == "cancelled")
        let waiting = "\(try #require(second["booking"] as? Int))"
        #expect(try await show(waiting, in: village)["state"] as? String == "held")
        #expect(try await village.run("booking", "confirm", number).status == 1)
        let stale = try await village.run("booking", "confirm", waiting, "--seen", "1")
        #expect(stale.status == 1)
        // A gate at which nobody came has an empty journal.
        #expect(try await village.run("booking", "sync", village.write("empty", "")).status == 0)
    }

    @Test func `what was picked out of two batches is one sale`() async throws {
        let village = try await Village.founded()
        for kind in ["households", "plots"] {
            try await village.run("import", kind, "\(Village.samples)/\(kind).csv")
        }
        let batches = ["\(try await village.register("20斤").batch)", "\(try await village.register("30斤").batch)"]
        let register = try village.write(
            "bookings.csv",
            """
            预约日期,场次日期,时间,基地,课程,场次容量,单位名称,单位类别,预约人数,实到人数,带队人,联系电话,单价元每人,费用元,状态
            2024-08-01,2024-08-07,09:00,桃园,采摘课,40,某校,学校,14,12,韩老师,139****6211,45,630,已完成
            """)
        _ = try await village.json("import", "bookings", register)
        _ = try await village.json("tour", "programme", "extra", "采摘课", "--kind", "采摘", "--name", "鲜桃", "--price", "12")
        func picked(_ weights: String...) -> [String] {
            ["booking", "picked", "1", "--lang", "zh", "--json"]
                + zip(batches, weights).flatMap { ["--batch", $0, "--weight", $1] }
        }
        let over = try await village.run(picked("12斤", "31斤"))
        #expect(over.status == 1 && over.errors.contains("第 2 个 --weight") && !over.errors.contains("lines["))
        #expect(try await village.run(picked("12斤") + ["--weight", "1斤"]).status == 64)
        let late = try await village.run(picked("12斤", "8斤"))
        #expect(late.status == 1 && late.errors.contains("最佳食用期到 2023-08-28"))
        #expect(try await village.run(picked("12斤", "8斤") + ["--past-best-before"]).status == 0)
        let sales = try await village.run("sale", "list", "--json").json(as: [[String: Any]].self)
        #expect(sales.count == 1 && (sales.first?["lines"] as? [Any])?.count == 2)
        #expect((sales.first?["total"] as? [String: Int])?["fen"] == 20 * 1200)
    }

    @Test func `a message that had nobody to go to is tried again`() async throws {
        let (village, session) = try await village()
        _ = try await village.run(request(session, headcount: 2))
        // Mail alone reaches nobody who gave no address.
        let mail = ["TAOYUAN_SMTP_URL": "smtp://127.0.0.1:9", "TAOYUAN_MAIL_FROM": "tours@example.cn"]
        let lost = try await village.run(["message", "send", "--json"], environment: mail).json()
        #expect(lost["noAddress"] as? Int == 1 && lost["givenUp"] as? Int == 0)
        #expect(try await village.run("message", "list", "--state", "given-up", "--json").output == "[]\n")
        #expect(try await village.run("message", "retry", "99").status == 1)
        let retried = try await village.json("message", "retry", "1")
        #expect(retried["state"] as? String == "waiting" && retried["attempts"] as? Int == 0)
        let twice = try await village.run("message", "retry", "1")
        #expect(twice.status == 1 && twice.errors.contains("waiting"))
        #expect(try await village.json("message", "retry", "--all-failed")["retried"] as? Int == 0)
        _ = try await village.run(["message", "send"], environment: mail)
        #expect(try await village.json("message", "retry", "--all-failed")["retried"] as? Int == 1)
        let sent = try await village.shell(
            """
            python3 -c '
            import http.server
            class Hook(http.server.BaseHTTPRequestHandler):
                def do_POST(self):
                    self.rfile.read(int(self.headers["Content-Length"]))
                    self.send_response(200)
                    self.end_headers()
            server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
            print(server.server_port, flush=True)
            server.handle_request()
            ' > port 2> /dev/null &
            until [ -s port ]; do sleep 0.1; done
            TAOYUAN_WEBHOOK_URL="http://127.0.0.1:$(cat port)/" '\(Village.program)' message send --json
            wait
            """)
        #expect(try sent.json()["sent"] as? Int == 1, "\(sent.errors)")
        for arguments in [
            ["message", "retry"], ["message", "retry", "1", "--all-failed"], ["message", "retry", "x"],
        ] {
            #expect(try await village.run(arguments).status == 64)
        }
    }

    @Test(arguments: [
        ["picked", "1", "--batch", "1"],
        ["picked", "1", "--batch", "1", "--batch", "2", "--weight", "1kg", "--weight", "2kg", "--batch", "3"],
        ["request"], ["confirm"], ["pay", "1", "--amount", "viel", "--how", "x"], ["check-in", "x"],
        ["check-in", "x", "--headcount", "1", "--journal", "j"], ["ticket"], ["gate-list", "--day", "2026-02-30"],
        ["refund", "decide", "1"], ["undo", "--reason", "x"], ["undo", "1"],
        ["settle", "--conflict", "1", "--reason", "x"], ["settle", "--conflict", "1", "--accept", "--dismiss"],
        ["nonesuch"],
    ])
    func `wrong usage is told before anything is opened`(arguments: [String]) async throws {
        let village = try Village()
        let outcome = try await village.run(["booking"] + arguments)
        #expect(outcome.status == 64, "\(outcome.errors)")
        #expect(!FileManager.default.fileExists(atPath: village.file("data")))
    }
}
