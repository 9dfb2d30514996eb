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

    /// What the configuration says, if it tells the origin: nobody can tell that but the village.
    public init?(_ configuration: Configuration) throws {
        guard let origin = configuration.origin else { return nil }
        try self.init(
            village: configuration.village ?? Self.sample.village, brand: configuration.brand ?? Self.sample.brand,
            origin: origin)
    }

    private init(sample village: String, brand: String) {
        self.village = village
        self.brand = brand
        origin = .local
    }

    /// The village of the sample registers, on this machine.
    public static let sample = Founding(sample: "韩村", brand: "津小韩")
}

extension Refusal {
    static let villageThere = Refusal(
        .conflict, "village-there", zh: "这里已经有一个村了：请用另一个 --data-dir 或数据库",
        en: "there is a village already: use another --data-dir or database")

    static let noVillage = Refusal(
        .notFound, "no-village", field: "origin",
        zh: "数据库里还没有村庄：请用 taoyuan init --village … --brand … --origin … 建立，或给出 TAOYUAN_ORIGIN",
        en: "the database has no village yet: found it with `taoyuan init --village … --brand … --origin …`, or give "
            + "TAOYUAN_ORIGIN")
}
