using Promotions.Domain.Events;
using Promotions.Features;

namespace Promotions.Processing.Decisions;

/// <summary>The entities that count for a channel: a till's device and a carrier's ip are nobody's own.</summary>
public static class ChannelEntities
{
    public static AttemptEntities Of(RedemptionRequest request, ChannelPolicy policy)
    {
        var all = Entities.From(request);
        if (policy.IgnoredEntities.Count == 0) return all;
        return all with
        {
            Device = Ignores("device") ? null : all.Device,
            Ip = Ignores("ip") ? null : all.Ip,
            Network = Ignores("network") ? null : all.Network,
            PaymentToken = Ignores("payment_token") ? null : all.PaymentToken,
            Address = Ignores("address") ? null : all.Address,
        };

        bool Ignores(string kind) => policy.IgnoredEntities.Contains(kind, StringComparer.Ordinal);
    }
}
