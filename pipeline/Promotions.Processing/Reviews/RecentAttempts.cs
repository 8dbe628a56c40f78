using Promotions.Domain;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Ledger;

namespace Promotions.Processing.Reviews;

/// <summary>Which entities one attempt joins.</summary>
public sealed record AttemptLink(long Position, string Customer, EntityKey? Device, EntityKey? Ip, RedemptionStatus Status, EventTime At)
{
    public static AttemptLink Of(Decision decision)
    {
        var entities = decision.Proposal.Entities;
        return new(decision.Position, entities.Customer, KeyOf(EntityKind.Device, entities.Device), KeyOf(EntityKind.Ip, entities.Ip), decision.Status, decision.DecidedAt);
    }

    private static EntityKey? KeyOf(EntityKind kind, string? text) => text is null ? null : EntityKey.Of(kind, text);
}

/// <summary>The newest attempts by device, ip and customer. Safe from any thread.</summary>
/// <remarks>The ledger finds decisions by customer, and an index by device and ip would cost every decision. A reviewer's look reads what was decided since the last look, and never more than <see cref="Max"/>.</remarks>
public sealed class RecentAttempts(ILedgerReader ledger)
{
    /// <summary>Some 0.3 KB each are kept.</summary>
    public const int Max = 20_000;

    /// <summary>Of one entity, so many attempts are told.</summary>
    public const int PerEntityMax = 200;

    private const int Page = 500;
    private readonly Lock _reading = new();
    private SortedList<long, AttemptLink> _known = [];
    private State _state = new(new Dictionary<string, AttemptLink[]>(), new Dictionary<EntityKey, AttemptLink[]>(), new Dictionary<EntityKey, AttemptLink[]>(), 0);

    /// <exception cref="LedgerFaultException">The ledger cannot be read.</exception>
    public State Read()
    {
        lock (_reading)
        {
            var found = new List<AttemptLink>();
            for (var before = long.MaxValue; found.Count < Max;)
            {
                var page = ledger.LatestDecisions(Page, before);
                var fresh = page.Where(decision => !_known.ContainsKey(decision.Position)).Select(AttemptLink.Of).ToArray();
                found.AddRange(fresh);
                // With several writers numbers come a little out of order: only a page without anything new is the end.
                if (page.Count < Page || fresh.Length == 0) break;
                before = page[^1].Position;
            }

            if (found.Count > 0) _state = Keep(found);
            return _state;
        }
    }

    private State Keep(List<AttemptLink> found)
    {
        var newest = _known.Values.Concat(found).OrderByDescending(link => link.Position).Take(Max).ToArray();
        _known = new(newest.Reverse().ToDictionary(link => link.Position));
        return new(
            newest.ToLookup(link => link.Customer, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.ToArray(), StringComparer.Ordinal),
            By(link => link.Device), By(link => link.Ip), newest.Length);

        Dictionary<EntityKey, AttemptLink[]> By(Func<AttemptLink, EntityKey?> key) =>
            newest.Where(link => key(link) is not null).GroupBy(link => key(link)!.Value).ToDictionary(group => group.Key, group => group.ToArray());
    }

    /// <summary>The newest attempts at one moment.</summary>
    /// <param name="Count">Attempts that are known.</param>
    public sealed record State(
        IReadOnlyDictionary<string, AttemptLink[]> Customers, IReadOnlyDictionary<EntityKey, AttemptLink[]> Devices, IReadOnlyDictionary<EntityKey, AttemptLink[]> Ips, int Count)
    {
        /// <summary>Newest first, at most <see cref="PerEntityMax"/>.</summary>
        public ReadOnlySpan<AttemptLink> Of(GraphEntity entity) => Newest(entity.Kind switch
        {
            EntityKind.Customer => Customers.GetValueOrDefault(entity.Key),
            EntityKind.Device => entity.Hash is { } device ? Devices.GetValueOrDefault(device) : null,
            EntityKind.Ip => entity.Hash is { } ip ? Ips.GetValueOrDefault(ip) : null,
            _ => null,
        });

        private static ReadOnlySpan<AttemptLink> Newest(AttemptLink[]? links) => links.AsSpan(0, Math.Min(PerEntityMax, links?.Length ?? 0));
    }
}
