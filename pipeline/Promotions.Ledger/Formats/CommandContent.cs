using System.Security.Cryptography;
using System.Text;

namespace Promotions.Ledger.Formats;

/// <summary>What makes two commands with one id the same: their kind and what the caller asked for.</summary>
/// <remarks>Left out is what a retry may change honestly: the time, the actor, a campaign's salt and creation time (made by the server on each try).
/// Redemptions, orders, returns and engagements bring the hash of the caller's canonical request, which stands for their content.</remarks>
public static class CommandContent
{
    private const byte Version = 1;

    /// <summary>The canonical bytes: kept in the log for commands that come outside the pipeline.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A kind of command that this build does not know.</exception>
    public static byte[] Encode(LedgerCommand command)
    {
        var to = new ByteWriter(128);
        to.Byte(Version);
        to.Byte((byte)KindOf(command));
        to.Text(command.Id);
        switch (command)
        {
            case DecideRedemption c: to.Bytes(c.Proposal.Request.RequestHash.Span); break;
            case LogTrigger c:
                foreach (var arm in c.Arms)
                {
                    to.Text(arm.CampaignId);
                    to.Text(arm.CustomerId);
                }

                break;
            case CaptureHold c: to.Text(c.RedemptionId); break;
            case VoidHold c: to.Text(c.RedemptionId); break;
            case ExpireDue c: to.Int32(c.Max); break;
            case RecordOrder c: to.Bytes(c.Order.RequestHash.Span); break;
            case RecordReturn c: to.Bytes(c.Return.RequestHash.Span); break;
            case RecordEngagement c: to.Bytes(c.Engagement.RequestHash.Span); break;
            case RecordLabel c:
                to.Text(c.Label.RedemptionId);
                to.Flag(c.Label.Abuse);
                to.Text(c.Label.Source);
                to.Text(c.Label.Note);
                break;
            case DepositCash c:
                to.Text(c.CustomerId);
                to.Text(c.Currency);
                to.Int64(c.Amount);
                to.Text(c.Reason);
                break;
            case GrantPoints c:
                to.Text(c.CustomerId);
                to.Int64(c.Points);
                to.OptionalInt64(c.ExpiresAt?.UnixMilliseconds);
                to.Text(c.Reason);
                break;
            case PutCampaign c:
                to.Text(CampaignJson.Write(c.Campaign with { Salt = "", CreatedAt = default }));
                break;
            case AddCoupons c:
                to.Text(c.CampaignId);
                to.Int32(c.Coupons.Count);
                foreach (var coupon in c.Coupons)
                {
                    to.Text(coupon.Code);
                    to.Text(coupon.CustomerId);
                    to.OptionalInt64(coupon.UsesMax);
                }

                break;
            case AssignCoupon c:
                to.Text(c.Code);
                to.Text(c.CustomerId);
                break;
            case RevokeCoupon c: to.Text(c.Code); break;
            default: throw new ArgumentOutOfRangeException(nameof(command), command.GetType().Name, "No content is defined for this command.");
        }

        return to.ToArray();
    }

    /// <summary>What the log keeps of a changed setting: the hash of its value, which may be a secret, not the value.</summary>
    public static byte[] OfSetting(string scope, string name, string? value)
    {
        var to = new ByteWriter();
        to.Text(scope);
        to.Text(name);
        to.Flag(value is not null);
        to.Bytes(Hash(Encoding.UTF8.GetBytes(value ?? "")));
        return to.ToArray();
    }

    public static byte[] Hash(ReadOnlySpan<byte> content) => SHA256.HashData(content);

    public static CommandKind KindOf(LedgerCommand command) => command switch
    {
        DecideRedemption => CommandKind.DecideRedemption,
        LogTrigger => CommandKind.LogTrigger,
        CaptureHold => CommandKind.CaptureHold,
        VoidHold => CommandKind.VoidHold,
        ExpireDue => CommandKind.ExpireDue,
        RecordOrder => CommandKind.RecordOrder,
        RecordReturn => CommandKind.RecordReturn,
        RecordEngagement => CommandKind.RecordEngagement,
        RecordLabel => CommandKind.RecordLabel,
        DepositCash => CommandKind.DepositCash,
        GrantPoints => CommandKind.GrantPoints,
        PutCampaign => CommandKind.PutCampaign,
        AddCoupons => CommandKind.AddCoupons,
        AssignCoupon => CommandKind.AssignCoupon,
        RevokeCoupon => CommandKind.RevokeCoupon,
        _ => CommandKind.None,
    };
}

/// <summary>Stored numbers stay. None: a log record without a command, which only feeds features.</summary>
public enum CommandKind : byte
{
    None = 0, DecideRedemption = 1, LogTrigger = 2, CaptureHold = 3, VoidHold = 4, ExpireDue = 5, RecordOrder = 6, RecordReturn = 7, RecordEngagement = 8,
    RecordLabel = 9, DepositCash = 10, GrantPoints = 11, PutCampaign = 12, AddCoupons = 13, AssignCoupon = 14, RevokeCoupon = 15, PutSetting = 16,
}
