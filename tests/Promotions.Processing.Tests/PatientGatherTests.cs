using CsCheck;
using Promotions.Domain;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Processing.Records;
using Promotions.Processing.Topologies;

namespace Promotions.Processing.Tests;

public class PatientGatherTests
{
    private const int PatienceMs = 30;
    private static readonly GatherTimes Times = new(TimeSpan.FromMilliseconds(PatienceMs), TimeSpan.FromMinutes(5));

    [Fact]
    public void A_request_goes_when_its_last_part_has_come_whatever_the_order()
    {
        foreach (var announcedAt in (int[])[0, 2, 5])
        {
            using var gather = new GatherHarness(Times);
            var request = Request("r-1", "anna");
            for (var part = 0; part < request.Keys.Length; part++)
            {
                if (part == announcedAt) gather.Announce(request);
                Assert.Empty(gather.Released);
                gather.Part(request, part, part + 1);
                gather.Part(request, part, 99);      // again: changes nothing
            }

            if (announcedAt >= request.Keys.Length) gather.Announce(request);
            var (customer, gathered, at) = Assert.Single(gather.Released);
            Assert.Equal(("anna", "r-1", 0u, request.Request.At), (customer, gathered.Observed.Request.Id, gathered.LateMask, at));
            Assert.Equal(1, gathered.Vector[FeatureRegistry.Block(EntityKind.Customer).Offset]);
        }
    }

    [Fact]
    public void What_does_not_come_within_patience_is_late_and_changes_nothing_afterwards()
    {
        using var gather = new GatherHarness(Times);
        var request = Request("r-1", "anna");
        var device = PartOf(request, EntityKind.Device);
        gather.Announce(request);
        for (var part = 0; part < request.Keys.Length; part++)
            if (part != device) gather.Part(request, part, 1);

        gather.Tick(1_000);                     // patience begins
        gather.Tick(1_000 + PatienceMs - 1);
        Assert.Empty(gather.Released);
        gather.Tick(1_000 + PatienceMs);
        var gathered = Assert.Single(gather.Released).Gathered;
        Assert.Equal(1u << (int)EntityKind.Device, gathered.LateMask);
        Assert.True(float.IsNaN(gathered.Vector[FeatureRegistry.Block(EntityKind.Device).Offset]));

        gather.Part(request, device, 1);
        gather.Tick(2_000);
        Assert.Single(gather.Released);
        Assert.Equal(0, gather.InFlight);
        Assert.True(float.IsNaN(gathered.Vector[FeatureRegistry.Block(EntityKind.Device).Offset]));
    }

    [Fact]
    public void One_of_two_codes_too_late_is_a_late_coupon_and_the_other_counts()
    {
        using var gather = new GatherHarness(Times);
        var request = Request("r-1", "anna");
        var coupons = Enumerable.Range(0, request.Keys.Length).Where(i => request.Keys.Span[i].Kind is EntityKind.Coupon).ToArray();
        Assert.Equal(2, coupons.Length);
        gather.Announce(request);
        for (var part = 0; part < request.Keys.Length; part++)
            if (part != coupons[1]) gather.Part(request, part, 7);
        gather.Tick(0);
        gather.Tick(PatienceMs);

        var gathered = Assert.Single(gather.Released).Gathered;
        Assert.Equal(1u << (int)EntityKind.Coupon, gathered.LateMask);
        Assert.Equal(7, gathered.Vector[FeatureRegistry.Block(EntityKind.Coupon).Offset]);
    }

    [Fact]
    public void A_customers_second_request_waits_for_the_first_and_another_customers_does_not()
    {
        using var gather = new GatherHarness(Times);
        var (first, second, other) = (Request("r-1", "anna"), Request("r-2", "anna", 1), Request("r-3", "bert", 2));
        gather.Announce(first);
        gather.Announce(second);
        gather.Announce(other);
        All(gather, second);
        All(gather, other);
        Assert.Equal(["r-3"], gather.Released.Select(r => r.Gathered.Observed.Request.Id));
        All(gather, first);
        Assert.Equal(["r-3", "r-1", "r-2"], gather.Released.Select(r => r.Gathered.Observed.Request.Id));
    }

    [Fact]
    public void A_retry_in_flight_is_a_request_of_its_own_and_each_caller_is_answered()
    {
        using var gather = new GatherHarness(Times);
        var first = Request("r-1", "anna") with { ReplyTo = new(0, "api-1", 1) };
        var retry = Request("r-1", "anna", atMs: 5) with { ReplyTo = new(0, "api-1", 2) };
        var twin = first with { ReplyTo = new(0, "api-2", 1) };       // in the very millisecond, from another process
        gather.Announce(first);
        gather.Announce(retry);
        gather.Announce(twin);
        gather.Announce(first);                                      // the transport sent it again
        All(gather, first);
        All(gather, retry);
        All(gather, twin);
        Assert.Equal([1L, 2L, 1L], gather.Released.Select(r => r.Gathered.Observed.ReplyTo!.Correlation));
        Assert.All(gather.Released, r => Assert.Equal(0u, r.Gathered.LateMask));
        Assert.Equal(0, gather.InFlight);
    }

    [Fact]
    public void What_is_in_flight_survives_a_restart_and_patience_begins_anew()
    {
        using var gather = new GatherHarness(Times);
        var (large, small) = (Request("r-1", "anna", lines: 700), Request("r-2", "anna", 1));
        gather.Announce(large);
        gather.Announce(small);
        gather.Part(large, 0, 4);
        gather.Part(Request("r-9", "carl"), 0, 5);       // before its request
        gather.Tick(0);
        gather.Checkpoint();
        Assert.Equal(4 + 1, gather.StoredTiles);        // 700 lines are more than one tile
        gather.Part(large, 1, 4);                       // not checkpointed: it comes again
        gather.Restart();

        gather.Tick(1_000);
        gather.Tick(1_000 + PatienceMs - 1);
        Assert.Empty(gather.Released);
        for (var part = 1; part < large.Keys.Length; part++) gather.Part(large, part, 4);
        All(gather, small);
        Assert.Equal(["r-1", "r-2"], gather.Released.Select(r => r.Gathered.Observed.Request.Id));
        Assert.All(gather.Released, r => Assert.Equal(0u, r.Gathered.LateMask));
        Assert.Equal(4, gather.Released[0].Gathered.Vector[FeatureRegistry.Block(EntityKind.Customer).Offset]);

        gather.Tick(1_000 + (long)Times.Remember.TotalMilliseconds);
        gather.Tick(2_000 + (long)Times.Remember.TotalMilliseconds);
        gather.Checkpoint();
        Assert.Equal((0, 0), (gather.InFlight, gather.StoredTiles));
    }

    [Fact]
    public void A_flood_of_parts_without_requests_is_bounded_and_forgotten()
    {
        using var gather = new GatherHarness(Times);
        for (var i = 0; i < 1_000; i++) gather.Part(Request($"r-{i}", "anna"), 0, 1);
        Assert.Equal(CustomerRequests.EarlyMax, gather.InFlight);
        gather.Tick(0);
        gather.Tick((long)Times.Remember.TotalMilliseconds);
        Assert.Equal(0, gather.InFlight);
    }

    [Fact]
    public void Whatever_comes_whenever_gather_does_as_the_naive_model_does() => Gen.Select(Gen.Int[1, 6], Gen.Int[0, 1_000_000]).Sample((requests, seed) =>
    {
        var random = new Random(seed);
        var all = Enumerable.Range(0, requests).Select(i => Request($"r-{i}", i % 2 == 0 ? "anna" : "bert", i, names: 1 + random.Next(4))).ToArray();
        var events = new List<Action<GatherHarness, NaiveGather>>();
        foreach (var request in all)
        {
            // Parts come anywhere, some twice, some never.
            for (var part = 0; part < request.Keys.Length; part++)
                for (var times = random.Next(10) switch { 0 => 0, 1 => 2, _ => 1 }; times > 0; times--)
                {
                    var (number, value) = (part, random.Next(1, 50));
                    Insert((gather, model) =>
                    {
                        gather.Part(request, number, value);
                        model.Part(request, number, value);
                    });
                }
        }

        // Requests are announced in their order, between whatever else comes.
        var places = Enumerable.Range(0, requests).Select(_ => random.Next(events.Count + 1)).Order().ToArray();
        for (var i = requests - 1; i >= 0; i--)
        {
            var request = all[i];
            events.Insert(places[i], (gather, model) =>
            {
                gather.Announce(request);
                model.Announce(request);
            });
        }

        long now = 0;
        for (var ticks = random.Next(12); ticks > 0; ticks--)
            events.Insert(random.Next(events.Count + 1), (gather, model) =>
            {
                now += random.Next(1, 25);
                gather.Tick(now);
                model.Tick(now);
            });
        if (random.Next(2) == 0)
            events.Insert(random.Next(events.Count + 1), (gather, model) =>
            {
                gather.Checkpoint();
                gather.Restart();
                model.Restart();
            });

        using var subject = new GatherHarness(Times);
        var naive = new NaiveGather(PatienceMs);
        foreach (var happens in events) happens(subject, naive);
        for (var i = 0; i < 3; i++)
        {
            now += PatienceMs;
            subject.Tick(now);
            naive.Tick(now);
        }

        foreach (var customer in (string[])["anna", "bert"])      // each in its order; between them none is promised
            Assert.Equal(
                naive.Released.Where(r => r.Customer == customer).Select(r => r.Text),
                subject.Released.Where(r => r.Customer == customer).Select(r => NaiveGather.Text(r.Gathered.Observed.Request.Id, r.Gathered.LateMask, r.Gathered.Vector)));
        Assert.Equal(requests, subject.Released.Count);
        now += (long)Times.Remember.TotalMilliseconds;
        subject.Tick(now);
        subject.Checkpoint();
        Assert.Equal((0, 0), (subject.InFlight, subject.StoredTiles));

        void Insert(Action<GatherHarness, NaiveGather> happens) => events.Insert(random.Next(events.Count + 1), happens);
    }, iter: 2_000);

    private static void All(GatherHarness gather, ObservedRequest request)
    {
        for (var part = 0; part < request.Keys.Length; part++) gather.Part(request, part, 1);
    }

    private static int PartOf(ObservedRequest request, EntityKind kind) => Enumerable.Range(0, request.Keys.Length).First(i => request.Keys.Span[i].Kind == kind);

    /// <param name="names">Of the entities beside the customer, as many as this: device, ip with its network, two codes, payment token.</param>
    private static ObservedRequest Request(string id, string customer, int atMs = 0, int lines = 1, int names = 4)
    {
        var request = PipelineRig.Request(id, customer) with
        {
            At = new EventTime(1_000_000 + atMs),
            Cart = new("o-" + id, "EUR", [.. Enumerable.Range(0, lines).Select(i => new CartLine($"{i}", $"a-sku-with-a-longer-name-{i}", "kitchen", 1, 1_500))], 0),
            Redeemables = names > 2 ? [new(RedeemableType.Coupon, "TEN", 0), new(RedeemableType.Coupon, "FIVE", 0)] : [],
            Context = new(names > 0 ? "d-1" : null, names > 1 ? "203.0.113.9" : null, null, names > 3 ? "p-1" : null, null, null),
        };
        return ObservedRequest.Decode(ObservedRequest.Encode(request, Entities.From(request)));
    }
}

/// <summary>Gather in the plainest words: every request with its parts in lists, looked through from the beginning each time.</summary>
internal sealed class NaiveGather(int patienceMs)
{
    private readonly List<Flight> _flights = [];
    private readonly List<(string Id, int Part, float Value, EntityKind Kind)> _parts = [];

    public List<(string Customer, string Text)> Released { get; } = [];

    public void Announce(ObservedRequest observed)
    {
        _flights.Add(new(observed));
        Release();
    }

    public void Part(ObservedRequest observed, int part, float value)
    {
        // Behind its request's release it changes nothing.
        if (Released.Exists(released => released.Text.StartsWith(observed.Request.Id + "|", StringComparison.Ordinal))) return;
        if (!_parts.Exists(known => known.Id == observed.Request.Id && known.Part == part)) _parts.Add((observed.Request.Id, part, value, observed.Keys.Span[part].Kind));
        Release();
    }

    public void Tick(long now)
    {
        foreach (var flight in _flights)
            if (flight.Since is { } since && now - since >= patienceMs) flight.Overdue = true;
        Release();
        foreach (var flight in _flights) flight.Since ??= now;
    }

    public void Restart()
    {
        foreach (var flight in _flights) flight.Since = null;
    }

    public static string Text(string id, uint lateMask, float[] vector) => $"{id}|{lateMask}|{string.Join(' ', vector)}";

    private void Release()
    {
        foreach (var customer in (string[])["anna", "bert"])
        {
            while (_flights.Find(flight => flight.Observed.Request.Customer.Id == customer) is { } first)
            {
                var came = _parts.Where(part => part.Id == first.Observed.Request.Id).ToList();
                if (came.Count < first.Observed.Keys.Length && !first.Overdue) break;
                var vector = new float[FeatureRegistry.Count];
                Array.Fill(vector, float.NaN);
                var late = 0u;
                for (var i = 0; i < first.Observed.Keys.Length; i++)
                {
                    var kind = first.Observed.Keys.Span[i].Kind;
                    var block = FeatureRegistry.Block(kind);
                    if (came.FindIndex(part => part.Part == i) is >= 0 and var found)
                    {
                        for (var f = block.Offset; f < block.Offset + block.Length; f++)
                        {
                            var smallest = FeatureRegistry.Features[f].Combine == Combine.Smallest;
                            vector[f] = float.IsNaN(vector[f]) ? came[found].Value : smallest ? Math.Min(vector[f], came[found].Value) : Math.Max(vector[f], came[found].Value);
                        }
                    }
                    else late |= 1u << (int)kind;
                }

                Released.Add((customer, Text(first.Observed.Request.Id, late, vector)));
                _flights.Remove(first);
            }
        }
    }

    private sealed class Flight(ObservedRequest observed)
    {
        public ObservedRequest Observed => observed;
        public long? Since { get; set; }
        public bool Overdue { get; set; }
    }
}
