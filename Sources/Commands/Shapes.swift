import Access
import Documents
import Foundation
import Kernel
import Orchard

extension JSON {
    init(_ text: String?) { self = text.map { .string($0) } ?? .null }
    init(_ day: CivilDay?) { self = day.map { JSON($0) } ?? .null }
    init(_ moment: Date?) { self = moment.map { .instant($0) } ?? .null }
}

extension Plot {
    var json: JSON {
        [
            "plot": .string(number), "name": .string(name), "cooperative": .string(cooperative),
            "household": .string(household), "product": .string(product), "areaCentimu": .integer(areaCentimu),
            "longitude": JSON(longitude), "latitude": JSON(latitude),
        ]
    }
}

extension Household {
    var json: JSON {
        [
            "household": .string(number), "head": .string(head), "gridCell": .string(gridCell),
            "supportClass": .string(supportClass), "cooperative": .string(cooperative), "people": JSON(people),
            "phone": JSON(phone),
        ]
    }
}

extension HouseholdPeriod {
    var json: JSON {
        [
            "from": JSON(from), "until": JSON(until), "head": .string(head), "gridCell": .string(gridCell),
            "supportClass": .string(supportClass), "cooperative": .string(cooperative), "people": JSON(people),
        ]
    }
}

extension PlotPeriod {
    var json: JSON {
        [
            "from": JSON(from), "until": JSON(until), "cooperative": .string(cooperative),
            "household": .string(household), "product": .string(product), "areaCentimu": .integer(areaCentimu),
        ]
    }
}

extension Product {
    var json: JSON {
        [
            "product": .string(name), "unit": .string(unit),
            "bestBeforeDays": bestBeforeDays.map { JSON($0) } ?? .null, "ceilingPerMu": JSON(ceilingPerMu),
            "varieties": .array(varieties.map { .string($0.name) }),
        ]
    }
}
