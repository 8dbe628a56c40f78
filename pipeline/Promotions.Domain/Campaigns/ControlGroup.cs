using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Promotions.Domain.Campaigns;

/// <summary>Which customers a campaign keeps out, so that its effect can be measured.</summary>
/// <remarks>HMAC-SHA256 keyed with the campaign's salt: two campaigns divide customers independently, and nobody who lacks the salt can pick an id that is
/// treated. The recorded arm wins over the hash, so a later change of share moves nobody.</remarks>
public static class ControlGroup
{
    /// <summary>Buckets that customers fall into, as many as a share has basis points.</summary>
    public const int BucketCount = 10_000;

    /// <returns>0 to 9,999, evenly over customers.</returns>
    public static int BucketOf(string salt, string customerId)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(Encoding.UTF8.GetBytes(salt), Encoding.UTF8.GetBytes(customerId), hash);
        return (int)(BinaryPrimitives.ReadUInt64BigEndian(hash) % BucketCount);   // 2^64 over 10^4: the bias is below 10^-15
    }

    /// <summary>The arm that a first trigger would assign now. None where the campaign keeps nobody out.</summary>
    public static Arm Assign(Campaign campaign, string customerId) =>
        campaign.ControlShare == 0 ? Arm.None : BucketOf(campaign.Salt, customerId) < campaign.ControlShare ? Arm.Control : Arm.Treated;

    /// <summary>The recorded arm, or else the one that a trigger now would assign.</summary>
    public static Arm ArmOf(Campaign campaign, string customerId, ICampaignSnapshot snapshot) =>
        snapshot.FindArm(campaign.Id, customerId) is not Arm.None and var recorded ? recorded : Assign(campaign, customerId);
}
