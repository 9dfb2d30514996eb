import Kernel

/// The livelihood section 民生 of the village's report on one year: figures and the sentences that are bound to them.
public struct LivelihoodReport: Sendable {
    public let year: Int
}
