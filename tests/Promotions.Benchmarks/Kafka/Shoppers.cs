using System.Diagnostics;
using System.Globalization;
using System.Net;
using Promotions.Benchmarks.Http;

namespace Promotions.Benchmarks.Kafka;

/// <summary>Customers over all partitions, each of whom redeems a few times a second and asks again under the same id until there is a decision, as a checkout does.</summary>
internal sealed class Shoppers(ApiCaller api, string key, int customers, TimeSpan each)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan BeforeRetry = TimeSpan.FromMilliseconds(50);
    private readonly List<(int Customer, long At)> _decisions = [];

    public int Decisions
    {
        get { lock (_decisions) return _decisions.Count; }
    }

    /// <summary>Shops until it is cancelled.</summary>
    /// <exception cref="InvalidOperationException">An answer was neither a decision nor "ask again".</exception>
    public Task ShopAsync(string run, CancellationToken cancellationToken) => Task.WhenAll(Enumerable.Range(0, customers).Select(customer => OneAsync(run, customer, cancellationToken)));

    /// <summary>The longest that any one customer was without a decision after a moment: a gap of some partitions is not hidden by the others.</summary>
    /// <returns>Seconds.</returns>
    public double LongestGap(long since)
    {
        lock (_decisions)
        {
            return _decisions.GroupBy(decision => decision.Customer).Max(own =>
            {
                var at = own.Select(decision => decision.At).Order().ToArray();
                return at.Zip(at.Skip(1)).Where(pair => pair.Second >= since).Max(pair => Stopwatch.GetElapsedTime(pair.First, pair.Second).TotalSeconds);
            });
        }
    }

    private async Task OneAsync(string run, int customer, CancellationToken cancellationToken)
    {
        for (var i = 0; !cancellationToken.IsCancellationRequested; i++)
        {
            var began = Stopwatch.GetTimestamp();
            var body = RedemptionTargets.Body(string.Create(CultureInfo.InvariantCulture, $"{run}-{customer}-{i}"), 100_000 + customer, "sku-1", 1, 1, 1_500);
            if (!await DecidedAsync(body, cancellationToken)) return;
            lock (_decisions) _decisions.Add((customer, Stopwatch.GetTimestamp()));
            var rest = each - Stopwatch.GetElapsedTime(began);
            if (rest > TimeSpan.Zero) await Task.Delay(rest, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <returns>False: cancelled.</returns>
    private async Task<bool> DecidedAsync(string body, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(Patience);
            try
            {
                using var answer = await api.SendAsync("/v1/redemptions", body, key, patience.Token);
                if (answer.StatusCode is HttpStatusCode.OK) return true;
                if (answer.StatusCode is not HttpStatusCode.ServiceUnavailable)
                    throw new InvalidOperationException($"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(cancellationToken)}");
                await Task.Delay(BeforeRetry, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (patience.IsCancellationRequested)
            {
                // No answer in time: asked again.
            }
        }

        return false;
    }
}
