using System.ComponentModel.DataAnnotations;

namespace Promotions.Contracts;

/// <summary>Value of <c>returns</c>: over HTTP the path names the order, in a topic the value does.</summary>
public sealed class ReturnEventBody
{
    [Required, RegularExpression(Patterns.Id)]
    public string? Id { get; set; }

    [Required, RegularExpression(Patterns.Id)]
    public string? OrderId { get; set; }

    [Required, RegularExpression(Patterns.Id)]
    public string? CustomerId { get; set; }

    [Required]
    public MoneyBody? Amount { get; set; }
}

/// <summary>Value of <c>captures</c>.</summary>
public sealed class CaptureEventBody
{
    [Required, RegularExpression(Patterns.Id)]
    public string? RedemptionId { get; set; }
}

/// <summary>Value of <c>voids</c>.</summary>
public sealed class VoidEventBody
{
    [Required, RegularExpression(Patterns.Id)]
    public string? RedemptionId { get; set; }

    [StringLength(Bounds.NoteMax)]
    public string? Reason { get; set; }
}

/// <summary>Value of <c>balance-changes</c>.</summary>
/// <param name="Id">Of the change: the same in every repeat.</param>
/// <param name="Change">Of what is available; negative when it fell.</param>
/// <param name="HeldChange">Of what is held by redemptions that are neither captured nor voided.</param>
/// <param name="Position">Of the entry in the ledger.</param>
public sealed record BalanceChange(
    string Id, string CustomerId, [property: AllowedValues("cash", "points", "refund", "gift")] string Segment, QuantityBody Change, QuantityBody HeldChange,
    ChangeCause Cause, [property: DataType(DataType.DateTime)] string OccurredAt, long Position);

/// <param name="Kind">What booked it: <c>order</c>, <c>redemption</c>, <c>capture</c>, <c>expiry</c> ...; more kinds may come.</param>
public sealed record ChangeCause(string Kind, string Id);
