using Promotions.Domain;

namespace Promotions.Ledger.Booking;

/// <summary>Stored numbers stay.</summary>
public enum LotMoveKind : byte { None = 0, Earn = 1, Take = 2, Release = 3, Spend = 4, Expire = 5 }

/// <summary>Value earned together. quantity = remaining + held + spent + expired, always.</summary>
public sealed class EarnedLot(long id, Account account, long quantity, EventTime earnedAt, EventTime? expiresAt, string origin)
{
    public long Id { get; } = id;
    public Account Account { get; } = account;
    public long Quantity { get; } = quantity;
    public EventTime EarnedAt { get; } = earnedAt;

    /// <summary>Exclusive: at this instant the lot cannot be spent any more.</summary>
    public EventTime? ExpiresAt { get; } = expiresAt;

    /// <summary>Id of the command that made it.</summary>
    public string Origin { get; } = origin;

    public long Remaining { get; internal set; }
    public long Held { get; internal set; }
    public long Spent { get; internal set; }
    public long Expired { get; internal set; }

    public bool IsOpen => Remaining > 0 || Held > 0;
    public bool IsExpired(EventTime now) => ExpiresAt is { } end && end <= now;

    /// <summary>Earliest expiry first, lots that never expire last; then by the time earned, then by id: total and the same everywhere.</summary>
    public static int CompareForSpending(EarnedLot left, EarnedLot right)
    {
        var byExpiry = (left.ExpiresAt?.UnixMilliseconds ?? long.MaxValue).CompareTo(right.ExpiresAt?.UnixMilliseconds ?? long.MaxValue);
        if (byExpiry != 0) return byExpiry;
        var byEarned = left.EarnedAt.CompareTo(right.EarnedAt);
        return byEarned != 0 ? byEarned : left.Id.CompareTo(right.Id);
    }

    /// <summary>For backends that load a lot.</summary>
    public void Restore(long remaining, long held, long spent, long expired) => (Remaining, Held, Spent, Expired) = (remaining, held, spent, expired);

    internal void Apply(LotMoveKind kind, long amount)
    {
        switch (kind)
        {
            case LotMoveKind.Earn: Remaining = checked(Remaining + amount); break;
            case LotMoveKind.Take: Remaining -= amount; Held += amount; break;
            case LotMoveKind.Release: Held -= amount; Remaining += amount; break;
            case LotMoveKind.Spend: Held -= amount; Spent += amount; break;
            case LotMoveKind.Expire: Remaining -= amount; Expired += amount; break;
            default: throw new ArgumentOutOfRangeException(nameof(kind));
        }

        if (Remaining < 0 || Held < 0) throw new InvalidOperationException($"Lot {Id} would have {Remaining} left and {Held} held.");
    }

    internal void Revert(LotMoveKind kind, long amount)
    {
        switch (kind)
        {
            case LotMoveKind.Earn: Remaining -= amount; break;
            case LotMoveKind.Take: Remaining += amount; Held -= amount; break;
            case LotMoveKind.Release: Held += amount; Remaining -= amount; break;
            case LotMoveKind.Spend: Held += amount; Spent -= amount; break;
            case LotMoveKind.Expire: Remaining += amount; Expired -= amount; break;
            default: throw new ArgumentOutOfRangeException(nameof(kind));
        }
    }
}

public readonly record struct LotMove(EarnedLot Lot, LotMoveKind Kind, long Amount);
public readonly record struct LotTake(EarnedLot Lot, long Amount);
