using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;
using Promotions.Admin.Hosting;
using Promotions.Admin.SignIn;
using Promotions.Analytics.Results;
using Promotions.Contracts;
using Promotions.Domain;
using Promotions.Domain.Events;
using Promotions.Ledger;
using Promotions.Ledger.Sqlite;
using Promotions.Processing;
using Promotions.Processing.Changes;
using Promotions.Processing.Decisions;
using Promotions.Processing.Reviews;
using Promotions.Processing.Statistics;
using Promotions.Scoring;

namespace Promotions.Admin.Tests;

/// <summary>The dashboard on a free port over a real ledger in a folder of its own.</summary>
internal sealed class AdminHost : IAsyncDisposable, IAdminSignIn
{
    public const string Key = "key-of-the-tests";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("promotions-admin-");
    private WebApplication? _app;

    private AdminHost()
    {
        Ledger = SqliteLedger.Open(new() { Path = Path.Combine(_folder.FullName, "ledger.db") }, TimeProvider.System);
        Reader = BreakableReader.Over(Ledger.Reader);
    }

    public SqliteLedger Ledger { get; }

    /// <summary>The one key is no longer any good.</summary>
    public bool Revoked { get; set; }
    public BreakableReader Reader { get; }
    public FixedResults Results { get; } = new();
    public FixedSystem System { get; } = new();
    public FixedPolicyDesk Policy { get; } = new();
    public FixedAccountDesk Accounts { get; } = new();
    public FixedModelDesk Models { get; } = new();
    public FixedRetrainingDesk Retraining { get; } = new();
    public LiveStatistics Statistics { get; } = new(TimeProvider.System);
    public Uri Address { get; private set; } = null!;

    /// <summary>The sessions of browsers that look at it. They end before it does: a page without its server asks for it for ever, and the browser is shared.</summary>
    public List<IBrowserContext> Opened { get; } = [];

    public static async Task<AdminHost> StartAsync(Action<AdminOptions>? configure = null, TimeProvider? time = null)
    {
        var host = new AdminHost();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddPromotionsAdmin(options =>
        {
            options.RefreshEvery = options.SessionCheckEvery = options.ResultsEvery = TimeSpan.FromMilliseconds(100);
            configure?.Invoke(options);
        });
        if (time is not null) builder.Services.AddSingleton(time);
        builder.Services.AddSingleton((ILedgerReader)(object)host.Reader);
        builder.Services.AddSingleton<IRedemptionGateway>(new LabelGateway(host.Ledger));
        builder.Services.AddSingleton<ICampaignResults>(host.Results);
        builder.Services.AddSingleton<ILiveStatistics>(host.Statistics);
        builder.Services.AddSingleton<ISystemStatus>(host.System);
        builder.Services.AddSingleton<IPolicyDesk>(host.Policy);
        builder.Services.AddSingleton<IAccountDesk>(host.Accounts);
        builder.Services.AddSingleton<IModelDesk>(host.Models);
        builder.Services.AddSingleton<IRetrainingDesk>(host.Retraining);
        builder.Services.AddSingleton(new DecisionExplainer(new ThreeFeatures(), hash => hash == ThreeFeatures.Model ? new ThreeFeatures() : null));
        builder.Services.AddSingleton(new SmallestChangeFinder(new ThreeFeatures(), _ => null, _ => null, (_, _) => null));
        builder.Services.AddSingleton(provider => new OpenCases((ILedgerReader)(object)host.Reader));
        builder.Services.AddSingleton(_ => new EntityGraph((ILedgerReader)(object)host.Reader, new RecentAttempts((ILedgerReader)(object)host.Reader)));
        builder.Services.AddSingleton(provider => new SimilarCases((ILedgerReader)(object)host.Reader, provider.GetRequiredService<DecisionExplainer>()));
        builder.Services.AddSingleton(provider => new ReviewDesk((ILedgerReader)(object)host.Reader, provider.GetRequiredService<IRedemptionGateway>(), provider.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<IAdminSignIn>(host);
        host._app = builder.Build();
        host._app.MapPromotionsAdmin();
        await host._app.StartAsync();
        host.Address = new(host._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return host;
    }

    public Task<AdminIdentity?> FindAsync(string key, CancellationToken cancellationToken) =>
        Task.FromResult(key == Key && !Revoked ? new AdminIdentity("reviewer-1", "Reviewer") : null);

    public ValueTask<bool> IsAdminAsync(string keyId, CancellationToken cancellationToken) => ValueTask.FromResult(keyId == "reviewer-1" && !Revoked);

    public async ValueTask DisposeAsync()
    {
        foreach (var context in Opened) await context.CloseAsync();
        if (_app is not null) await _app.DisposeAsync();
        await Ledger.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}

/// <summary>The ledger's reader, which a test can break and mend.</summary>
public class BreakableReader : DispatchProxy
{
    private ILedgerReader _inner = null!;

    public bool Broken { get; set; }

    public static BreakableReader Over(ILedgerReader inner)
    {
        var made = (BreakableReader)(object)Create<ILedgerReader, BreakableReader>();
        made._inner = inner;
        return made;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        Broken ? throw new LedgerFaultException("The disk is away.") : targetMethod!.Invoke(_inner, args);
}

/// <summary>Answers what a test puts in; throws when nothing was put in.</summary>
internal sealed class FixedResults : ICampaignResults
{
    public Dictionary<string, CampaignResult> ByCampaign { get; } = new(StringComparer.Ordinal);

    public Task<CampaignResult?> ComputeAsync(string campaignId, CancellationToken cancellationToken) => ByCampaign.TryGetValue(campaignId, out var result)
        ? Task.FromResult<CampaignResult?>(result)
        : throw new AnalyticsUnavailableException("ClickHouse is away.");
}

/// <summary>What a test says of the whole system; throws while it says nothing.</summary>
internal sealed class FixedSystem : ISystemStatus
{
    public SystemAnswer? Answer { get; set; }

    public SystemAnswer Read() => Answer ?? throw new InvalidOperationException("Nobody knows.");
}

/// <summary>Takes labels into the ledger, as the pipeline does; the dashboard sends nothing else.</summary>
internal sealed class LabelGateway(ILedger ledger) : IRedemptionGateway
{
    public Task<LedgerOutcome> RecordAsync(LabelRecorded label, CancellationToken cancellationToken) =>
        ledger.ExecuteAsync(new RecordLabel(new("admin", label.Actor), label), Lane.Decision, cancellationToken);

    public Task<LedgerOutcome> RedeemAsync(RedemptionRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();
    public Task<Qualification> QualifyAsync(RedemptionRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();
    public Task<LedgerOutcome> CaptureAsync(CaptureRequested request, CancellationToken cancellationToken) => throw new NotSupportedException();
    public Task<LedgerOutcome> VoidAsync(VoidRequested request, CancellationToken cancellationToken) => throw new NotSupportedException();
    public Task<LedgerOutcome> RecordAsync(OrderPlaced order, CancellationToken cancellationToken) => throw new NotSupportedException();
    public Task<LedgerOutcome> RecordAsync(OrderReturned returned, CancellationToken cancellationToken) => throw new NotSupportedException();
    public Task<LedgerOutcome> RecordAsync(EngagementRecorded engagement, CancellationToken cancellationToken) => throw new NotSupportedException();
}

/// <summary>The features and the model that the fixture's decisions name.</summary>
internal sealed class ThreeFeatures : IFeatureCatalog, IScorer
{
    public const string Model = "ab12cd34ef56ab12";

    private static readonly string[] Names = ["device.distinct_customers.1d", "ip.attempts.10m", "customer.age"];

    public string ModelHash => Model;
    public ulong LayoutHash => 7;
    public int Count => Names.Length;
    public int FeatureCount => Names.Length;
    public double ExpectedScore => -3;
    public int IndexOf(string name) => Array.IndexOf(Names, name);
    public string NameOf(int index) => Names[index];
    public string Describe(int index, float value, string currency, AttemptEntities entities) => $"{Names[index]} is {value}.";
    public string? EntityOf(int index, AttemptEntities entities) => null;
    public double RawScore(ReadOnlySpan<float> vector) => throw new NotSupportedException();
    public double Probability(double rawScore) => throw new NotSupportedException();

    public void Explain(ReadOnlySpan<float> vector, Span<double> contributions)
    {
        for (var i = 0; i < contributions.Length; i++) contributions[i] = vector[i] / -1000;
    }
}
