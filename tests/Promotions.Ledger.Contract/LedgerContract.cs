using Microsoft.Extensions.Time.Testing;
using Promotions.Domain.Campaigns;

namespace Promotions.Ledger.Contract;

/// <summary>One open ledger for each test; the backend's verifier has the last word.</summary>
public abstract class LedgerContract(Func<ILedgerBackend> newBackend) : IAsyncLifetime
{
    private readonly ILedgerBackend _backend = newBackend();

    protected FakeTimeProvider Time { get; } = new(Make.Start.ToDateTimeOffset());
    protected ILedger Ledger { get; private set; } = null!;
    protected ISettingsStore Settings { get; private set; } = null!;

    public async ValueTask InitializeAsync() => (Ledger, Settings) = await _backend.OpenAsync(Time);

    public async ValueTask DisposeAsync()
    {
        await Ledger.DisposeAsync();
        Assert.Empty(await _backend.VerifyAsync());
        await _backend.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>As after a restart of the process: memory is gone, what was stored is there.</summary>
    protected async Task Reopen()
    {
        await Ledger.DisposeAsync();
        (Ledger, Settings) = await _backend.OpenAsync(Time);
    }

    protected Task<LedgerOutcome> Do(LedgerCommand command) => Ledger.ExecuteAsync(command, Lane.Decision, TestContext.Current.CancellationToken);

    protected async Task<Coupon> ACoupon(string code = "SAVE5", string campaign = "spring", Limits? limits = null, long? usesMax = 1, string? customer = null)
    {
        if (Ledger.Campaigns.FindCampaign(campaign) is null) Assert.True((await Do(new PutCampaign("put-" + campaign, Make.Admin, Make.Start, Make.Campaign(campaign, 1, limits)))).Accepted);
        Assert.True((await Do(new AddCoupons("add-" + code, Make.Admin, Make.Start, campaign, [new(code, customer, usesMax)]))).Accepted);
        return Ledger.Campaigns.FindCoupon(code)!;
    }

    protected Task<LedgerOutcome> Redeem(string id, string customer, params PricedRedeemable[] redeemables) => Do(Make.Decide(Make.Proposal(id, customer, redeemables)));

    protected static DepositCash Deposit(string id, string customer = "ann", long amount = 1) => new(id, Make.Admin, Make.Start, customer, "EUR", amount, null);
}
