using Promotions.Domain;
using Promotions.Features;
using Promotions.Processing.Records;
using Promotions.Processing.Topologies;
using Promotions.Streams;
using Promotions.Streams.State;

namespace Promotions.Processing.Tests;

/// <summary>Gather over a store that can be checkpointed and opened again, with its timer in the test's hand.</summary>
internal sealed class GatherHarness : IProcessorContext<string, GatheredRequest>, IDisposable
{
    private const byte StoreId = 2;
    private readonly InMemoryBackend _backend = new();
    private readonly GatherTimes _times;
    private StateStores _stores = null!;
    private KeyedStore<EntityKey, CustomerRequests> _store = null!;
    private PatientGather _gather = null!;
    private Action<EventTime> _tick = null!;
    private long _position;

    public GatherHarness(GatherTimes times)
    {
        _times = times;
        Open();
    }

    public List<(string Customer, GatheredRequest Gathered, EventTime At)> Released { get; } = [];

    public int InFlight => _store.Keys().Sum(key => _store.Get(key).Announced.Count() + _store.Get(key).Early.Count());

    /// <summary>Values written for customers; the store's own housekeeping apart.</summary>
    public int StoredTiles
    {
        get
        {
            var tiles = 0;
            _backend.Scan([StoreId], int.MaxValue, (key, value) =>
            {
                Assert.True(value.Length < IStateBackend.ValueBytesMax);
                if (key[0] == StoreId) tiles++;
            });
            return tiles;
        }
    }

    public void Announce(ObservedRequest observed)
    {
        _gather.Process(new(observed.Request.Customer.Id, GatherRecord.Of(observed), observed.Request.At));
        _stores.Settle();
    }

    public void Part(ObservedRequest observed, int part, float value)
    {
        var values = default(PartValues);
        values[..].Fill(value);
        _gather.Process(new(observed.Request.Customer.Id, new(observed.Request.Id, null, (byte)part, observed.Keys.Span[part].Kind, values), observed.Request.At));
        _stores.Settle();
    }

    public void Tick(long now)
    {
        _tick(new(now));
        _stores.Settle();
    }

    public void Checkpoint() => _stores.Checkpoint(++_position);

    /// <summary>What was checkpointed is all that is left.</summary>
    public void Restart()
    {
        _stores.RollBack();
        Open();
    }

    public void Dispose()
    {
        _stores.Dispose();
        _backend.Dispose();
    }

    private void Open()
    {
        _stores = new(_backend, 1, _ => { });
        _store = _stores.Open(new StoreDefinition<EntityKey, CustomerRequests>(RedemptionTopology.InFlight, StoreId, new InFlightSerde(), 1 << 20));
        _gather = new(_times, null);
        _gather.Init(this);
    }

    public void Forward(in Record<string, GatheredRequest> record) => Released.Add((record.Key, record.Value, record.At));

    public KeyedStore<TKey, TState> Store<TKey, TState>(string name)
        where TKey : notnull
        where TState : class => (KeyedStore<TKey, TState>)(object)_store;

    public EventTime StreamTime => default;
    public RecordPosition Position => default;
    public void DeadLetter(string reason) => throw new InvalidOperationException(reason);
    public void AddStateHash(ulong hash) { }
    public void Schedule(long intervalMs, Action<EventTime> punctuate) => throw new NotSupportedException();
    public void ScheduleWallClock(long intervalMs, Action<EventTime> punctuate) => _tick = punctuate;
}
