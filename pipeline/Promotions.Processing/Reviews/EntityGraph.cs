using System.Globalization;
using Promotions.Domain;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Ledger;

namespace Promotions.Processing.Reviews;

/// <summary>A customer by id, a device or an ip by the hash of its name.</summary>
/// <param name="Key">The customer's id, or 32 hexadecimal digits.</param>
public readonly record struct GraphEntity(EntityKind Kind, string Key)
{
    public static GraphEntity Of(EntityKey key) => new(key.Kind, key.Hash.ToString("x32", CultureInfo.InvariantCulture));

    /// <summary>Null for a customer, and where the key is no hash.</summary>
    public EntityKey? Hash => Kind is not EntityKind.Customer && UInt128.TryParse(Key, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hash) ? new(Kind, hash) : null;
}

/// <param name="Ring">Steps from the middle: 0, 1 or 2.</param>
/// <param name="Attempts">Of the newest that were looked at.</param>
/// <param name="Flagged">Of them, in review or blocked.</param>
/// <param name="Accounts">Of a device or ip: customers among its attempts. 1 for a customer.</param>
/// <param name="Parent">The entity by which it was reached; itself in the middle.</param>
public sealed record GraphNode(GraphEntity Entity, int Ring, int Attempts, int Flagged, int Accounts, EventTime LastAt, GraphEntity Parent);

/// <param name="Attempts">That join the two.</param>
public sealed record GraphEdge(GraphEntity Customer, GraphEntity Other, int Attempts);

/// <param name="Nodes">The middle first, then ring by ring. One node without attempts where nothing is known of it.</param>
/// <param name="LeftOut">Neighbours that had no room.</param>
/// <param name="LookedAt">Newest decisions of the installation that accounts were sought in.</param>
public sealed record Neighbourhood(IReadOnlyList<GraphNode> Nodes, IReadOnlyList<GraphEdge> Edges, int LeftOut, int LookedAt);

/// <summary>Accounts, devices and ips around one of them, two steps far: accounts that share a device with this one, devices of the accounts of this ip.</summary>
/// <remarks>At most <see cref="NearMax"/> neighbours and <see cref="BehindMax"/> behind each, those with most attempts, of <see cref="RecentAttempts.PerEntityMax"/> attempts an entity: the work is bounded whatever an ip is
/// shared by. A customer's own attempts come from the ledger, however old; who else was there is sought among the newest decisions.</remarks>
public sealed class EntityGraph(ILedgerReader ledger, RecentAttempts recent)
{
    public const int NearMax = 12;
    public const int BehindMax = 5;

    /// <exception cref="LedgerFaultException">The ledger cannot be read.</exception>
    public Neighbourhood Around(GraphEntity middle)
    {
        var known = recent.Read();
        AttemptLink[] own = middle.Kind is EntityKind.Customer
            ? [.. ledger.LatestDecisionsOf(middle.Key, RecentAttempts.PerEntityMax).Select(AttemptLink.Of)]
            : known.Of(middle).ToArray();
        var nodes = new Dictionary<GraphEntity, GraphNode> { [middle] = NodeOf(middle, 0, own, middle) };
        var leftOut = 0;
        foreach (var near in Neighbours(middle, own, NearMax))
        {
            // What is known of a neighbour holds at least the attempts that lead to it.
            var links = known.Of(near) is { Length: > 0 } found ? found.ToArray() : [.. own.Where(link => Joins(link, near))];
            nodes[near] = NodeOf(near, 1, links, middle);
        }

        foreach (var node in nodes.Values.Where(node => node.Ring == 1).ToArray())
            foreach (var behind in Neighbours(node.Entity, known.Of(node.Entity), BehindMax))
                if (!nodes.ContainsKey(behind)) nodes[behind] = NodeOf(behind, 2, known.Of(behind), node.Entity);

        var edges = new Dictionary<(GraphEntity Customer, GraphEntity Other), HashSet<long>>();
        foreach (var node in nodes.Values)
            foreach (var link in node.Ring == 0 ? own : known.Of(node.Entity))
                foreach (var key in (ReadOnlySpan<EntityKey?>)[link.Device, link.Ip])
                {
                    if (key is not { } other) continue;
                    var edge = (Customer: new GraphEntity(EntityKind.Customer, link.Customer), Other: GraphEntity.Of(other));
                    if (!nodes.ContainsKey(edge.Customer) || !nodes.ContainsKey(edge.Other)) continue;
                    if (!edges.TryGetValue(edge, out var positions)) edges.Add(edge, positions = []);
                    positions.Add(link.Position);
                }

        return new([.. nodes.Values.OrderBy(node => node.Ring)], [.. edges.Select(edge => new GraphEdge(edge.Key.Customer, edge.Key.Other, edge.Value.Count))], leftOut, known.Count);

        IEnumerable<GraphEntity> Neighbours(GraphEntity of, ReadOnlySpan<AttemptLink> links, int max)
        {
            var counts = new Dictionary<GraphEntity, int>();
            foreach (var link in links)
            {
                if (of.Kind is not EntityKind.Customer) Count(new(EntityKind.Customer, link.Customer));
                else
                {
                    if (link.Device is { } device) Count(GraphEntity.Of(device));
                    if (link.Ip is { } ip) Count(GraphEntity.Of(ip));
                }
            }

            leftOut += counts.Keys.Where(entity => !nodes.ContainsKey(entity)).Count() is var open && open > max ? open - max : 0;
            return counts.Where(one => !nodes.ContainsKey(one.Key)).OrderByDescending(one => one.Value).ThenBy(one => one.Key.Kind).ThenBy(one => one.Key.Key, StringComparer.Ordinal).Take(max).Select(one => one.Key).ToArray();

            void Count(GraphEntity entity) => counts[entity] = counts.GetValueOrDefault(entity) + 1;
        }
    }

    private static bool Joins(AttemptLink link, GraphEntity entity) =>
        entity.Kind is EntityKind.Customer ? link.Customer == entity.Key : link.Device == entity.Hash || link.Ip == entity.Hash;

    private static GraphNode NodeOf(GraphEntity entity, int ring, ReadOnlySpan<AttemptLink> links, GraphEntity parent)
    {
        var (flagged, last, accounts) = (0, default(EventTime), new HashSet<string>(StringComparer.Ordinal));
        foreach (var link in links)
        {
            if (link.Status is RedemptionStatus.Review or RedemptionStatus.Blocked) flagged++;
            if (link.At > last) last = link.At;
            accounts.Add(link.Customer);
        }

        return new(entity, ring, links.Length, flagged, entity.Kind is EntityKind.Customer ? 1 : accounts.Count, last, parent);
    }
}
