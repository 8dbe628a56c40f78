using System.Security.Cryptography;
using Microsoft.Extensions.Time.Testing;
using Promotions.Api.Keys;
using Promotions.Domain;
using Promotions.Ledger;

namespace Promotions.Api.Tests;

/// <summary>Keys are asked for by every request, and read from a store that may be slow.</summary>
public sealed class KeyReloadTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly FakeTimeProvider _time = new();
    private readonly Store _store = new();
    private readonly RandomNumberGenerator _random = RandomNumberGenerator.Create();

    [Fact]
    public async Task Under_traffic_nobody_waits_for_a_slow_store()
    {
        var (keys, text) = await StartAsync();
        _time.Advance(TimeSpan.FromMilliseconds(600));
        _store.Open.Reset();
        Assert.True(keys.FreshAsync().IsCompletedSuccessfully);     // it has the keys read beside it
        Assert.True(_store.Reading.Wait(Patience));
        Assert.True(keys.FreshAsync().IsCompletedSuccessfully);     // and others go on, while the store does not answer
        Assert.NotNull(keys.Find(text));
        Assert.Equal(2, _store.Reads);
        _store.Open.Set();
    }

    [Fact]
    public async Task After_a_pause_many_at_once_wait_for_one_reading_hold_no_thread_and_see_what_was_revoked_meanwhile()
    {
        var (keys, text) = await StartAsync();
        var elsewhere = new ApiKeys(_store, _random, _time, new ApiOptions());
        await elsewhere.RevokeAsync(text.Split('_')[^2], Actor.System, CancellationToken.None);
        var before = _store.Reads;
        _time.Advance(TimeSpan.FromSeconds(2));
        _store.Open.Reset();
        _store.Reading.Reset();
        var waiting = Enumerable.Range(0, 500).Select(_ => keys.FreshAsync()).ToList();        // on this thread alone: one that was held would hang the test
        Assert.True(_store.Reading.Wait(Patience));
        Assert.DoesNotContain(waiting, one => one.IsCompleted);
        _store.Open.Set();
        await Task.WhenAll(waiting).WaitAsync(Patience);
        Assert.Null(keys.Find(text));
        Assert.Equal(before + 1, _store.Reads);
    }

    [Fact]
    public async Task A_store_that_is_away_is_told_only_once_what_is_known_is_too_old_and_asked_again_then()
    {
        var (keys, text) = await StartAsync();
        _store.Away = true;
        _time.Advance(TimeSpan.FromMilliseconds(600));
        await keys.FreshAsync();
        Assert.NotNull(keys.Find(text));
        _time.Advance(TimeSpan.FromMilliseconds(600));
        await Assert.ThrowsAsync<LedgerFaultException>(keys.FreshAsync);
        await Assert.ThrowsAsync<LedgerFaultException>(() => keys.FindLiveAsync("any").AsTask());
        _store.Away = false;
        await keys.FreshAsync().WaitAsync(Patience);
        Assert.NotNull(keys.Find(text));
    }

    private async Task<(ApiKeys Keys, string Text)> StartAsync()
    {
        var keys = new ApiKeys(_store, _random, _time, new ApiOptions());
        var (record, text) = await keys.CreateAsync("till", KeyScopes.Checkout, [], null, Actor.System, CancellationToken.None);
        await keys.FreshAsync();
        Assert.Equal(record.Id, keys.Find(text)!.Id);
        return (keys, text);
    }

    /// <summary>Settings that answer when they are let.</summary>
    private sealed class Store : ISettingsStore
    {
        private readonly Dictionary<string, string> _values = [];
        private int _reads;

        public ManualResetEventSlim Open { get; } = new(true);
        public ManualResetEventSlim Reading { get; } = new(false);
        public int Reads => Volatile.Read(ref _reads);
        public bool Away { get; set; }

        public string? Find(string scope, string name) => throw new NotSupportedException();

        public IReadOnlyList<KeyValuePair<string, string>> List(string scope)
        {
            Interlocked.Increment(ref _reads);
            if (Away) throw new LedgerFaultException("The disk is away.");
            if (!Open.IsSet) Reading.Set();
            Assert.True(Open.Wait(Patience));
            lock (_values) return [.. _values];
        }

        public Task PutAsync(string scope, string name, string? value, Actor actor, CancellationToken cancellationToken)
        {
            lock (_values) _values[name] = value!;
            return Task.CompletedTask;
        }
    }
}
