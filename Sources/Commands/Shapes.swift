import Documents
import Foundation
import Kernel

extension JSON {
    init(_ text: String?) { self = text.map { .string($0) } ?? .null }
    init(_ day: CivilDay?) { self = day.map { JSON($0) } ?? .null }
    init(_ moment: Date?) { self = moment.map { .instant($0) } ?? .null }
}
