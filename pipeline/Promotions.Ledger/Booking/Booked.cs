using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;

namespace Promotions.Ledger.Booking;

/// <summary>An id that is taken for ever, with what was asked and what became of it.</summary>
public sealed record RecordedCommand(string Id, CommandKindAndContent What, long Position, LedgerRefusal Refusal, string? Detail);

/// <param name="Content">SHA-256 of the command's canonical content.</param>
public readonly record struct CommandKindAndContent(Formats.CommandKind Kind, ReadOnlyMemory<byte> Content)
{
    public bool SameAs(CommandKindAndContent other) => Kind == other.Kind && Content.Span.SequenceEqual(other.Content.Span);
}

/// <summary>A recorded decision with its hold: what was taken and from where.</summary>
public sealed class BookedDecision(long position, DecisionProposal proposal, RedemptionStatus status, RefusalCode refusal, EventTime decidedAt, EventTime? holdExpiresAt)
{
    public long Position { get; } = position;
    public DecisionProposal Proposal { get; } = proposal;
    public RedemptionStatus Status { get; } = status;
    public RefusalCode Refusal { get; } = refusal;
    public EventTime DecidedAt { get; } = decidedAt;
    public EventTime? HoldExpiresAt { get; } = holdExpiresAt;
    public HoldState Hold { get; internal set; } = holdExpiresAt is null ? HoldState.None : HoldState.Held;
    public IReadOnlyList<Take> Takes { get; internal set; } = [];
    public IReadOnlyList<LotTake> LotTakes { get; internal set; } = [];

    public Decision ToDecision() => new(Position, Proposal, Status, Refusal, Hold, HoldExpiresAt, DecidedAt);

    /// <summary>For backends that load a decision whose hold has moved on.</summary>
    public void Restore(HoldState hold, IReadOnlyList<Take> takes, IReadOnlyList<LotTake> lotTakes) => (Hold, Takes, LotTakes) = (hold, takes, lotTakes);
}

/// <summary>A recorded purchase, as far as returns need it.</summary>
public sealed class BookedOrder(long position, string id, string customerId, string currency, long total, long returned)
{
    public long Position { get; } = position;
    public string Id { get; } = id;
    public string CustomerId { get; } = customerId;
    public string Currency { get; } = currency;
    public long Total { get; } = total;
    public long Returned { get; internal set; } = returned;
}

/// <summary>A change of a hold by this entry.</summary>
public readonly record struct HoldChange(BookedDecision Decision, HoldState To);

public readonly record struct OutboxRow(string Type, string Key, ReadOnlyMemory<byte> Payload, EventTime At);

/// <summary>One entry of the log and the audit tree, with all its effects: what a backend writes, in one transaction with its batch.</summary>
public sealed class LedgerEntry
{
    public required long Position { get; init; }

    /// <summary>µs since 1970 by the ledger's clock, strictly rising.</summary>
    public required long RecordedAt { get; init; }

    public required Formats.CommandKind Kind { get; init; }
    public required string CommandId { get; init; }
    public required Actor Actor { get; init; }
    public string? Channel { get; init; }
    public string? ApiKeyId { get; init; }

    /// <summary>SHA-256 of the command's content: the caller's request hash where it brings one.</summary>
    public required ReadOnlyMemory<byte> ContentHash { get; init; }

    /// <summary>Null for entries that are no record of the log (admin commands, rejections of ids taken).</summary>
    public string? Topic { get; set; }

    public string Key { get; set; } = "";
    public ReadOnlyMemory<byte> Value { get; set; }
    public ReadOnlyMemory<byte> ValueHash { get; set; }
    public EventTime At { get; set; }
    public ulong StateHash { get; set; }

    public LedgerRefusal Refusal { get; internal set; }
    public string? Detail { get; internal set; }

    /// <summary>The id is taken from now on.</summary>
    public bool RecordsId { get; internal set; }

    public ReadOnlySpan<Posting> Postings => PostingList.Written;
    public ReadOnlySpan<LotMove> LotMoves => LotMoveList.Written;
    public ReadOnlySpan<OutboxRow> Outbox => OutboxList.Written;
    public BookedDecision? Decided { get; internal set; }
    public ReadOnlySpan<HoldChange> HoldChanges => HoldChangeList.Written;
    public ReadOnlySpan<ArmAssignment> Arms => ArmList.Written;
    public ReadOnlySpan<Coupon> Coupons => CouponList.Written;
    public Campaign? Campaign { get; internal set; }
    public BookedOrder? Order { get; internal set; }
    public BookedOrder? Returned { get; internal set; }
    public LabelRecorded? Label { get; internal set; }
    public string? VoidedBefore { get; internal set; }

    // The machine's side of the lists above.
    internal EffectList<Posting> PostingList;
    internal EffectList<LotMove> LotMoveList;
    internal EffectList<OutboxRow> OutboxList;
    internal EffectList<HoldChange> HoldChangeList;
    internal EffectList<ArmAssignment> ArmList;
    internal EffectList<Coupon> CouponList;
}

/// <summary>A list that costs nothing while it is empty, as most of an entry's are.</summary>
internal struct EffectList<T>
{
    private T[]? _items;

    public int Count { get; private set; }

    public readonly ReadOnlySpan<T> Written => _items.AsSpan(0, Count);

    public void Add(T item)
    {
        if (_items is null) _items = new T[4];
        else if (Count == _items.Length) Array.Resize(ref _items, Count * 2);
        _items[Count++] = item;
    }

    /// <summary>Forgets what was added after the first <paramref name="count"/>.</summary>
    public void CutTo(int count)
    {
        _items.AsSpan(count, Count - count).Clear();
        Count = count;
    }
}
