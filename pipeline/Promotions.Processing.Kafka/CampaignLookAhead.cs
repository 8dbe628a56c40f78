using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;
using Promotions.Ledger;
using Promotions.Processing.Topologies;

namespace Promotions.Processing.Kafka;

/// <summary>Asks the ledger for the coupons and arms of all requests that were announced since it was asked last: one round trip for as many as came meanwhile, none on the deciding thread.</summary>
/// <remarks>What it found was committed after the request came, and may have changed by the time of the decision, as if it had been asked for then: the ledger checks it again when it books.</remarks>
public sealed class CampaignLookAhead(ICampaignPrefetch ledger) : ICampaignLookAhead
{
    /// <summary>Of each of two generations: what nobody takes (its task went elsewhere) is forgotten with the older one.</summary>
    private const int ReadyMax = 4_096;

    private readonly Lock _gate = new();
    private List<RedemptionRequest> _waiting = [];
    private Dictionary<Key, ICampaignSnapshot> _ready = [];
    private Dictionary<Key, ICampaignSnapshot> _older = [];
    private bool _runs;

    public void Announced(RedemptionRequest request)
    {
        lock (_gate)
        {
            _waiting.Add(request);
            if (_runs) return;
            _runs = true;
        }

        _ = Task.Run(RunAsync);
    }

    public ICampaignSnapshot? Take(RedemptionRequest request)
    {
        var key = Key.Of(request);
        lock (_gate) return _ready.Remove(key, out var found) || _older.Remove(key, out found) ? found : null;
    }

    private async Task RunAsync()
    {
        while (true)
        {
            List<RedemptionRequest> requests;
            lock (_gate)
            {
                if (_waiting.Count == 0)
                {
                    _runs = false;
                    return;
                }

                (requests, _waiting) = (_waiting, []);
            }

            try
            {
                Keep(requests, await ledger.FetchAsync([.. requests.SelectMany(Questions)], CancellationToken.None).ConfigureAwait(false));
            }
            catch (LedgerFaultException)
            {
                // Whoever decides asks for itself then, and says what is wrong if it still is.
            }
        }
    }

    private void Keep(List<RedemptionRequest> requests, ICampaignSnapshot found)
    {
        lock (_gate)
        {
            if (_ready.Count >= ReadyMax) (_ready, _older) = ([], _ready);
            foreach (var request in requests) _ready[Key.Of(request)] = found;
        }
    }

    private static IEnumerable<CouponQuestion> Questions(RedemptionRequest request) =>
        request.Redeemables.Where(redeemable => redeemable is { Type: RedeemableType.Coupon, Code: not null }).Select(redeemable => new CouponQuestion(redeemable.Code!, request.Customer.Id));

    /// <summary>A retry in flight is another request than its first attempt. Two that differ and share both ask for what their own did not.</summary>
    private readonly record struct Key(string Id, EventTime At)
    {
        public static Key Of(RedemptionRequest request) => new(request.Id, request.At);
    }
}
