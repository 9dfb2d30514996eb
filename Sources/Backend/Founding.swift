import Kernel
import Signing

/// What a database without a village becomes.
public struct Founding: Sendable {
    public let village: String
    public let brand: String
    /// Under which its codes are issued first; it is part of every signature.
    public let origin: Origin

    /// - Throws: a `Refusal` naming what is missing.
    public init(village: String, brand: String, origin: Origin) throws {
        self.village = try CleanText.name(village, field: "village", max: 60)
        self.brand = try CleanText.name(brand, field: "brand", max: 60)
        self.origin = origin
    }

    /// What the configuration says, if it says all of it: what is founded stays so.
    public init?(_ configuration: Configuration) throws {
        guard let village = configuration.village, let brand = configuration.brand, let origin = configuration.origin
        else { return nil }
        try self.init(village: village, brand: brand, origin: origin)
    }

    /// The settings that say it and are not given.
    static func missing(in configuration: Configuration) -> [String] {
        [
            configuration.village == nil ? "TAOYUAN_VILLAGE" : nil,
            configuration.brand == nil ? "TAOYUAN_BRAND" : nil,
            configuration.origin == nil ? "TAOYUAN_ORIGIN" : nil,
        ].compactMap(\.self)
    }

    private init(sampleAt origin: Origin) {
        village = "韩村"
        brand = "津小韩"
        self.origin = origin
    }

    /// The village of the sample registers, on this machine.
    public static let sample = Founding(sampleAt: .local)

    public static func sample(at origin: Origin?) -> Founding { Founding(sampleAt: origin ?? .local) }
}

extension Refusal {
    static let villageThere = Refusal(
        .conflict, "village-there", zh: "这里已经有一个村了：请用另一个 --data-dir 或数据库",
        en: "there is a village already: use another --data-dir or database")

    /// - Parameter settings: those that would say what it is to be.
    static func noVillage(
        lacking settings: [String] = ["TAOYUAN_VILLAGE", "TAOYUAN_BRAND", "TAOYUAN_ORIGIN"]
    ) -> Refusal {
        Refusal(
            .notFound, "no-village", field: settings.first,
            zh: """
                数据库里还没有村庄：请用 taoyuan init --village … --brand … --origin … 建立，\
                或给出 \(settings.joined(separator: "、"))
                """,
            en: """
                the database has no village yet: found it with `taoyuan init --village … --brand … --origin …`, or give \
                \(settings.joined(separator: ", "))
                """)
    }
}
