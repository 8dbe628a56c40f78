using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Promotions.Api.Http;
using Promotions.Api.Problems;
using Promotions.Contracts;
using Promotions.Domain;
using Promotions.Ledger;

namespace Promotions.Api.Bulk;

/// <summary>Makes codes and grants in the bulk lane, one operation at a time, and goes on after a restart.</summary>
/// <remarks>Every slice is one ledger command whose id and codes follow from the operation's id, so that doing a slice again changes nothing.</remarks>
public sealed class BulkOperations(ILedger ledger, ISettingsStore settings, InstallationSecret secret, TimeProvider time, ILogger<BulkOperations> logger) : BackgroundService
{
    /// <summary>Coupons in one command: small, so that decisions between two of them do not wait.</summary>
    public const int SliceSize = 50;

    /// <summary>Coupons between two records of progress. More costs repeated slices after a crash, fewer costs settings writes.</summary>
    private const int RecordEvery = 5_000;

    private const string StateScope = "operations";
    private const string ItemsScope = "operation-items";
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly Channel<string> _waiting = Channel.CreateUnbounded<string>(new() { SingleReader = true });
    private readonly ConcurrentDictionary<string, OperationState> _running = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _starting = new(1, 1);

    /// <summary>What became of an ask.</summary>
    internal readonly record struct Begun(OperationState? State, bool Repeated, ProblemKind Problem);

    internal OperationState? Find(string id) =>
        _running.TryGetValue(id, out var state) ? state
        : settings.Find(StateScope, id) is { } text ? JsonSerializer.Deserialize(text, OperationsJson.Default.OperationState)
        : null;

    /// <summary>Writes the work down, then does it: at once where the caller waits for it, else in the background.</summary>
    internal async Task<Begun> BeginAsync(OperationState state, IReadOnlyList<string>? items, bool atOnce, Actor actor, CancellationToken cancellationToken)
    {
        await secret.EnsureAsync(cancellationToken);
        await _starting.WaitAsync(cancellationToken);
        try
        {
            if (Find(state.Id) is { } earlier)
            {
                if (earlier.ContentHash != state.ContentHash) return new(null, false, ProblemKind.SameIdDifferentContent);
                // An earlier call at once may have failed half-way: then it is finished now.
                if (earlier.Status != "running" || !atOnce) return new(earlier, true, ProblemKind.None);
                return new(await RunAsync(earlier, cancellationToken), true, ProblemKind.None);
            }
            if (items is not null)
                await settings.PutAsync(ItemsScope, state.Id, JsonSerializer.Serialize(new(items), OperationsJson.Default.OperationItems), actor, cancellationToken);
            await RecordAsync(state, actor, cancellationToken);
            if (atOnce) return new(await RunAsync(state, cancellationToken), false, ProblemKind.None);
        }
        finally
        {
            _starting.Release();
        }
        _running[state.Id] = state;
        _waiting.Writer.TryWrite(state.Id);
        return new(state, false, ProblemKind.None);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await RunAllAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopped: what is left is written down and goes on at the next start.
        }
    }

    private async Task RunAllAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();   // reading the settings must not hold up the start
        await secret.EnsureAsync(stoppingToken);
        foreach (var (id, text) in settings.List(StateScope))
        {
            if (JsonSerializer.Deserialize(text, OperationsJson.Default.OperationState) is not { Status: "running" } state) continue;
            ApiLog.OperationResumed(logger, id, state.Done, state.Total);
            _running.TryAdd(id, state);
            _waiting.Writer.TryWrite(id);
        }
        await foreach (var id in _waiting.Reader.ReadAllAsync(stoppingToken))
            if (_running.TryGetValue(id, out var state)) await RunToEndAsync(state, stoppingToken);
    }

    private async Task RunToEndAsync(OperationState state, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await RunAsync(_running.GetValueOrDefault(state.Id, state), cancellationToken);
                return;
            }
            catch (LedgerFaultException exception)
            {
                ApiLog.OperationWaits(logger, exception, state.Id);
                await Task.Delay(RetryAfter, time, cancellationToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                ApiLog.OperationBroke(logger, exception, state.Id);
                await FinishAsync(state with { Status = "failed", Error = "Something broke on our side." }, cancellationToken);
                return;
            }
        }
    }

    private async Task<OperationState> RunAsync(OperationState state, CancellationToken cancellationToken)
    {
        var actor = new Actor("api_key", state.ApiKeyId);
        var items = settings.Find(ItemsScope, state.Id) is { } text ? JsonSerializer.Deserialize(text, OperationsJson.Default.OperationItems)!.Items : null;
        var current = state;
        while (current.Done < current.Total)
        {
            var commands = new List<LedgerCommand>();
            var until = Math.Min(current.Total, current.Done + RecordEvery);
            for (var from = current.Done; from < until; from += SliceSize)
                commands.Add(Slice(current, items, from, Math.Min(SliceSize, current.Total - from), actor));

            var start = current;
            var progress = new SliceProgress(count => _running.AddOrUpdate(
                start.Id, _ => start, (_, seen) => seen with { Done = (int)Math.Min(start.Total, start.Done + ((long)count * SliceSize)) }));
            foreach (var outcome in await ledger.ExecuteManyAsync(commands, progress, cancellationToken))
            {
                if (outcome.Accepted) continue;
                return await FinishAsync(current with { Status = "failed", Error = ProblemKinds.Describe(ProblemKinds.From(outcome.Refusal)).Title }, cancellationToken);
            }
            current = current with { Done = until };
            if (current.Done < current.Total) await RecordAsync(current, actor, cancellationToken);
        }
        return await FinishAsync(current with { Status = "done" }, cancellationToken);
    }

    private AddCoupons Slice(OperationState state, IReadOnlyList<string>? items, int from, int count, Actor actor)
    {
        var coupons = new NewCoupon[count];
        for (var i = 0; i < count; i++)
        {
            var index = from + i;
            coupons[i] = state.Kind == "grant" ? new(secret.Code(state.Id, index), items![index], 1)
                : new(items is null ? secret.Code(state.Id, index) : items[index], null, state.UsesMax);
        }
        return new(IdMaker.Derive("op", state.Id, from.ToString(CultureInfo.InvariantCulture)), actor, new EventTime(state.CreatedAt), state.CampaignId, coupons);
    }

    private async Task<OperationState> FinishAsync(OperationState state, CancellationToken cancellationToken)
    {
        var finished = state with { FinishedAt = EventTime.Now(time).UnixMilliseconds };
        await RecordAsync(finished, Actor.System, cancellationToken);
        await settings.PutAsync(ItemsScope, state.Id, null, Actor.System, cancellationToken);
        _running.TryRemove(state.Id, out _);
        return finished;
    }

    private Task RecordAsync(OperationState state, Actor actor, CancellationToken cancellationToken)
    {
        if (state.Status == "running") _running[state.Id] = state;
        return settings.PutAsync(StateScope, state.Id, JsonSerializer.Serialize(state, OperationsJson.Default.OperationState), actor, cancellationToken);
    }

    internal static OperationAnswer Tell(OperationState state) => new(
        state.Id, state.Kind, state.Status, state.CampaignId, state.Done, state.Total, state.Error,
        new EventTime(state.CreatedAt).ToString(), state.FinishedAt is { } at ? new EventTime(at).ToString() : null);

    public override void Dispose()
    {
        _starting.Dispose();
        base.Dispose();
    }

    /// <summary>Reports on the ledger's thread: <see cref="Progress{T}"/> would reorder reports on the pool.</summary>
    private sealed class SliceProgress(Action<int> report) : IProgress<int>
    {
        public void Report(int value) => report(value);
    }
}
