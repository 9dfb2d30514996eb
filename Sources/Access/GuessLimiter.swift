import Kernel
import Synchronization

/// How long whoever guesses passwords waits.
enum GuessRules {
    /// Wrong passwords that one address may try of one account before it waits.
    static let perAccount = 5
    /// Of all accounts.
    static let perAddress = 20
    /// Wrong passwords from everywhere after which strangers to an account wait.
    static let byAll = 10
    /// For how long a wrong one counts.
    static let memory = Duration.seconds(3600)

    /// Ten seconds after the last of so many, doubled with each more, a quarter of an hour at most.
    static func wait(after guesses: Int, free: Int) -> Duration {
        guesses < free ? .zero : .seconds(min(900, 10 << min(guesses - free, 7)))
    }

    /// The same, doubled with every ten more.
    static func strangersWait(after guesses: Int) -> Duration {
        guesses < byAll ? .zero : wait(after: guesses / 10, free: byAll / 10)
    }
}

/// A password is not even looked at: too many wrong ones came before it.
public struct TooManyGuesses: Error {
    /// Until the next attempt has a chance.
    public let seconds: Int
}

/// Slows down who guesses passwords, and as far as can be nobody else.
///
/// Three things are counted: what one address tried of one account, what it tried of all in all villages, and what all
/// addresses tried of one account. The first two make that address wait. The third makes strangers wait alone: an address from which the
/// account was opened before is none. A stranger who comes back after the time that it was told has its attempt for
/// certain, so that guessers can't keep an account's owner out.
public final class GuessLimiter<Address: Hashable & Sendable>: Sendable {
    private typealias Instant = ContinuousClock.Instant

    /// A name is another account in each village.
    fileprivate struct Account: Hashable {
        let name: String
        let village: Int
    }

    fileprivate struct Pair: Hashable {
        let account: Account
        let address: Address
    }

    private struct Tally {
        var guesses = 0
        var last: Instant
        /// When a stranger who was told to wait has its attempt.
        var turn: Instant?

        mutating func count(at now: Instant) {
            guesses += 1
            last = now
            turn = nil
        }

        mutating func forgive(_ attempts: Int) { guesses = max(0, guesses - attempts) }
    }

    private struct Memory {
        var pairs: Recent<Pair, Tally>
        var addresses: Recent<Address, Tally>
        var accounts: Recent<Account, Tally>
        /// Kept apart, so that no flood of strangers makes a stranger of an owner.
        var known: Recent<Pair, Bool>

        static func recent(_ tally: Tally?, _ now: Instant) -> Tally {
            guard let tally, tally.last.duration(to: now) < GuessRules.memory else { return Tally(last: now) }
            return tally
        }

        /// Takes attempts out of the count.
        mutating func forgive(_ attempts: Int, of pair: Pair) {
            pairs[pair]?.forgive(attempts)
            addresses[pair.address]?.forgive(attempts)
            accounts[pair.account]?.forgive(attempts)
        }
    }

    /// An attempt that was let in. It counts as a wrong one until it turns out otherwise, so that many at once are many.
    public struct Attempt: Sendable {
        fileprivate let pair: Pair
        /// Wrong ones of this account from everywhere, this one among them.
        public let guesses: Int
    }

    private let memory: Mutex<Memory>

    /// - Parameter capacity: how many addresses and accounts are remembered at most.
    public init(capacity: Int = 100_000) {
        memory = Mutex(
            Memory(
                pairs: Recent(capacity: capacity), addresses: Recent(capacity: capacity),
                accounts: Recent(capacity: capacity),
                known: Recent(capacity: capacity)))
    }

    /// - Parameter account: the name that was given, whether the village has such an account or not.
    public func admit(
        _ account: String, of village: Int, from address: Address, at now: ContinuousClock.Instant = .now
    ) throws(TooManyGuesses) -> Attempt {
        let pair = Pair(account: Account(name: account.lowercased(), village: village), address: address)
        let outcome: Result<Attempt, TooManyGuesses> = memory.withLock { memory in
            var own = Memory.recent(memory.pairs[pair], now)
            var ofAddress = Memory.recent(memory.addresses[address], now)
            var ofAccount = Memory.recent(memory.accounts[pair.account], now)
            var turn = max(
                own.last + GuessRules.wait(after: own.guesses, free: GuessRules.perAccount),
                ofAddress.last + GuessRules.wait(after: ofAddress.guesses, free: GuessRules.perAddress))
            if turn <= now, memory.known[pair] == nil {
                turn = own.turn ?? now + GuessRules.strangersWait(after: ofAccount.guesses)
                own.turn = turn
                memory.pairs[pair] = own
            }
            guard turn <= now else {
                let seconds = now.duration(to: turn).components.seconds
                return .failure(TooManyGuesses(seconds: Int(seconds) + 1))
            }
            own.count(at: now)
            ofAddress.count(at: now)
            ofAccount.count(at: now)
            memory.pairs[pair] = own
            memory.addresses[address] = ofAddress
            memory.accounts[pair.account] = ofAccount
            return .success(Attempt(pair: pair, guesses: ofAccount.guesses))
        }
        return try outcome.get()
    }

    /// The password was right: the address is no stranger's from now on, and what it mistyped of this account is forgotten.
    public func succeeded(_ attempt: Attempt) {
        memory.withLock { memory in
            memory.forgive(memory.pairs[attempt.pair]?.guesses ?? 0, of: attempt.pair)
            memory.known[attempt.pair] = true
        }
    }

    /// The password was not looked at after all.
    public func withdrawn(_ attempt: Attempt) {
        memory.withLock { $0.forgive(1, of: attempt.pair) }
    }
}
