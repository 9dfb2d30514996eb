import Kernel
import Postgres
import TestSupport
import Testing
import Tours

@Suite struct ProgrammeTests {
    private func details(_ edit: (inout TourProgramme.Details) -> Void = { _ in }) -> TourProgramme.Details {
        var details = TourProgramme.Details(name: "红薯采挖", minutes: 90, price: Money(fen: 4500))
        edit(&details)
        return details
    }

    @Test func `a programme keeps all that the desk decides`() async throws {
        try await withVillage { village in
            let given = details {
                $0.languages = ["zh", "en"]
                $0.minGroup = 10
                $0.maxGroup = 60
                $0.holdMinutes = 60
                $0.changeHours = 12
                $0.freeCancelHours = 72
                $0.lateFeePercent = 30
                $0.noShowFeePercent = 50
            }
            let added = try await village.change(ProgrammeStore.add(given))
            #expect(added.details == given)
            let store = ProgrammeStore(village.database)
            #expect(try await store.list(village.committee) == [added])
            let changed = try await village.change(ProgrammeStore.change("红薯采挖") { $0.name = "红薯采挖体验" })
            #expect(changed.version == 2)
            #expect(try await store.show("红薯采挖体验", village.committee) == changed)
            #expect(try await refusal { try await store.show("红薯采挖", village.committee) }?.kind == .notFound)
        }
    }

    @Test(arguments: ["minutes", "price", "languages", "minGroup", "holdMinutes", "lateFeePercent", "name", "maxGroup"])
    func `a bad programme is refused by its field`(field: String) async throws {
        try await withVillage { village in
            let bad = details {
                switch field {
                case "minutes": $0.minutes = 9
                case "price": $0 = TourProgramme.Details(name: "x", minutes: 90, price: Money(fen: -1))
                case "languages": $0.languages = ["zh", "zh"]
                case "minGroup": ($0.minGroup, $0.maxGroup) = (20, 10)
                case "holdMinutes": $0.holdMinutes = 4
                case "lateFeePercent": $0.lateFeePercent = 101
                case "maxGroup": $0.maxGroup = 10_001
                default: $0.name = "\n"
                }
            }
            let refused = try await refusal { try await village.change(ProgrammeStore.add(bad)) }
            #expect(refused?.kind == .invalid && refused?.field == field)
        }
    }

    @Test func `extras are added once, and removed while no booking has them`() async throws {
        try await withVillage { village in
            let ground = try await TourGround(village)
            let meal = TourExtra(kind: .meal, name: "农家午餐", price: Money(fen: 3500))
            let added = try await village.change(ProgrammeStore.addExtra(meal, to: TourGround.programme))
            #expect(added.extras == [meal] && added.version == 2)
            let twice = try await refusal {
                try await village.change(ProgrammeStore.addExtra(meal, to: TourGround.programme))
            }
            #expect(twice?.code == "name-taken")
            let session = try await ground.session()
            try await village.audited([
                """
                INSERT INTO tour_booking (village_id, id, reference, unit, unit_kind, headcount, leader, phone, state,
                    fee_fen, actor) VALUES (1, 1, 'ABCDEFGHIJKL', '某校', 'school', 2, '李', '13800000000', 'confirmed', 7000,
                    'test')
                """,
                "UPDATE tour_session SET booked = 2 WHERE id = \(session)",
                """
                INSERT INTO tour_booking_session (village_id, booking_id, session_id, day, headcount, price_fen,
                    amount_fen, minutes, hold_minutes, change_hours, free_cancel_hours, late_fee_percent,
                    no_show_fee_percent)
                SELECT 1, 1, id, day, 2, 0, 0, 120, 2880, 24, 48, 0, 0 FROM tour_session WHERE id = \(session)
                """,
                """
                INSERT INTO tour_booking_extra (village_id, booking_id, session_id, extra_id, kind, day, quantity,
                    price_fen, amount_fen)
                SELECT 1, 1, s.id, x.id, 'meal', s.day, 2, 3500, 7000 FROM tour_session s, tour_extra x
                """,
            ])
            let remove = ProgrammeStore.removeExtra("农家午餐", from: TourGround.programme)
            #expect(try await refusal { try await village.change(remove) }?.code == "extra-in-use")
            let gift = TourExtra(kind: .gift, name: "桃木书签", price: Money(fen: 1200))
            try await village.change(ProgrammeStore.addExtra(gift, to: TourGround.programme))
            let left = try await village.change(ProgrammeStore.removeExtra("桃木书签", from: TourGround.programme))
            #expect(left.extras.map(\.name) == ["农家午餐"])
            let gone = try await refusal {
                try await village.change(ProgrammeStore.removeExtra("桃木书签", from: TourGround.programme))
            }
            #expect(gone?.kind == .notFound && gone?.field == "extra")
        }
    }
}
