import Foundation
import Kernel
import Signing

/// The record of a key: its public half and its fate. The private half lies in an encrypted file.
public struct SigningKey: Sendable {
    public let id: KeyID
    public let origin: Origin
    public let publicKey: PublicKey
    public let createdAt: Date
    /// It signs nothing new from this day on; what it signed stays good.
    public let retiredOn: CivilDay?
    /// Others may hold it since this day: the register alone tells what it really signed.
    public let compromisedSince: CivilDay?

    public var signsNew: Bool { retiredOn == nil && compromisedSince == nil }
}
